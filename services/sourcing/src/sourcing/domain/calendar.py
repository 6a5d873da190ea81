"""Brokerage time: the council officers' working hours, in which deadlines are counted."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from contracts.bank_holidays import MAX_CLOSED_DAYS
from contracts.framework.brokerage import BrokerageTime
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.durations import DAY
from sourcing.domain.errors import NoOpeningInSight

SEARCHED_DAYS: Final = MAX_CLOSED_DAYS
"""Days ahead in which the brokerage must open; no definition with a longer closure is published."""


def add_proclaimed_holidays(pinned: FrameworkDefinition, newest: FrameworkDefinition) -> FrameworkDefinition:
    """Return the pinned definition with the bank holidays that `newest` says were proclaimed since.

    Everything else of `pinned` stays. A proclaimed day takes precedence over what was pinned for it.
    """
    known = set(pinned.brokerage.overrides)
    proclaimed = [each for each in newest.brokerage.overrides if each.proclaimed_on is not None and each not in known]
    if not proclaimed or newest.version <= pinned.version:
        return pinned
    days = {each.day for each in proclaimed}
    kept = [each for each in pinned.brokerage.overrides if each.day not in days]
    brokerage = pinned.brokerage.model_copy(update={"overrides": (*proclaimed, *kept)})
    return pinned.model_copy(update={"brokerage": brokerage})


@dataclass(frozen=True)
class BrokerageCalendar:
    """The working hours of one framework's brokerage. Takes aware instants and returns UTC."""

    rules: BrokerageTime

    def is_open(self, at: datetime) -> bool:
        """Return whether the brokerage is open: the opening instant counts as open, the closing instant as closed."""
        day = self.get_local_day(at)
        return self.is_working_day(day) and self._get_opening(day) <= at < self._get_closing(day)

    def find_opening_from(self, at: datetime) -> datetime:
        """Find the first open instant from `at` on; `at` itself while the brokerage is open."""
        return at.astimezone(UTC) if self.is_open(at) else self.find_opening_after(at)

    def find_opening_after(self, at: datetime) -> datetime:
        """Find the first opening later than `at`. Raises NoOpeningInSight."""
        openings = (self._get_opening(day) for day in self.list_days_from(at) if self.is_working_day(day))
        opening = next((opening for opening in openings if opening > at), None)
        if opening is None:
            raise NoOpeningInSight(
                f"the brokerage does not open within {SEARCHED_DAYS} days of {self.get_local_day(at).isoformat()}; "
                "correct the days, bank holidays and overrides of the framework's definition"
            )
        return opening

    def add_open_time(self, start: datetime, length: timedelta) -> datetime:
        """Return the instant when `length` of open time has passed since `start`: 16:30 plus 30 minutes is 17:00."""
        begins, left = self.find_opening_from(start), length
        while (rest_of_day := self._get_closing(self.get_local_day(begins)) - begins) < left:
            begins, left = self.find_opening_after(begins), left - rest_of_day
        return begins + left

    def add_length(self, start: datetime, length: timedelta) -> datetime:
        """Return the instant when a length of brokerage time has passed: hours, or whole working days."""
        return self.add_open_time(start, self.to_open_time(length))

    def to_open_time(self, length: timedelta) -> timedelta:
        """Return a length as open time: a whole day is as long as the brokerage is open on a working day."""
        if length < DAY:
            return length
        opens, closes = (datetime.combine(date.min, each) for each in (self.rules.opens, self.rules.closes))
        return length // DAY * (closes - opens)

    def measure_open_time(self, start: datetime, end: datetime) -> timedelta:
        """Measure the open time between two instants; zero unless `end` is after `start`."""
        days = (start + timedelta(days=ahead) for ahead in range(max(0, (end - start).days) + 2))
        working = {day for at in days if self.is_working_day(day := self.get_local_day(at))}
        spans = (min(end, self._get_closing(day)) - max(start, self._get_opening(day)) for day in working)
        return sum((max(span, timedelta(0)) for span in spans), timedelta(0))

    def list_days_from(self, at: datetime) -> Iterator[date]:
        first = self.get_local_day(at)
        return (first + timedelta(days=ahead) for ahead in range(SEARCHED_DAYS + 1))

    def is_working_day(self, day: date) -> bool:
        return day.weekday() in {weekday.number for weekday in self.rules.days} and not self._is_bank_holiday(day)

    def _is_bank_holiday(self, day: date) -> bool:
        override = next((override for override in self.rules.overrides if override.day == day), None)
        return override.closed if override else day in self.rules.bank_holidays

    def get_local_day(self, at: datetime) -> date:
        return at.astimezone(ZoneInfo(self.rules.timezone)).date()

    def _get_opening(self, day: date) -> datetime:
        return self.to_instant(day, self.rules.opens)

    def _get_closing(self, day: date) -> datetime:
        return self.to_instant(day, self.rules.closes)

    def to_instant(self, day: date, wall_time: time) -> datetime:
        return datetime.combine(day, wall_time, ZoneInfo(self.rules.timezone)).astimezone(UTC)
