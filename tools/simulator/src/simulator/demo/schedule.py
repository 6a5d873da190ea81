"""What somebody still means to do, and when: all that falls on one instant is done side by side."""

import asyncio
import heapq
from collections.abc import Awaitable, Callable
from datetime import datetime
from itertools import count

from service_runtime.timers.timers import Precedence
from simulator.demo.days import on_the_quarter
from simulator.simulated_clock.driver import Driver

Work = Callable[[], Awaitable[None]]
_SIDE_BY_SIDE = 12


class PlayClock:
    """The driver's time, for people who were there before the driver."""

    def __init__(self, begin: datetime) -> None:
        self._begin = begin
        self._driver: Driver | None = None

    def follow(self, driver: Driver) -> None:
        self._driver = driver

    def now(self) -> datetime:
        return self._driver.now if self._driver is not None else self._begin


class Diary:
    """A participant of the simulation: whoever has something to do later, notes it here."""

    def __init__(self, name: str, precedence: Precedence) -> None:
        self.name = name
        self.precedence = precedence
        self._entries: list[tuple[datetime, int, Work]] = []
        self._numbers = count()

    def note(self, at: datetime, work: Work) -> None:
        """To be done at the first round instant from `at` on."""
        heapq.heappush(self._entries, (on_the_quarter(at), next(self._numbers), work))

    def next_wake(self) -> datetime | None:
        return self._entries[0][0] if self._entries else None

    async def act(self, now: datetime) -> int:
        due: list[Work] = []
        while self._entries and self._entries[0][0] <= now:
            due.append(heapq.heappop(self._entries)[2])
        room = asyncio.Semaphore(_SIDE_BY_SIDE)

        async def one(work: Work) -> None:
            async with room:
                await work()

        await asyncio.gather(*[one(work) for work in due])
        return len(due)
