"""The next day on which a provider's eligibility can change without anybody acting."""

from collections.abc import Collection
from datetime import date

import pytest

from contracts.example_words import Needs, Tiers
from contracts.examples import FRAMEWORK
from contracts.framework.tiers import KeyQuestionRule
from provider_registry.domain.next_change import find_next_change
from provider_registry.domain.provider import Provider
from provider_registry.domain.skills import SkillEvidence
from testkit.provider_registry.builders import a_branch, a_framework, a_held_place, a_provider, a_tier

TODAY = date(2026, 3, 2)
HELD_FOR_A_YEAR = KeyQuestionRule.model_validate(
    {"rule": "key-question", "key_question": "Safe", "at_least": "Good", "held_for_months": 12}
)
DEFINITIONS = {FRAMEWORK: a_framework(tiers=(a_tier(Tiers.ONE, HELD_FOR_A_YEAR),))}


def find(provider: Provider, *, first_days: Collection[date] = ()) -> date | None:
    return find_next_change(provider, DEFINITIONS, first_days=first_days, today=TODAY)


@pytest.mark.parametrize(
    ("provider", "day"),
    [
        (a_provider(branches=[]), None),
        (a_provider(branches=[], places=[a_held_place(joined_on=TODAY)]), None),
        (a_provider(branches=[], places=[a_held_place(joined_on=date(2026, 4, 1))]), date(2026, 4, 1)),
        (a_provider(branches=[], places=[a_held_place(until=date(2026, 3, 31))]), date(2026, 4, 1)),
        (a_provider(branches=[], places=[a_held_place(existing_until=TODAY)]), date(2026, 3, 3)),
        (
            a_provider(branches=[], skills=[SkillEvidence(Needs.HOIST, "CERT-17", date(2026, 5, 1))]),
            date(2026, 5, 1),
        ),
        (
            a_provider(branches=[], skills=[SkillEvidence(Needs.HOIST, "CERT-17", date(2025, 1, 1), TODAY)]),
            date(2026, 3, 3),
        ),
        (a_provider(branches=[a_branch(published_on=date(2026, 3, 9))]), date(2026, 3, 9)),
        (a_provider(branches=[a_branch(published_on=date(2025, 6, 1))]), date(2026, 6, 1)),
    ],
)
def test_the_next_day_is_that_of_a_place_a_skill_or_a_rating(provider: Provider, day: date | None) -> None:
    assert find(provider) == day


def test_the_earliest_of_all_days_is_the_next_one() -> None:
    places = [a_held_place(joined_on=date(2026, 4, 1), until=date(2026, 4, 30))]
    assert find(a_provider(places=places), first_days=[date(2026, 3, 15), date(2026, 9, 1)]) == date(2026, 3, 15)
