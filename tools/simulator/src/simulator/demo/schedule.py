"""A schedule of actions. Actions that are due at one instant run concurrently."""

import asyncio
import heapq
from collections.abc import Awaitable, Callable
from datetime import datetime
from itertools import count

from contracts.precedence import Precedence
from simulator.demo.days import round_up_to_quarter_hour
from simulator.simulated_clock.driver import ClockDriver

Action = Callable[[], Awaitable[None]]
_MAX_CONCURRENCY = 12


class DriverClock:
    """The driver's time, for participants that are created before the driver."""

    def __init__(self, begin: datetime) -> None:
        self._begin = begin
        self._driver: ClockDriver | None = None

    def follow(self, driver: ClockDriver) -> None:
        self._driver = driver

    def now(self) -> datetime:
        return self._driver.now if self._driver is not None else self._begin


class Schedule:
    """A participant of the simulation that runs scheduled actions."""

    def __init__(self, name: str, precedence: Precedence) -> None:
        self.name = name
        self.precedence = precedence
        self._entries: list[tuple[datetime, int, Action]] = []
        self._numbers = count()

    def add(self, at: datetime, work: Action) -> None:
        """Schedule an action for the first quarter of an hour at or after `at`."""
        heapq.heappush(self._entries, (round_up_to_quarter_hour(at), next(self._numbers), work))

    def get_next_due_at(self) -> datetime | None:
        return self._entries[0][0] if self._entries else None

    async def act(self, now: datetime) -> int:
        due: list[Action] = []
        while self._entries and self._entries[0][0] <= now:
            due.append(heapq.heappop(self._entries)[2])
        semaphore = asyncio.Semaphore(_MAX_CONCURRENCY)

        async def run_one(work: Action) -> None:
            async with semaphore:
                await work()

        await asyncio.gather(*[run_one(work) for work in due])
        return len(due)
