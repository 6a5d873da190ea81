"""The state of a place at an instant: what was recorded, limited by the place's days."""

from datetime import UTC, date, datetime

import pytest

from contracts.values import PlaceState
from provider_registry.domain.places import PlaceApproval
from testkit.provider_registry.builders import a_held_place

RECORDED = datetime(2026, 1, 5, 9, tzinfo=UTC)
REQUESTED = PlaceApproval("VAR-17", "officer:first", RECORDED)
APPROVED = PlaceApproval("VAR-17", "officer:first", RECORDED, "officer:second", datetime(2026, 3, 2, 9, tzinfo=UTC))


def at_noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


@pytest.mark.parametrize("state", PlaceState)
def test_only_an_active_place_is_active(state: PlaceState) -> None:
    assert a_held_place(state=state).is_active(RECORDED) is (state is PlaceState.ACTIVE)


def test_a_place_is_active_from_its_first_day_to_its_last_one() -> None:
    place = a_held_place(joined_on=date(2026, 3, 2), until=date(2026, 3, 31), at=RECORDED)
    days = (date(2026, 3, 1), date(2026, 3, 2), date(2026, 3, 31), date(2026, 4, 1))
    states = [place.get_state(at_noon(day)) for day in days]
    assert states == [PlaceState.AWARDED, PlaceState.ACTIVE, PlaceState.ACTIVE, PlaceState.LEFT]


def test_days_begin_at_midnight_in_london_also_in_summer() -> None:
    place = a_held_place(joined_on=date(2026, 6, 2), at=RECORDED)
    assert not place.is_active(datetime(2026, 6, 1, 22, 59, 59, tzinfo=UTC))
    assert place.is_active(datetime(2026, 6, 1, 23, tzinfo=UTC))


def test_a_paused_place_is_paused_between_two_changes_of_its_state() -> None:
    paused, resumed = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
    place = a_held_place(at=RECORDED).change_state(PlaceState.PAUSED, paused).change_state(PlaceState.ACTIVE, resumed)
    states = [place.get_state(at) for at in (RECORDED, paused, resumed)]
    assert states == [PlaceState.ACTIVE, PlaceState.PAUSED, PlaceState.ACTIVE]


def test_the_same_state_is_not_recorded_twice() -> None:
    place = a_held_place(at=RECORDED)
    assert place.change_state(PlaceState.ACTIVE, at_noon(date(2026, 2, 1))) is place


def test_a_place_that_was_imported_late_was_active_before_it_was_recorded() -> None:
    place = a_held_place(joined_on=date(2025, 11, 9), at=RECORDED)
    assert place.is_active(at_noon(date(2025, 11, 9)))
    assert not place.is_active(at_noon(date(2025, 11, 8)))


def test_an_interim_provider_keeps_what_it_has_until_its_day_and_takes_nothing_new() -> None:
    place = a_held_place(existing_until=date(2026, 3, 31), at=RECORDED)
    states = [place.get_state(at_noon(day)) for day in (date(2026, 3, 31), date(2026, 4, 1))]
    assert states == [PlaceState.PAUSED, PlaceState.LEFT]
    assert not place.is_held(at_noon(date(2026, 3, 2)))


def test_an_approved_exception_lets_an_interim_provider_take_new_packages() -> None:
    place = a_held_place(existing_until=date(2026, 3, 31), approval=APPROVED, at=RECORDED)
    assert place.is_active(at_noon(date(2026, 4, 1)))
    assert place.get_state(at_noon(date(2026, 3, 1))) is PlaceState.APPLIED, "before the approval"


def test_a_requested_place_is_applied_for_until_it_is_approved() -> None:
    place = a_held_place(approval=REQUESTED, at=RECORDED)
    assert (place.get_state(RECORDED), place.is_held(RECORDED)) == (PlaceState.APPLIED, False)
    assert place.awaits_approval


def test_a_place_that_was_left_stays_left_while_a_request_for_it_waits() -> None:
    assert a_held_place(state=PlaceState.LEFT, approval=REQUESTED, at=RECORDED).get_state(RECORDED) is PlaceState.LEFT


@pytest.mark.parametrize("state", PlaceState)
def test_a_place_is_held_from_its_award_until_it_is_left(state: PlaceState) -> None:
    assert a_held_place(state=state).is_held(RECORDED) is (state not in {PlaceState.APPLIED, PlaceState.LEFT})
