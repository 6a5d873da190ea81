"""The officer on a simulated clock, who processes the work list every quarter of an hour of the working day."""

from collections.abc import Awaitable, Callable
from datetime import datetime, time, timedelta
from typing import Final

from contracts.office_time import LONDON
from contracts.precedence import Precedence

OPENS: Final = time(8, 30)
CLOSES: Final = time(17, 0)
INTERVAL: Final = timedelta(minutes=15)


class ScheduledOfficer:
    """A participant that calls `process_work_list`, which returns the number of items done."""

    precedence = Precedence.ANSWER

    def __init__(self, process_work_list: Callable[[], Awaitable[int]], *, start: datetime, council: str = "") -> None:
        self.name = f"officer {council}".strip()
        self._process_work_list = process_work_list
        self._next_due_at = _find_next_instant(start)

    def get_next_due_at(self) -> datetime | None:
        return self._next_due_at

    async def act(self, now: datetime) -> int:
        self._next_due_at = _find_next_instant(now)
        return await self._process_work_list()


def _find_next_instant(after: datetime) -> datetime:
    """Return the first quarter of an hour after `after` in office hours, Monday to Friday."""
    at = after.astimezone(LONDON)
    at = at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0) + INTERVAL
    if at.time() >= CLOSES:
        at = datetime.combine(at.date() + timedelta(days=1), OPENS, LONDON)
    if at.time() < OPENS:
        at = datetime.combine(at.date(), OPENS, LONDON)
    while at.weekday() > 4:
        at = datetime.combine(at.date() + timedelta(days=1), OPENS, LONDON)
    return at
