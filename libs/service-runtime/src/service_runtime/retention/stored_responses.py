"""Retention of stored responses: an Idempotency-Key counts for a limited time, then its row is deleted.

A request that repeats an older key is a new request. The time begins when the first request was received.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text

from service_runtime.clock import Clock
from service_runtime.observability.logs import Logger
from service_runtime.postgres.database import Database

PAUSE: Final = 3_600.0
"""Seconds of real time between two passes."""
BATCH_SIZE: Final = 1_000
"""Rows that one statement deletes, so that no transaction is long."""

# Processes of one service that delete at the same time skip each other's rows.
_DELETE = text(
    """
    DELETE FROM idempotency_keys WHERE (caller, idempotency_key) IN (
        SELECT caller, idempotency_key FROM idempotency_keys WHERE received_at < :before
        ORDER BY received_at LIMIT :size FOR UPDATE SKIP LOCKED)
    """
)


class ResponseEraser:
    """Deletes stored responses that are older than `retention`, hour by hour.

    A clock that is ahead would delete responses that still count: while `explain_wrong_clock` returns a reason, nothing
    is deleted.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        retention: timedelta,
        *,
        explain_wrong_clock: Callable[[], str | None],
        log: Logger,
    ) -> None:
        self._database = database
        self._clock = clock
        self._retention = retention
        self._explain_wrong_clock = explain_wrong_clock
        self._log = log

    async def run(self) -> None:
        """Deletes until it is cancelled; an error of the database ends one pass only."""
        while True:
            try:
                await self.erase_expired()
            except Exception as error:  # noqa: BLE001  the next pass deletes what this one did not
                self._log.warning("old idempotency keys not deleted", error=type(error).__name__)
            await asyncio.sleep(PAUSE)

    async def erase_expired(self) -> int:
        """Deletes what has expired and returns the number of rows."""
        deleted, before = 0, self._clock.now() - self._retention
        while self._explain_wrong_clock() is None:
            batch = await self._delete_batch(before)
            deleted += batch
            if batch < BATCH_SIZE:
                break
        return deleted

    async def _delete_batch(self, before: datetime) -> int:
        async with self._database.begin_transaction() as connection:
            return await connection.run_counted(_DELETE, {"before": before, "size": BATCH_SIZE})
