"""Wake-ups: in-process signals after a commit, so that workers act at once and not at their next poll."""

import asyncio
from typing import Final

POLL: Final = 0.2
"""Seconds: how long work that another process committed waits at most (DESIGN §2.6)."""


class Wakeup:
    """Signal of one worker: `notify` ends its `wait`; several notifications count as one."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def notify(self) -> None:
        self._event.set()

    async def wait(self, seconds: float) -> None:
        """Returns when notified, or after `seconds`."""
        # Not `wait_for`: Python 3.11's forgets a cancellation that comes in the instant of the wake-up.
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return
        finally:
            self._event.clear()


class Wakeups:
    """The workers of one process that a commit can notify."""

    def __init__(self) -> None:
        self.relay = Wakeup()
        self.timers = Wakeup()
        self.webhooks = Wakeup()
