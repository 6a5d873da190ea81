"""Brokerage time, counted anew from the definition's own words: minute by minute rather than cleverly."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

_DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_FURTHEST = 40
"""Days in which an office that is ever open opens again."""


@dataclass(frozen=True)
class Calendar:
    zone: ZoneInfo
    opens: time
    closes: time
    weekdays: frozenset[int]
    closed: frozenset[date]
    open_all_the_same: frozenset[date]

    @classmethod
    def of(cls, brokerage: Mapping[str, Any]) -> "Calendar":
        overrides = brokerage.get("overrides", [])
        return cls(
            zone=ZoneInfo(brokerage["timezone"]),
            opens=time.fromisoformat(brokerage["opens"]),
            closes=time.fromisoformat(brokerage["closes"]),
            weekdays=frozenset(_DAYS.index(each) for each in brokerage["days"]),
            closed=frozenset(brokerage["bank_holidays"]) | {each["day"] for each in overrides if each["closed"]},
            open_all_the_same=frozenset(each["day"] for each in overrides if not each["closed"]),
        )

    def day_of(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def is_open(self, at: datetime) -> bool:
        hours = self._hours(self.day_of(at))
        return hours is not None and hours[0] <= at < hours[1]

    def after(self, start: datetime, minutes: int) -> datetime:
        """When so many minutes of open time have passed; the closing instant still belongs to its day."""
        left, day = timedelta(minutes=minutes), self.day_of(start)
        for _ in range(_FURTHEST):
            hours = self._hours(day)
            if hours is not None:
                begins = max(start, hours[0])
                if begins < hours[1] and hours[1] - begins >= left:
                    return begins + left
                left -= max(timedelta(0), hours[1] - begins)
            day += timedelta(days=1)
        message = f"the office does not open in {_FURTHEST} days from {start.isoformat()}"
        raise LookupError(message)

    def _hours(self, day: date) -> tuple[datetime, datetime] | None:
        works = day.weekday() in self.weekdays and (day not in self.closed or day in self.open_all_the_same)
        return (self._at(day, self.opens), self._at(day, self.closes)) if works else None

    def _at(self, day: date, wall: time) -> datetime:
        return datetime.combine(day, wall, self.zone).astimezone(UTC)
