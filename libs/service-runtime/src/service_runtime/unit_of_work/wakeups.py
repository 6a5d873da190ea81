"""In-process wake-ups: after a commit, whoever has something to do is told at once, not by polling."""

import asyncio
from typing import Final

POLL: Final = 0.2
"""Seconds: how long work that another process committed waits at most (DESIGN §2.6)."""


class Wakeup:
    """One sleeper's alarm clock: `ring` wakes `wait`, any number of rings before it count as one."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def notify(self) -> None:
        self._rung.set()

    async def wait(self, seconds: float) -> None:
        """Returns when rung, or after `seconds`."""
        # Not `wait_for`: Python 3.11's forgets a cancellation that comes in the instant of the wake-up.
        try:
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        except TimeoutError:
            return
        finally:
            self._rung.clear()


class Wakeups:
    """The sleepers of one process that a commit can concern."""

    def __init__(self) -> None:
        self.relay = Wakeup()
        self.timers = Wakeup()
        self.webhooks = Wakeup()
