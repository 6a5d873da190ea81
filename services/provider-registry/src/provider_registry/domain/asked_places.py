"""Places as they are asked for: what is omitted stays as it was."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from contracts.errors import FieldError
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import ServiceTypeKey
from contracts.office_time import to_office_date
from contracts.values import PlaceState
from provider_registry.domain.joining import (
    choose_first_day,
    find_joining_errors,
    find_wrong_dates,
    find_wrong_state,
)
from provider_registry.domain.place_rules import find_unknown_words
from provider_registry.domain.places import FrameworkPlace, ProviderPlace, StateChange


@dataclass(frozen=True)
class AskedPlace:
    """A place in a request. None is "as before"; a new place begins on its framework's usual first day, active."""

    place: FrameworkPlace
    service_types: tuple[ServiceTypeKey, ...] = ()
    number: int | None = None
    applied_on: date | None = None
    awarded_on: date | None = None
    joined_on: date | None = None
    until: date | None = None
    existing_until: date | None = None
    state: PlaceState | None = None


def build_place(
    asked: AskedPlace, known: ProviderPlace | None, definition: FrameworkDefinition | None, *, at: datetime
) -> ProviderPlace:
    """Builds the place that the provider then has. An approval counts for the days for which it was given only."""
    today = to_office_date(at)
    state = asked.state or (PlaceState.ACTIVE if known is None else known.state)
    joined_on = asked.joined_on or (choose_first_day(definition, today=today) if known is None else known.joined_on)
    is_unchanged = known is not None and (joined_on, asked.existing_until) == (known.joined_on, known.existing_until)
    return ProviderPlace(
        place=asked.place,
        joined_on=joined_on,
        changes=(StateChange(state, at),) if known is None else known.change_state(state, at).changes,
        service_types=tuple(asked.service_types),
        number=asked.number,
        applied_on=asked.applied_on or (known.applied_on if known is not None else None),
        awarded_on=asked.awarded_on or _choose_day_of_award(known, state, min(today, joined_on)),
        until=asked.until,
        existing_until=asked.existing_until,
        approval=known.approval if known is not None and is_unchanged else None,
    )


def find_place_errors(
    built: ProviderPlace, known: ProviderPlace | None, definition: FrameworkDefinition | None, *, at: datetime
) -> Iterator[FieldError]:
    """Yields everything that is wrong with a place that one officer sets; fields are relative to the place."""
    yield from find_errors_of_any_place(built, known, definition)
    if known is not None and known.existing_until is not None and built.existing_until is None:
        yield FieldError(
            "existing_until",
            "is missing; an interim provider takes new packages by an exception only:"
            " request it at POST /v1/providers/{id}/places/requests",
        )
    if definition is not None and built.existing_until is None and built.approval is None:
        yield from find_joining_errors(built, definition, known=known, today=to_office_date(at))


def find_errors_of_any_place(
    built: ProviderPlace, known: ProviderPlace | None, definition: FrameworkDefinition | None
) -> Iterator[FieldError]:
    """Yields what is wrong with a place however many people decide on it."""
    yield from find_unknown_words(built, definition)
    yield from find_wrong_dates(built)
    yield from find_wrong_state(known, built)


def _choose_day_of_award(known: ProviderPlace | None, state: PlaceState, day: date) -> date | None:
    if known is None or known.awarded_on is not None or known.state is not PlaceState.APPLIED:
        return None if known is None else known.awarded_on
    return day if state is PlaceState.AWARDED else None
