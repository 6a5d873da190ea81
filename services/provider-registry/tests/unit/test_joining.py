"""When a place may begin: closed frameworks, rounds and suspensions; and how states follow each other."""

from datetime import date

import pytest

from contracts.framework.life import Joining, JoiningMode, Round, Suspension
from contracts.values import PlaceState
from provider_registry.domain.joining import (
    NEXT_STATES,
    choose_first_day,
    find_joining_errors,
    find_wrong_dates,
    find_wrong_state,
)
from provider_registry.domain.places import ProviderPlace
from testkit.provider_registry.builders import FRAMEWORK_START, a_framework, a_held_place

TODAY = date(2026, 3, 2)
FIRST = Round(name="Round 1", opens=date(2026, 1, 1), closes=date(2026, 1, 31), places_from=date(2026, 4, 1))
SECOND = Round(name="Round 2", opens=date(2026, 6, 1), closes=date(2026, 6, 30), places_from=date(2026, 9, 1))
ROUNDS = Joining(mode=JoiningMode.ROUNDS, rounds=(FIRST, SECOND))
SUSPENDED = Joining(
    mode=JoiningMode.OPEN,
    suspended=Suspension(since=date(2026, 2, 1), until=date(2026, 3, 31), because="the market is full"),
)
STEPS = [
    (PlaceState.APPLIED, PlaceState.AWARDED),
    (PlaceState.AWARDED, PlaceState.MOBILISING),
    (PlaceState.MOBILISING, PlaceState.ACTIVE),
    (PlaceState.ACTIVE, PlaceState.PAUSED),
    (PlaceState.PAUSED, PlaceState.ACTIVE),
]


def find_errors(
    asked: ProviderPlace, joining: Joining | None = None, *, known: ProviderPlace | None = None
) -> list[str]:
    definition = a_framework() if joining is None else a_framework(joining=joining)
    found = find_joining_errors(asked, definition, known=known, today=TODAY)
    return [f"{each.pointer}: {each.detail}" for each in found]


@pytest.mark.parametrize(("before", "after"), STEPS)
def test_states_follow_each_other_step_by_step(before: PlaceState, after: PlaceState) -> None:
    assert list(find_wrong_state(a_held_place(state=before), a_held_place(state=after))) == []


@pytest.mark.parametrize("state", [state for state in PlaceState if state is not PlaceState.LEFT])
def test_any_place_can_be_left(state: PlaceState) -> None:
    assert list(find_wrong_state(a_held_place(state=state), a_held_place(state=PlaceState.LEFT))) == []


@pytest.mark.parametrize("state", [state for state in PlaceState if state is not PlaceState.LEFT])
def test_nothing_follows_a_place_that_was_left(state: PlaceState) -> None:
    (error,) = find_wrong_state(a_held_place(state=PlaceState.LEFT), a_held_place(state=state))
    assert error.detail == "cannot follow left; that can become nothing else"


def test_no_other_step_is_possible_and_the_possible_ones_are_named() -> None:
    possible = {(before, after) for before, states in NEXT_STATES.items() for after in states}
    assert possible == {*STEPS, *((state, PlaceState.LEFT) for state in PlaceState if state is not PlaceState.LEFT)}
    (error,) = find_wrong_state(a_held_place(state=PlaceState.APPLIED), a_held_place(state=PlaceState.ACTIVE))
    assert error.detail == "cannot follow applied; that can become awarded, left"


def test_a_new_place_can_be_recorded_in_any_state_but_left() -> None:
    wrong = [state for state in PlaceState if list(find_wrong_state(None, a_held_place(state=state)))]
    assert wrong == [PlaceState.LEFT]


def test_days_follow_each_other_and_may_be_the_same() -> None:
    day, before = date(2026, 3, 2), date(2026, 3, 1)
    same = a_held_place(joined_on=day, applied_on=day, awarded_on=day, until=day)
    wrong = a_held_place(joined_on=date(2026, 2, 28), applied_on=day, awarded_on=before, until=date(2026, 2, 27))
    assert list(find_wrong_dates(same)) == []
    assert [each.pointer for each in find_wrong_dates(wrong)] == ["awarded_on", "joined_on", "until"]


