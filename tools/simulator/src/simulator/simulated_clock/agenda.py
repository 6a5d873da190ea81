"""What one simulated person or system has still to do, and when: whoever pauses goes on when the clock comes to it."""

import asyncio
import heapq
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from itertools import count

from service_runtime.clock import Clock
from service_runtime.timers.timers import Precedence
from simulator.simulated_clock.participants import whole_minute


class Agenda:
    """A participant made of tasks that work for a while and pause until a whole minute of the clock."""

    def __init__(self, name: str, clock: Clock, *, precedence: Precedence = Precedence.ANSWER) -> None:
        self.name = name
        self.precedence = precedence
        self._clock = clock
        self._entries: list[tuple[datetime, int, asyncio.Event]] = []
        self._numbers = count()
        self._resting = asyncio.Event()
        self._resting.set()
        self.working = 0
        """Tasks that do something just now."""

    @asynccontextmanager
    async def work(self) -> AsyncGenerator[None]:
        """Around everything that a task does, pauses included."""
        self._begin()
        try:
            yield
        finally:
            self._end()

    async def pause(self, length: timedelta) -> None:
        """Until the first whole minute that is at least `length` from now."""
        await self.until(self._clock.now() + length)

    async def until(self, at: datetime) -> None:
        """Until the first whole minute that is not before `at`."""
        called = asyncio.Event()
        entry = (whole_minute(at), next(self._numbers), called)
        heapq.heappush(self._entries, entry)
        self._end()
        try:
            await called.wait()
        except asyncio.CancelledError:
            if not called.is_set():
                self._entries.remove(entry)
                heapq.heapify(self._entries)
                self._begin()  # what `work` ends
            raise

    def next_wake(self) -> datetime | None:
        return self._entries[0][0] if self._entries else None

    async def act(self, now: datetime) -> int:
        """Calls those whose time has come, one after the other, each when the one before has ended or paused again."""
        acts = 0
        while self._entries and self._entries[0][0] <= now:
            _, _, called = heapq.heappop(self._entries)
            self._begin()
            called.set()
            await self._resting.wait()
            acts += 1
        return acts

    def _begin(self) -> None:
        self.working += 1
        self._resting.clear()

    def _end(self) -> None:
        self.working -= 1
        if not self.working:
            self._resting.set()
