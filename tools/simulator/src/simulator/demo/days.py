"""Which days are played, and at which instants people act in them: few and round ones, so that there are few steps."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Final

from contracts.office_time import LONDON

QUARTER: Final = timedelta(minutes=15)
FIRST_DAY: Final = date(2026, 3, 26)
"""A Thursday; the weekend that follows loses an hour to summer time."""
WEEKEND: Final = 5
_BUSY: Final = {5: 0.2, 6: 0.1}
"""How busy the council is on Saturdays and Sundays, as a share of a working day."""
_DESKS: Final = (time(8, 0), time(17, 30))
"""When the council's systems send most of what they send."""


@dataclass(frozen=True)
class Days:
    """Some days in a row, from the morning of the first to the evening of the last."""

    count: int

    @property
    def begin(self) -> datetime:
        return at(FIRST_DAY, time(7, 30))

    @property
    def end(self) -> datetime:
        return at(self.last, time(18, 0))

    @property
    def last(self) -> date:
        return FIRST_DAY + timedelta(days=self.count - 1)

    def all(self) -> Iterator[date]:
        return (FIRST_DAY + timedelta(days=number) for number in range(self.count))

    def a_moment(self, chance: Random) -> datetime:
        """When somebody posts something: mostly on working days, on the last one in the morning only."""
        days = list(self.all())
        day = chance.choices(days, [self._busyness(each) for each in days])[0]
        opens, closes = at(day, _DESKS[0]), at(day, _DESKS[1])
        if day == self.last:
            closes = at(day, time(12, 0))
        return opens + QUARTER * chance.randrange((closes - opens) // QUARTER)

    def _busyness(self, day: date) -> float:
        return _BUSY.get(day.weekday(), 1.0) * (0.5 if day == self.last and self.count > 1 else 1.0)

    def rounds(self, first: time, last: time, *, every: timedelta) -> Iterator[datetime]:
        """Instants of working days, from `first` to `last` of each."""
        for day in self.all():
            if day.weekday() < WEEKEND:
                now, until = at(day, first), at(day, last)
                while now <= until:
                    yield now
                    now += every


def at(day: date, wall: time) -> datetime:
    """The instant at which the clock on the office's wall shows this."""
    return datetime.combine(day, wall, LONDON).astimezone(UTC)


def on_the_quarter(instant: datetime) -> datetime:
    """The first instant from `instant` on that is a quarter of an hour."""
    beyond = (instant - datetime(2026, 1, 1, tzinfo=UTC)) % QUARTER
    return instant if not beyond else instant + QUARTER - beyond
