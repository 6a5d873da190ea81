"""Brokerage time, case by case: hours, weekends, bank holidays, overrides, both changes of the clock."""

from datetime import UTC, date, datetime, timedelta

import pytest

from contracts.errors import CallOffError
from contracts.framework.brokerage import BankHolidayOverride, BrokerageTime
from contracts.values import Weekday
from sourcing.domain.calendar import BrokerageCalendar
from sourcing.domain.errors import NoOpeningInSight
from testkit.sourcing.builders import LONDON
from testkit.sourcing.definitions import a_brokerage_time

CALENDAR = BrokerageCalendar(a_brokerage_time())


def parse_local(text: str) -> datetime:
    """`2026-01-12 09:15` on the clock in London, as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=LONDON).astimezone(UTC)


@pytest.mark.parametrize(
    ("instant", "is_open"),
    [
        pytest.param("2026-01-12 08:29:59.999999", False, id="a moment before opening"),
        pytest.param("2026-01-12 08:30", True, id="opening time is open"),
        pytest.param("2026-01-12 16:59:59.999999", True, id="a moment before closing"),
        pytest.param("2026-01-12 17:00", False, id="closing time is closed"),
        pytest.param("2026-01-17 12:00", False, id="Saturday"),
        pytest.param("2026-01-18 12:00", False, id="Sunday"),
        pytest.param("2026-04-03 12:00", False, id="Good Friday"),
        pytest.param("2026-07-06 08:30", True, id="opening time in summer"),
        pytest.param("2026-07-06 08:29", False, id="before opening in summer"),
    ],
)
def test_the_brokerage_is_open_in_its_hours_only(instant: str, is_open: bool) -> None:
    assert CALENDAR.is_open(parse_local(instant)) is is_open


@pytest.mark.parametrize(
    ("instant", "opening"),
    [
        pytest.param("2026-01-12 12:00", "2026-01-12 12:00", id="open already"),
        pytest.param("2026-01-12 07:00", "2026-01-12 08:30", id="early in the morning"),
        pytest.param("2026-01-12 17:00", "2026-01-13 08:30", id="at closing time"),
        pytest.param("2026-01-16 17:30", "2026-01-19 08:30", id="Friday evening"),
        pytest.param("2026-04-02 17:00", "2026-04-07 08:30", id="over Easter"),
        pytest.param("2026-03-27 17:00", "2026-03-30 08:30", id="over the change to summer time"),
        pytest.param("2026-10-23 17:00", "2026-10-26 08:30", id="over the change to winter time"),
    ],
)
def test_the_next_opening_is_now_or_the_next_working_morning(instant: str, opening: str) -> None:
    assert CALENDAR.find_opening_from(parse_local(instant)) == parse_local(opening)


@pytest.mark.parametrize(
    ("start", "minutes", "end"),
    [
        pytest.param("2026-01-12 09:00", 30, "2026-01-12 09:30", id="within a day"),
        pytest.param("2026-01-12 16:30", 30, "2026-01-12 17:00", id="up to closing time is that day"),
        pytest.param("2026-01-12 16:45", 30, "2026-01-13 08:45", id="the rest counts from the next opening"),
        pytest.param("2026-01-12 16:59:59", 15, "2026-01-13 08:44:59", id="one second before closing"),
        pytest.param("2026-01-12 07:00", 15, "2026-01-12 08:45", id="before opening begins at the opening"),
        pytest.param("2026-01-12 17:00", 15, "2026-01-13 08:45", id="at closing begins at the next opening"),
        pytest.param("2026-01-17 10:00", 30, "2026-01-19 09:00", id="on a Saturday begins on Monday"),
        pytest.param("2026-04-02 16:50", 30, "2026-04-07 08:50", id="over Easter"),
        pytest.param("2026-01-12 09:00", 8 * 60 + 30, "2026-01-13 09:00", id="a whole working day"),
        pytest.param("2026-01-12 08:30", 2 * 510, "2026-01-13 17:00", id="two whole working days"),
        pytest.param("2026-03-27 16:45", 30, "2026-03-30 08:45", id="over the change to summer time"),
        pytest.param("2026-10-23 16:45", 30, "2026-10-26 08:45", id="over the change to winter time"),
    ],
)
def test_deadlines_count_open_time_only(start: str, minutes: int, end: str) -> None:
    assert CALENDAR.add_open_time(parse_local(start), timedelta(minutes=minutes)) == parse_local(end)


def test_the_hour_that_october_repeats_counts_where_the_brokerage_works_through_it() -> None:
    nights = BrokerageCalendar(
        BrokerageTime(opens=datetime.min.time(), days=tuple(Weekday), bank_holidays=())
    )  # 00:00 to 17:00
    assert nights.add_open_time(parse_local("2026-10-25 00:00"), timedelta(hours=4)) == parse_local("2026-10-25 03:00")
    assert nights.add_open_time(parse_local("2026-03-29 00:00"), timedelta(hours=4)) == parse_local("2026-03-29 05:00")


def test_instants_come_out_in_utc_whatever_they_came_in() -> None:
    start = datetime(2026, 7, 6, 9, 0, tzinfo=LONDON)
    assert CALENDAR.find_opening_from(start).tzinfo is UTC
    assert CALENDAR.add_open_time(start, timedelta(minutes=30)) == datetime(2026, 7, 6, 8, 30, tzinfo=UTC)
    assert CALENDAR.add_open_time(start, timedelta(minutes=30)).tzinfo is UTC


def test_the_first_opening_after_an_opening_is_the_next_days() -> None:
    assert CALENDAR.find_opening_after(parse_local("2026-01-12 08:30")) == parse_local("2026-01-13 08:30")
    assert CALENDAR.find_opening_after(parse_local("2026-01-12 08:29")) == parse_local("2026-01-12 08:30")


def test_an_override_closes_a_day_and_opens_a_bank_holiday_but_no_weekend() -> None:
    calendar = BrokerageCalendar(
        BrokerageTime(
            bank_holidays=(date(2026, 4, 3),),
            overrides=(
                BankHolidayOverride(day=date(2026, 1, 12), closed=True, name="Invented day of mourning"),
                BankHolidayOverride(day=date(2026, 4, 3), closed=False, name="Worked by agreement"),
                BankHolidayOverride(day=date(2026, 1, 17), closed=False, name="A Saturday is no bank holiday"),
            ),
        )
    )
    assert not calendar.is_open(parse_local("2026-01-12 12:00"))
    assert calendar.is_open(parse_local("2026-04-03 12:00"))
    assert not calendar.is_open(parse_local("2026-01-17 12:00"))


def test_a_calendar_that_never_opens_says_so() -> None:
    month = tuple(date(2026, 1, 12) + timedelta(days=day) for day in range(31))
    calendar = BrokerageCalendar(BrokerageTime(bank_holidays=month))
    with pytest.raises(NoOpeningInSight, match="does not open within 30 days of 2026-01-12") as refused:
        calendar.find_opening_from(parse_local("2026-01-12 09:00"))
    assert isinstance(refused.value, CallOffError)