def test_a_place_of_a_closed_framework_begins_on_the_frameworks_first_day_or_before() -> None:
    assert find_errors(a_held_place(joined_on=FRAMEWORK_START)) == []
    (error,) = find_errors(a_held_place(joined_on=date(2025, 11, 10)))
    assert error.startswith("joined_on: is after 9 November 2025, when this closed framework started")
    assert "another officer" in error


def test_a_known_place_of_a_closed_framework_is_not_judged_again() -> None:
    late = a_held_place(joined_on=date(2026, 1, 1))
    assert find_errors(late, known=late) == []
    assert find_errors(a_held_place(joined_on=date(2026, 1, 2)), known=late) != []


def test_a_place_begins_when_the_places_of_its_round_do_or_later() -> None:
    in_second = date(2026, 6, 15)
    assert find_errors(a_held_place(joined_on=date(2026, 4, 1), applied_on=FIRST.closes), ROUNDS) == []
    assert find_errors(a_held_place(joined_on=date(2026, 9, 1), applied_on=in_second), ROUNDS) == []
    assert find_errors(a_held_place(joined_on=date(2026, 8, 31), applied_on=in_second), ROUNDS) == [
        "joined_on: is before 1 September 2026, when the places of Round 2 begin"
    ]


def test_a_place_without_a_day_of_application_belongs_to_the_earliest_round() -> None:
    assert find_errors(a_held_place(joined_on=date(2026, 4, 1)), ROUNDS) == []
    assert len(find_errors(a_held_place(joined_on=date(2026, 3, 31)), ROUNDS)) == 1


def test_an_application_between_rounds_is_refused() -> None:
    (error,) = find_errors(a_held_place(joined_on=date(2026, 9, 1), applied_on=date(2026, 2, 1)), ROUNDS)
    assert error == "applied_on: is a day of no round; the definition lists the rounds with their days"


@pytest.mark.parametrize(
    ("applied_on", "is_refused"),
    [
        (date(2026, 1, 31), False),
        (date(2026, 2, 1), True),
        (date(2026, 3, 31), True),
        (date(2026, 4, 1), False),
    ],
)
def test_no_application_is_taken_on_the_days_of_a_suspension(applied_on: date, is_refused: bool) -> None:
    found = find_errors(a_held_place(joined_on=date(2026, 5, 1), applied_on=applied_on), SUSPENDED)
    assert found == ["applied_on: is a day on which applications are suspended until 31 March 2026"] * is_refused


def test_an_application_without_a_day_is_of_today() -> None:
    assert len(find_errors(a_held_place(state=PlaceState.APPLIED), SUSPENDED)) == 1


def test_a_place_that_was_won_before_the_suspension_is_recorded_and_continues() -> None:
    assert find_errors(a_held_place(state=PlaceState.ACTIVE), SUSPENDED) == []
    known = a_held_place(state=PlaceState.APPLIED, applied_on=date(2026, 1, 31))
    awarded = a_held_place(state=PlaceState.AWARDED, applied_on=date(2026, 1, 31))
    assert find_errors(awarded, SUSPENDED, known=known) == []


def test_no_place_begins_after_the_frameworks_end() -> None:
    (error,) = find_errors(a_held_place(joined_on=date(2031, 11, 9)), Joining(mode=JoiningMode.OPEN))
    assert error == "joined_on: is after 8 November 2031, the framework's last day"


def test_the_usual_first_day_is_the_start_of_a_closed_framework_and_today_or_later_of_an_open_one() -> None:
    assert choose_first_day(a_framework(), today=TODAY) == FRAMEWORK_START
    assert choose_first_day(a_framework(joining=Joining(mode=JoiningMode.OPEN)), today=TODAY) == TODAY
    assert choose_first_day(a_framework(joining=ROUNDS), today=TODAY) == FIRST.places_from
    assert choose_first_day(None, today=TODAY) == TODAY
