"""Notifications between the processes of one service: what one has committed wakes the workers of the others.

PostgreSQL carries them (NOTIFY). Workers look at their tables when they are woken, and poll them anyway, so a
notification that is lost costs no more than the time until the next poll. A process ignores its own notifications.
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from service_runtime.observability.logs import Logger
from service_runtime.postgres.availability import check_primary
from service_runtime.postgres.database import Database

CHANNEL: Final = "calloff_work"
RELAY: Final = "relay"
"""The outbox has rows that the process with the relay's lock has not been handed."""
TIMERS: Final = "timers"
"""A timer was armed that is due soon."""
WEBHOOKS: Final = "webhooks"
"""A delivery was queued that waits to be claimed; the text is its owner."""
SOON: Final = timedelta(seconds=1)
"""A later timer is found by the timer worker's next reading."""
RESTART_PAUSE: Final = 0.5
"""Seconds before an interrupted listener connects again."""
CHECK_EVERY: Final = 2.0
"""Seconds between two checks of an idle connection."""

_NOTIFY: Final = "SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload"


class PeerNotifier:
    """Notifies the other processes. Notifications that come while one statement runs leave with the next."""

    def __init__(self, database: Database, *, log: Logger) -> None:
        self.process = secrets.token_hex(4)
        """Identifies this process in notifications."""
        self._database = database
        self._log = log
        self._waiting: dict[str, None] = {}
        self._sending: asyncio.Task[None] | None = None

    def notify(self, worker: str, about: str = "") -> None:
        """Notifies the `worker` of every other process; never blocks, never raises."""
        self._waiting[f"{self.process} {worker} {about}"] = None
        if self._sending is None:
            self._sending = asyncio.create_task(self._send())

    async def _send(self) -> None:
        try:
            while self._waiting:
                payloads, self._waiting = list(self._waiting), {}
                await self._database.fetch(_NOTIFY, CHANNEL, payloads)
        except Exception as error:  # noqa: BLE001  the other processes poll
            self._waiting.clear()
            self._log.warning("other processes not notified", error=type(error).__name__)
        finally:
            self._sending = None

    async def finish(self) -> None:
        """Waits until nothing is being sent; call it before the database is closed."""
        while self._sending is not None:
            await asyncio.wait({self._sending})


class PeerListener:
    """Passes notifications of other processes to the workers of this one, until it is cancelled."""

    def __init__(
        self, database: Database, process: str, handlers: Mapping[str, Callable[[str], None]], *, log: Logger
    ) -> None:
        """`process` identifies this process; `handlers` are called with the text of a notification, by worker."""
        self._database = database
        self._process = process
        self._handlers = handlers
        self._log = log
        self.is_listening = False

    async def run(self) -> None:
        """Runs until it is cancelled; connects again after any error."""
        while True:
            try:
                async with self._database.open_unpooled_connection() as connection:
                    await connection.listen(CHANNEL, self._receive)
                    self.is_listening = True
                    while True:
                        await asyncio.sleep(CHECK_EVERY)
                        await check_primary(connection)  # a standby sends no notifications
            except Exception as error:  # noqa: BLE001  the workers poll until the connection is back
                self._log.warning("not listening to other processes", error=type(error).__name__)
                await asyncio.sleep(RESTART_PAUSE)
            finally:
                self.is_listening = False

    def _receive(self, payload: str) -> None:
        process, _, rest = payload.partition(" ")
        worker, _, about = rest.partition(" ")
        handle = self._handlers.get(worker)
        if process != self._process and handle is not None:
            handle(about)
