"""Versioning of definitions and ranked lists: consecutive versions that never change."""

from collections.abc import Iterator, Set
from typing import TypeVar

from contracts.errors import FieldError, InvalidInput
from contracts.events.frameworks import RankedListPublished
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import CouncilKey, ProviderId
from provider_registry.domain.errors import (
    FrameworkNotFound,
    FrameworkTaken,
    NoSuchTier,
    VersionAlreadyPublished,
    VersionOutOfTurn,
)
from provider_registry.domain.places import ListScope

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


def check_scope(scope: ListScope, definition: FrameworkDefinition | None, *, council: CouncilKey) -> None:
    """Checks that what a ranked list is for exists. Raises FrameworkNotFound or NoSuchTier."""
    if definition is None or definition.council != council:
        raise FrameworkNotFound
    place, groups = scope.place, {each.group for each in definition.list_groups}
    is_known_group = scope.group is None or scope.group in groups
    if not definition.has_place(place.lot, place.area, place.tier) or not is_known_group:
        raise NoSuchTier


def check_ranked_list(ranked: RankedListPublished, *, holders: Set[ProviderId]) -> None:
    """Raises InvalidInput naming each wrong date, duplicate provider and provider without a place."""
    wrong = [*_check_dates(ranked), *_check_ranking(ranked, holders)]
    if wrong:
        raise InvalidInput(*wrong)


def _check_dates(ranked: RankedListPublished) -> Iterator[FieldError]:
    if ranked.live_from < ranked.issued_on:
        yield FieldError("#/live_from", "is before issued_on; a list goes live on the day it is issued, or later")


def _check_ranking(ranked: RankedListPublished, holders: Set[ProviderId]) -> Iterator[FieldError]:
    providers = [candidate.provider_id for candidate in ranked.ranking]
    for position, provider in enumerate(providers):
        if provider in providers[:position]:
            yield FieldError(f"#/ranking/{position}", "stands on the list twice; keep its better rank")
        elif provider not in holders:
            yield FieldError(f"#/ranking/{position}", "has no place in this tier of this area; give it one first")
