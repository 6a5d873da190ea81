"""The simulated days and the instants of acts: few and round ones, so that the clock takes few steps."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Final

from contracts.office_time import LONDON
from devstack.councils import DEFAULT_COUNCIL
from simulator.definitions import load_definition

QUARTER: Final = timedelta(minutes=15)
FIRST_DAY: Final = date(2027, 3, 24)
"""The Wednesday before Easter 2027: Good Friday, summer time on Easter Sunday, and Easter Monday are in one week.

In 2026 summer time begins a week before Easter, so that a week with both would take two.
"""
_SATURDAY: Final = 5
_DAY_OFF_WEIGHT: Final = 0.15
"""Referrals posted on Saturdays, Sundays and bank holidays, as a share of a working day."""
_SENDING_HOURS: Final = (time(8, 0), time(17, 30))
"""The hours in which the council's system posts referrals."""


@dataclass(frozen=True)
class Days:
    """Consecutive days, from the morning of the first to the evening of the last."""

    count: int

    @property
    def begin(self) -> datetime:
        return to_instant(FIRST_DAY, time(7, 30))

    @property
    def end(self) -> datetime:
        return to_instant(self.last, time(18, 0))

    @property
    def last(self) -> date:
        return FIRST_DAY + timedelta(days=self.count - 1)

    def list_dates(self) -> Iterator[date]:
        return (FIRST_DAY + timedelta(days=number) for number in range(self.count))

    def draw_posting_time(self, chance: Random) -> datetime:
        """Draw the time of a referral: mostly on working days, on the last day in the morning only."""
        days = list(self.list_dates())
        day = chance.choices(days, [self._get_weight(each) for each in days])[0]
        opens, closes = to_instant(day, _SENDING_HOURS[0]), to_instant(day, _SENDING_HOURS[1])
        if day == self.last:
            closes = to_instant(day, time(12, 0))
        return opens + QUARTER * chance.randrange((closes - opens) // QUARTER)

    def _get_weight(self, day: date) -> float:
        usual = 1.0 if is_working_day(day) else _DAY_OFF_WEIGHT
        return usual * (0.5 if day == self.last and self.count > 1 else 1.0)

    def generate_instants(self, first: time, last: time, *, interval: timedelta) -> Iterator[datetime]:
        """Generate instants on working days, from `first` to `last` of each day."""
        for day in self.list_dates():
            if is_working_day(day):
                now, until = to_instant(day, first), to_instant(day, last)
                while now <= until:
                    yield now
                    now += interval


def is_working_day(day: date) -> bool:
    """Return whether officers work: not on weekends and bank holidays, which the councils have in common."""
    return day.weekday() < _SATURDAY and day not in load_definition(DEFAULT_COUNCIL).brokerage.bank_holidays


def to_instant(day: date, wall_time: time) -> datetime:
    """Convert a date and a wall time in London to an instant."""
    return datetime.combine(day, wall_time, LONDON).astimezone(UTC)


def round_up_to_quarter_hour(instant: datetime) -> datetime:
    """Return the first quarter of an hour at or after `instant`."""
    remainder = (instant - datetime(2026, 1, 1, tzinfo=UTC)) % QUARTER
    return instant if not remainder else instant + QUARTER - remainder
