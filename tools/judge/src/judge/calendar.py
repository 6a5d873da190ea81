"""Brokerage time, computed from the framework's definition."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_MAX_DAYS = 40
"""Limit of days until the next opening."""


@dataclass(frozen=True)
class BrokerageHours:
    zone: ZoneInfo
    opens: time
    closes: time
    weekdays: frozenset[int]
    closed: frozenset[date]
    exceptionally_open: frozenset[date]

    @classmethod
    def from_definition(cls, brokerage: Mapping[str, Any]) -> "BrokerageHours":
        overrides = brokerage.get("overrides", [])
        return cls(
            zone=ZoneInfo(brokerage["timezone"]),
            opens=time.fromisoformat(brokerage["opens"]),
            closes=time.fromisoformat(brokerage["closes"]),
            weekdays=frozenset(DAYS.index(each) for each in brokerage["days"]),
            closed=frozenset(brokerage["bank_holidays"]) | {each["day"] for each in overrides if each["closed"]},
            exceptionally_open=frozenset(each["day"] for each in overrides if not each["closed"]),
        )

    def add_overrides(self, overrides: Iterable[Mapping[str, Any]]) -> "BrokerageHours":
        """Return these hours with further days that are closed or open."""
        days = {each["day"]: each["closed"] for each in overrides}
        closed = frozenset(day for day, is_closed in days.items() if is_closed)
        return replace(
            self,
            closed=self.closed | closed,
            exceptionally_open=(self.exceptionally_open - closed) | (days.keys() - closed),
        )

    def get_day(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def is_working_day(self, day: date) -> bool:
        return day.weekday() in self.weekdays and (day not in self.closed or day in self.exceptionally_open)

    def find_working_day(self, day: date) -> date:
        """Return the first working day from `day` on."""
        for ahead in range(_MAX_DAYS):
            if self.is_working_day(day + timedelta(days=ahead)):
                return day + timedelta(days=ahead)
        message = f"the office does not open in {_MAX_DAYS} days from {day.isoformat()}"
        raise LookupError(message)

    def is_open(self, at: datetime) -> bool:
        hours = self._get_hours(self.get_day(at))
        return hours is not None and hours[0] <= at < hours[1]

    def add_open_minutes(self, start: datetime, minutes: int) -> datetime:
        """Return the instant after `minutes` of open time; the closing instant still belongs to its day."""
        left, day = timedelta(minutes=minutes), self.get_day(start)
        for _ in range(_MAX_DAYS):
            hours = self._get_hours(day)
            if hours is not None:
                begins = max(start, hours[0])
                if begins < hours[1] and hours[1] - begins >= left:
                    return begins + left
                left -= max(timedelta(0), hours[1] - begins)
            day += timedelta(days=1)
        message = f"the office does not open in {_MAX_DAYS} days from {start.isoformat()}"
        raise LookupError(message)

    def _get_hours(self, day: date) -> tuple[datetime, datetime] | None:
        if not self.is_working_day(day):
            return None
        return self.to_instant(day, self.opens), self.to_instant(day, self.closes)

    def to_instant(self, day: date, wall_time: time) -> datetime:
        return datetime.combine(day, wall_time, self.zone).astimezone(UTC)
