"""Versioning of definitions and ranked lists: consecutive versions that never change."""

from collections.abc import Iterator, Set
from typing import TypeVar

from contracts.errors import FieldError, InvalidInput
from contracts.events.frameworks import RankedListPublished
from contracts.framework import FrameworkDefinition
from contracts.ids import CouncilKey, ProviderId
from provider_registry.domain.errors import (
    FrameworkNotFound,
    FrameworkTaken,
    NoSuchTier,
    VersionAlreadyPublished,
    VersionOutOfTurn,
)
from provider_registry.domain.provider import FrameworkPlace

VersionT = TypeVar("VersionT")


def is_new_version(proposed: VersionT, *, version: int, newest: int, published: VersionT | None) -> bool:
    """Returns True for the next version, False if the same content was published under this version.

    `newest` is 0 before the first version. Raises VersionAlreadyPublished or VersionOutOfTurn.
    """
    if published is not None and published == proposed:
        return False
    if published is not None:
        raise VersionAlreadyPublished(version=version, expected=newest + 1)
    if version != newest + 1:
        raise VersionOutOfTurn(expected=newest + 1)
    return True


def check_owner(definition: FrameworkDefinition, *, council: CouncilKey, newest: FrameworkDefinition | None) -> None:
    """Checks that the framework belongs to the council. Raises InvalidInput or FrameworkTaken."""
    if definition.council != council:
        raise InvalidInput(FieldError("#/council", "is not your council; a council publishes its own frameworks"))
    if newest is not None and newest.council != council:
        raise FrameworkTaken


def check_proclaimed_days(definition: FrameworkDefinition, *, newest: FrameworkDefinition | None) -> None:
    """Checks that no day is dropped that reached running searches already. Raises InvalidInput."""
    decided = {override.day for override in definition.brokerage.overrides if override.proclaimed_on is not None}
    proclaimed = newest.brokerage.overrides if newest is not None else ()
    dropped = [each for each in proclaimed if each.proclaimed_on is not None and each.day not in decided]
    if dropped:
        days = ", ".join(f"{each.day.isoformat()} ({each.name})" for each in dropped)
        message = f"lacks {days}, proclaimed by an earlier version; keep it, or write it with closed: false"
        raise InvalidInput(FieldError("#/brokerage/overrides", message))


def check_place(place: FrameworkPlace, definition: FrameworkDefinition | None, *, council: CouncilKey) -> None:
    """Checks that the place of a ranked list exists. Raises FrameworkNotFound or NoSuchTier."""
    if definition is None or definition.council != council:
        raise FrameworkNotFound
    if not definition.has_area(place.area) or definition.find_tier_rules(place.tier) is None:
        raise NoSuchTier


def check_ranked_list(ranked: RankedListPublished, *, members: Set[ProviderId]) -> None:
    """Raises InvalidInput naming each wrong date, duplicate provider and non-member."""
    wrong = [*_check_dates(ranked), *_check_ranking(ranked, members)]
    if wrong:
        raise InvalidInput(*wrong)


def _check_dates(ranked: RankedListPublished) -> Iterator[FieldError]:
    if ranked.live_from < ranked.issued_on:
        yield FieldError("#/live_from", "is before issued_on; a list goes live on the day it is issued, or later")


def _check_ranking(ranked: RankedListPublished, members: Set[ProviderId]) -> Iterator[FieldError]:
    providers = [candidate.provider_id for candidate in ranked.ranking]
    for position, provider in enumerate(providers):
        if provider in providers[:position]:
            yield FieldError(f"#/ranking/{position}", "stands on the list twice; keep its better rank")
        elif provider not in members:
            yield FieldError(f"#/ranking/{position}", "is not a member of this tier and area; make it one first")
