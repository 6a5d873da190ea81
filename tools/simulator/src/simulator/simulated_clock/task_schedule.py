"""Tasks of a simulated person or system that pause until an instant of the simulated clock."""

import asyncio
import heapq
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from itertools import count

from contracts.precedence import Precedence
from service_runtime.clock import Clock
from simulator.simulated_clock.participants import round_up_to_minute


class TaskSchedule:
    """A participant that consists of tasks, which run and pause until a whole minute of the clock."""

    def __init__(self, name: str, clock: Clock, *, precedence: Precedence = Precedence.ANSWER) -> None:
        self.name = name
        self.precedence = precedence
        self._clock = clock
        self._entries: list[tuple[datetime, int, asyncio.Event]] = []
        self._numbers = count()
        self._idle = asyncio.Event()
        self._idle.set()
        self.running_tasks = 0
        """Number of tasks that are running, not paused."""

    @asynccontextmanager
    async def track_task(self) -> AsyncGenerator[None]:
        """Track a task; the context encloses everything the task does, including its pauses."""
        self._start_task()
        try:
            yield
        finally:
            self._end_task()

    async def pause(self, length: timedelta) -> None:
        """Pause until the first whole minute that is at least `length` from now."""
        await self.pause_until(self._clock.now() + length)

    async def pause_until(self, at: datetime) -> None:
        """Pause until the first whole minute at or after `at`."""
        wakeup = asyncio.Event()
        entry = (round_up_to_minute(at), next(self._numbers), wakeup)
        heapq.heappush(self._entries, entry)
        self._end_task()
        try:
            await wakeup.wait()
        except asyncio.CancelledError:
            if not wakeup.is_set():
                self._entries.remove(entry)
                heapq.heapify(self._entries)
                self._start_task()  # `track_task` ends it
            raise

    def get_next_due_at(self) -> datetime | None:
        return self._entries[0][0] if self._entries else None

    async def act(self, now: datetime) -> int:
        """Resume the due tasks one after the other, each when the one before has ended or paused again."""
        acts = 0
        while self._entries and self._entries[0][0] <= now:
            _, _, wakeup = heapq.heappop(self._entries)
            self._start_task()
            wakeup.set()
            await self._idle.wait()
            acts += 1
        return acts

    def _start_task(self) -> None:
        self.running_tasks += 1
        self._idle.clear()

    def _end_task(self) -> None:
        self.running_tasks -= 1
        if not self.running_tasks:
            self._idle.set()
