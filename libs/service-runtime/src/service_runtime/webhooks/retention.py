"""Retention of webhooks' bodies: a finished delivery keeps its content for a limited time, its log for ever."""

import asyncio
from datetime import timedelta
from typing import Final

from sqlalchemy import text

from service_runtime.clock import Clock
from service_runtime.observability.logs import Logger
from service_runtime.postgres.database import Database

PAUSE: Final = 3_600.0
"""Seconds of real time between two passes."""
BATCH_SIZE: Final = 1_000

_LAST_OF_BATCH = text(
    """
    SELECT max(position) AS position FROM (
        SELECT position, queued_at FROM deliveries WHERE position > :after ORDER BY position LIMIT :size) AS batch
    WHERE queued_at < :before
    """
)
_ERASE = text(
    """
    UPDATE deliveries SET body = ''
    WHERE position > :after AND position <= :until AND queued_at < :before AND finished_at IS NOT NULL AND body <> ''
    """
)


class BodyEraser:
    """Erases the bodies of finished deliveries that were queued longer than `retention` ago, hour by hour.

    It walks the table in the order of queueing and keeps its position in memory. A delivery that was not finished as it
    passed keeps its body until the process starts again.
    """

    def __init__(self, database: Database, clock: Clock, retention: timedelta, *, log: Logger) -> None:
        self._database = database
        self._clock = clock
        self._retention = retention
        self._log = log
        self._position = 0

    async def run(self) -> None:
        """Erases until it is cancelled; an error of the database ends one pass only."""
        while True:
            try:
                await self.erase_due()
            except Exception as error:  # noqa: BLE001  the next pass continues where this one ended
                self._log.warning("old webhook bodies not erased", error=type(error).__name__)
            await asyncio.sleep(PAUSE)

    async def erase_due(self) -> int:
        """Erases what is due and returns the number of bodies."""
        before, erased = self._clock.now() - self._retention, 0
        while (until := await self._find_end_of_batch(before)) is not None:
            async with self._database.begin_transaction() as connection:
                erased += await connection.run_counted(
                    _ERASE, {"after": self._position, "until": until, "before": before}
                )
            self._position = until
        return erased

    async def _find_end_of_batch(self, before: object) -> int | None:
        arguments = {"after": self._position, "size": BATCH_SIZE, "before": before}
        return (await self._database.find(_LAST_OF_BATCH, arguments))[0].position
