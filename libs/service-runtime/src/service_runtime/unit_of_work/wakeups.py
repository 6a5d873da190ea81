"""Wake-ups: in-process signals after a commit, so that workers act before their next poll."""

import asyncio
from typing import Final

POLL: Final = 0.2
"""Seconds: the longest that work committed by another process waits."""


class Wakeup:
    """A signal to one worker: `notify` ends its `wait`; several notifications count as one."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def notify(self) -> None:
        self._event.set()

    async def wait(self, seconds: float) -> None:
        """Returns when notified, or after `seconds`."""
        # Not `wait_for`: in Python 3.11 it drops a cancellation that coincides with the notification.
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
