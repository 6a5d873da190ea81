"""Wake-ups: in-process signals after a commit, so that workers act before their next poll."""

import asyncio
from datetime import datetime


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


class TimerWakeup(Wakeup):
    """The signal to the timer worker, which knows when it wakes up by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.wakes_at: datetime | None = None
        """When the worker wakes up by itself; None while it works, as it may have read the timers already."""

    def notify_due(self, due_at: datetime) -> None:
        """Wakes the worker if a timer was armed that is due before it would wake up by itself."""
        if self.wakes_at is None or due_at < self.wakes_at:
            self.notify()


class Wakeups:
    """The workers of one process that a commit can notify."""

    def __init__(self) -> None:
        self.relay = Wakeup()
        self.timers = TimerWakeup()
        self.webhooks = Wakeup()
