"""What officers have to act on in a framework."""

from datetime import UTC, date, datetime

import pytest

from contracts.examples import COLCHESTER
from contracts.framework.life import Extension, Joining, JoiningMode, Suspension
from contracts.framework.words import Area
from contracts.values import PlaceState
from provider_registry.domain.alarms import Alarm, AlarmKind, find_alarms
from testkit.clocks import MONDAY_NINE
from testkit.provider_registry.builders import TENDRING, a_framework, a_held_place, a_place, to_provider_id

EXTENDABLE = a_framework(extensions=(Extension(until=date(2033, 11, 8), notice_by=date(2031, 5, 8)),))
SUSPENDED = a_framework(
    joining=Joining(
        mode=JoiningMode.OPEN,
        suspended=Suspension(since=date(2024, 1, 1), until=date(2026, 6, 30), because="the market is full"),
    )
)
TWO_EACH = a_framework(areas=(Area(code=COLCHESTER, name="Colchester", fewest_providers=2),))


def at_noon(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "is_due"),
    [
        (at_noon(2031, 2, 6), False),
        (at_noon(2031, 2, 7), True),
        (at_noon(2031, 5, 8), True),
        (at_noon(2031, 11, 8), True),
        (at_noon(2031, 11, 9), False),
    ],
)
def test_the_notice_of_an_extension_is_due_ninety_days_before_its_day_until_the_framework_ends(
    at: datetime, is_due: bool
) -> None:
    assert [each.kind for each in find_alarms(EXTENDABLE, {}, at=at)] == [AlarmKind.EXTENSION_NOTICE] * is_due


def test_a_notice_says_which_extension_and_by_when_and_that_it_is_late() -> None:
    (due,) = find_alarms(EXTENDABLE, {}, at=at_noon(2031, 5, 8))
    (late,) = find_alarms(EXTENDABLE, {}, at=at_noon(2031, 5, 9))
    assert due.text == "notice of the extension until 8 November 2033 is due by 8 May 2031"
    assert (due.day, late.text) == (date(2031, 5, 8), due.text.replace("is due", "was due"))


@pytest.mark.parametrize(
    ("at", "is_due"),
    [
        (at_noon(2026, 5, 30), False),
        (at_noon(2026, 5, 31), True),
        (at_noon(2026, 6, 30), True),
        (at_noon(2026, 7, 1), False),
    ],
)
def test_the_end_of_a_suspension_is_due_thirty_days_before(at: datetime, is_due: bool) -> None:
    assert [each.kind for each in find_alarms(SUSPENDED, {}, at=at)] == [AlarmKind.SUSPENSION_ENDS] * is_due


def test_an_area_with_fewer_active_providers_than_asked_is_due() -> None:
    places = {
        to_provider_id("Alder"): [a_held_place()],
        to_provider_id("Birch"): [a_held_place(state=PlaceState.MOBILISING), a_held_place(a_place(TENDRING))],
    }
    text = "Colchester has 1 active providers; at least 2 are asked"
    assert find_alarms(TWO_EACH, places, at=MONDAY_NINE) == (Alarm(AlarmKind.FEWEST_PROVIDERS, text, area=COLCHESTER),)


def test_exactly_as_many_as_asked_are_enough() -> None:
    places = {to_provider_id(name): [a_held_place()] for name in ("Alder", "Birch")}
    assert find_alarms(TWO_EACH, places, at=MONDAY_NINE) == ()


def test_an_area_outside_the_framework_needs_nobody() -> None:
    outside = Area(code=COLCHESTER, name="Colchester", fewest_providers=2, outside="not served")
    areas = (outside, Area(code=TENDRING, name="Tendring"))
    assert find_alarms(a_framework(areas=areas), {}, at=MONDAY_NINE) == ()
