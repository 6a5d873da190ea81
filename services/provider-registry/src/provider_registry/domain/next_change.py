"""The next day on which a provider's eligibility can change without anybody acting."""

from collections.abc import Collection, Iterator
from datetime import date

from contracts.framework.definition import FrameworkDefinition
from contracts.framework.tiers import HeldRating
from provider_registry.domain.dates import add_months, get_day_after
from provider_registry.domain.places import ProviderPlace
from provider_registry.domain.provider import Definitions, Provider
from provider_registry.domain.skills import SkillEvidence


def find_next_change(
    provider: Provider, definitions: Definitions, *, first_days: Collection[date], today: date
) -> date | None:
    """Returns the first day after `today` on which something may change; None if nothing is to come.

    `first_days` are the first days of later versions of the provider's frameworks.
    """
    days = {*first_days, *_list_days_of_ratings(provider, definitions)}
    for place in provider.places:
        days.update(_list_days_of_place(place))
    for skill in provider.skills:
        days.update(_list_days_of_skill(skill))
    return min((day for day in days if day > today), default=None)


def _list_days_of_place(place: ProviderPlace) -> Iterator[date]:
    yield place.joined_on
    for last in (place.until, place.existing_until):
        if last is not None:
            yield get_day_after(last)


def _list_days_of_skill(skill: SkillEvidence) -> Iterator[date]:
    yield skill.valid_from
    if skill.valid_until is not None:
        yield get_day_after(skill.valid_until)


def _list_days_of_ratings(provider: Provider, definitions: Definitions) -> Iterator[date]:
    """Yields the days of publication, and those on which a rating has been held for the months that a tier asks for."""
    months = {months for each in definitions.values() for months in _list_months(each)}
    for branch in provider.branches:
        for record in branch.ratings.list_valid():
            yield record.published_on
            yield from (add_months(record.published_on, each) for each in months)


def _list_months(definition: FrameworkDefinition) -> Iterator[int]:
    for tier in definition.tiers:
        yield from (rule.held_for_months for rule in tier.entry if isinstance(rule, HeldRating))
