"""Wake-ups: in-process signals after a commit, so that workers act before their next poll."""

import asyncio
from collections.abc import Callable
from datetime import datetime


class Wakeup:
    """A signal to one worker: `notify` ends its `wait`; several notifications count as one."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self.notify_peers: Callable[[], None] | None = None
        """Notifies the workers of other processes too; None if the worker of this process is enough."""

    def notify(self) -> None:
        self._event.set()
        if self.notify_peers is not None:
            self.notify_peers()

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
        self.notify_peers_due: Callable[[datetime], None] | None = None
        """Notifies the timer workers of other processes, in a process that has none."""

    def notify_due(self, due_at: datetime) -> None:
        """Wakes the worker if a timer was armed that is due before it would wake up by itself."""
        if self.notify_peers_due is not None:
            self.notify_peers_due(due_at)
        elif self.wakes_at is None or due_at < self.wakes_at:
            self.notify()


class Wakeups:
    """The workers of one process that a commit can notify."""

    def __init__(self) -> None:
        self.relay = Wakeup()
        self.timers = TimerWakeup()
        self.webhooks = Wakeup()
