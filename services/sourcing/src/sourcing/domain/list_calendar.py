"""When lists go out and when they are closed (DOMAIN, clocks)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from contracts.framework.list_times import IssueDays, ReturnDay, ReturnedBy
from sourcing.domain.calendar import SEARCHED_DAYS, BrokerageCalendar
from sourcing.domain.errors import NoOpeningInSight

ONE_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class ListDay:
    """The day and instant at which a list goes out; `moved_from` is its usual day, where that was a bank holiday."""

    day: date
    at: datetime
    moved_from: date | None = None


def find_cut_off_from(calendar: BrokerageCalendar, at_time: time, at: datetime) -> datetime:
    """Find the first cut-off from `at` on: the instant itself counts."""
    return next(each for each in _list_cut_offs(calendar, at_time, calendar.list_days_from(at)) if each >= at)


def find_cut_off_until(calendar: BrokerageCalendar, at_time: time, at: datetime) -> datetime:
    """Find the last cut-off until `at`: the instant itself counts."""
    today = calendar.get_local_day(at)
    days = (today - ahead * ONE_DAY for ahead in range(SEARCHED_DAYS + 1))
    return next(each for each in _list_cut_offs(calendar, at_time, days) if each <= at)


def _list_cut_offs(calendar: BrokerageCalendar, at_time: time, days: Iterator[date]) -> Iterator[datetime]:
    yield from (calendar.to_instant(day, at_time) for day in days if calendar.is_working_day(day))
    raise NoOpeningInSight(f"no list is cut off within {SEARCHED_DAYS} days; correct the calendar of the definition")


def find_return_by(calendar: BrokerageCalendar, returned_by: ReturnedBy, issued_at: datetime) -> datetime:
    """Find until when a list can be returned that goes out at `issued_at`: on the next working or calendar day."""
    day = calendar.get_local_day(issued_at) + ONE_DAY
    if returned_by.day is ReturnDay.NEXT_WORKING_DAY:
        day = _find_working_day_from(calendar, day)
    return calendar.to_instant(day, returned_by.time)


def find_list_day_from(calendar: BrokerageCalendar, issued: IssueDays, at: datetime) -> ListDay:
    """Find the first list of available packages that goes out at `at` or later.

    A list whose day is no working day goes out on the next one; two lists that meet are one.
    """
    # A list of an earlier day can have moved to today.
    first = calendar.get_local_day(at) - SEARCHED_DAYS * ONE_DAY
    weekdays = {weekday.number for weekday in issued.days}
    usual = (first + ahead * ONE_DAY for ahead in range(3 * SEARCHED_DAYS))
    for day in (day for day in usual if day.weekday() in weekdays):
        moved_to = _find_working_day_from(calendar, day)
        goes_out = calendar.to_instant(moved_to, issued.time)
        if goes_out >= at:
            return ListDay(moved_to, goes_out, moved_from=None if moved_to == day else day)
    raise NoOpeningInSight(f"no list goes out within {SEARCHED_DAYS} days; correct the calendar of the definition")


def find_list_day_until(calendar: BrokerageCalendar, issued: IssueDays, at: datetime) -> ListDay:
    """Find the last list of available packages that was due until `at`: the instant itself counts."""
    first = calendar.to_instant(calendar.get_local_day(at) - SEARCHED_DAYS * ONE_DAY, issued.time)
    found = find_list_day_from(calendar, issued, first)
    while (following := find_list_day_after(calendar, issued, found)).at <= at:
        found = following
    return found


def find_list_day_after(calendar: BrokerageCalendar, issued: IssueDays, before: ListDay) -> ListDay:
    """Find the list that goes out after another one."""
    return find_list_day_from(calendar, issued, before.at + timedelta(microseconds=1))


def _find_working_day_from(calendar: BrokerageCalendar, day: date) -> date:
    days = (day + ahead * ONE_DAY for ahead in range(SEARCHED_DAYS + 1))
    working = next((each for each in days if calendar.is_working_day(each)), None)
    if working is None:
        raise NoOpeningInSight(f"no working day within {SEARCHED_DAYS} days of {day.isoformat()}; correct the calendar")
    return working
