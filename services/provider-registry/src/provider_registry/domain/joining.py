"""When a provider's place may begin, and how its state may change.

A closed framework takes nobody after it has started, save by a variation that two people decide. An open one takes
providers in rounds or at any time, and no applications while they are suspended.
"""

from collections.abc import Iterator, Mapping, Set
from datetime import date
from typing import Final

from contracts.errors import FieldError
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.life import Joining, JoiningMode, Round
from contracts.values import PlaceState
from provider_registry.domain.dates import format_day
from provider_registry.domain.places import ProviderPlace

NEXT_STATES: Final[Mapping[PlaceState, Set[PlaceState]]] = {
    PlaceState.APPLIED: {PlaceState.AWARDED, PlaceState.LEFT},
    PlaceState.AWARDED: {PlaceState.MOBILISING, PlaceState.LEFT},
    PlaceState.MOBILISING: {PlaceState.ACTIVE, PlaceState.LEFT},
    PlaceState.ACTIVE: {PlaceState.PAUSED, PlaceState.LEFT},
    PlaceState.PAUSED: {PlaceState.ACTIVE, PlaceState.LEFT},
    PlaceState.LEFT: frozenset(),
}
"""The states into which a place can change. A new place can be recorded in any state but `left`."""
_REMEDY: Final = "request it at POST /v1/providers/{id}/places/requests, and have another officer approve it"


def choose_first_day(definition: FrameworkDefinition | None, *, today: date) -> date:
    """Returns the first day of a place that names none: the framework's start if it is closed, else today or later."""
    if definition is None:
        return today
    joining = definition.joining
    if joining.mode is JoiningMode.CLOSED:
        return definition.runs_from
    if joining.mode is JoiningMode.ROUNDS and joining.rounds:
        return max(today, min(each.places_from for each in joining.rounds))
    return max(today, definition.runs_from)


def find_wrong_state(known: ProviderPlace | None, asked: ProviderPlace) -> Iterator[FieldError]:
    """Yields an error for a state into which the known place cannot change."""
    if known is None:
        if asked.state is PlaceState.LEFT:
            yield FieldError("state", "must not be left; a new place begins as applied, awarded, mobilising or active")
        return
    if asked.state is not known.state and asked.state not in NEXT_STATES[known.state]:
        possible = ", ".join(each for each in PlaceState if each in NEXT_STATES[known.state]) or "nothing else"
        yield FieldError("state", f"cannot follow {known.state}; that can become {possible}")


def find_wrong_dates(asked: ProviderPlace) -> Iterator[FieldError]:
    """Yields an error for each day that comes before the one that it has to follow."""
    if asked.applied_on and asked.awarded_on and asked.awarded_on < asked.applied_on:
        yield FieldError("awarded_on", "is before applied_on; check both days")
    if asked.awarded_on and asked.joined_on < asked.awarded_on:
        yield FieldError("joined_on", "is before awarded_on; a place begins when it is awarded, or later")
    if asked.until and asked.until < asked.joined_on:
        yield FieldError("until", "is before joined_on, the place's first day")


def find_joining_errors(
    asked: ProviderPlace, definition: FrameworkDefinition, *, known: ProviderPlace | None, today: date
) -> Iterator[FieldError]:
    """Yields why a place may not begin. A known place whose days are unchanged is not judged again."""
    if known is not None and (known.joined_on, known.applied_on) == (asked.joined_on, asked.applied_on):
        return
    if asked.joined_on > definition.runs_until:
        yield FieldError("joined_on", f"is after {format_day(definition.runs_until)}, the framework's last day")
    if definition.joining.mode is JoiningMode.CLOSED:
        yield from _find_late_joining(asked, definition)
    if definition.joining.mode is JoiningMode.ROUNDS:
        yield from _find_round_errors(asked, definition.joining)
    if known is None:
        yield from _find_suspension(asked, definition.joining, today=today)


def _find_late_joining(asked: ProviderPlace, definition: FrameworkDefinition) -> Iterator[FieldError]:
    if asked.joined_on > definition.runs_from:
        start = format_day(definition.runs_from)
        detail = f"is after {start}, when this closed framework started; a later place is a variation: {_REMEDY}"
        yield FieldError("joined_on", detail)


def _find_round_errors(asked: ProviderPlace, joining: Joining) -> Iterator[FieldError]:
    """The round is the one in which the provider applied; without that day the earliest one counts."""
    if not joining.rounds:
        return
    found = _find_round(joining, asked.applied_on)
    if found is None:
        yield FieldError("applied_on", "is a day of no round; the definition lists the rounds with their days")
    elif asked.joined_on < found.places_from:
        yield FieldError(
            "joined_on", f"is before {format_day(found.places_from)}, when the places of {found.name} begin"
        )


def _find_round(joining: Joining, applied_on: date | None) -> Round | None:
    if applied_on is None:
        return min(joining.rounds, key=lambda each: each.places_from)
    return next((each for each in joining.rounds if each.opens <= applied_on <= each.closes), None)


def _find_suspension(asked: ProviderPlace, joining: Joining, *, today: date) -> Iterator[FieldError]:
    applied_on = asked.applied_on or (today if asked.state is PlaceState.APPLIED else None)
    suspended = joining.suspended
    if suspended is not None and applied_on is not None and suspended.since <= applied_on <= suspended.until:
        until = format_day(suspended.until)
        yield FieldError("applied_on", f"is a day on which applications are suspended until {until}")
