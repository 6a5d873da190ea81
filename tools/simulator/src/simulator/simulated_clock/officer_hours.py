"""The officer at the telephone on a simulated clock: looks at the work list every quarter of an hour of the day."""

from collections.abc import Awaitable, Callable
from datetime import datetime, time, timedelta
from typing import Final

from contracts.office_time import LONDON
from service_runtime.timers.timers import Precedence

OPENS: Final = time(8, 30)
CLOSES: Final = time(17, 0)
EVERY: Final = timedelta(minutes=15)


class OfficerAtWork:
    """A participant; `make_calls` works through the list as it stands and says how many calls it made."""

    name = "officer"
    precedence = Precedence.ANSWER

    def __init__(self, make_calls: Callable[[], Awaitable[int]], *, begins: datetime) -> None:
        self._make_calls = make_calls
        self._wakes = _next_look(begins)

    def next_wake(self) -> datetime | None:
        return self._wakes

    async def act(self, now: datetime) -> int:
        self._wakes = _next_look(now)
        return await self._make_calls()


def _next_look(after: datetime) -> datetime:
    """The first quarter of an hour after `after` between opening and closing, Monday to Friday."""
    at = after.astimezone(LONDON)
    at = at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0) + EVERY
    if at.time() >= CLOSES:
        at = datetime.combine(at.date() + timedelta(days=1), OPENS, LONDON)
    if at.time() < OPENS:
        at = datetime.combine(at.date(), OPENS, LONDON)
    while at.weekday() > 4:
        at = datetime.combine(at.date() + timedelta(days=1), OPENS, LONDON)
    return at
