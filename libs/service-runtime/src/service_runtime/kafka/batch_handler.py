"""Batch handler: handles a batch in one transaction; a record that makes it fail becomes an unreadable record.

A batch that fails other than by a transient error is handled again record by record. A record that fails alone three
times is stored as unreadable, and all others are handled.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from service_runtime.clock import Clock
from service_runtime.dead_letters.unreadable_records import RejectedRecord, UnreadableRecords
from service_runtime.kafka.batches import AfterCommit, Batch, BatchSubscription
from service_runtime.kafka.client import KafkaRecord
from service_runtime.kafka.records import UnreadableCause
from service_runtime.observability.logs import Logger
from service_runtime.postgres.database import Database
from service_runtime.postgres.errors import is_transient, sqlstate

MAX_ATTEMPTS: Final = 3
_CLASSES_OF_THE_DATABASE: Final = ("0A", "25", "28", "3D", "3F", "42", "55", "58", "XX")
"""SQLSTATE classes that do not depend on the values of a record: privileges, missing tables, read-only, internal."""


class BatchHandler:
    """Handles the batches of one subscription."""

    def __init__(
        self,
        subscription: BatchSubscription,
        *,
        database: Database,
        clock: Clock,
        unreadable: UnreadableRecords,
        log: Logger,
    ) -> None:
        self._subscription = subscription
        self._database = database
        self._clock = clock
        self._unreadable = unreadable
        self._log = log

    async def handle(self, records: Sequence[KafkaRecord]) -> None:
        """Handles each record or stores it as unreadable; raises an error that is not the fault of a record."""
        try:
            finish = await self._apply(records)
        except Exception as error:
            if not _may_be_caused_by_record(error):
                raise
            self._log.warning(
                "batch handled record by record", subscription=self._subscription.name, error=type(error).__name__
            )
            for record in records:
                (await self._apply_alone(record))()
        else:
            finish()

    async def _apply_alone(self, record: KafkaRecord) -> Callable[[], None]:
        for attempt in range(MAX_ATTEMPTS):
            await asyncio.sleep(0.05 * attempt)
            try:
                return await self._apply([record])
            except Exception as error:
                if not _may_be_caused_by_record(error):
                    raise
        return await self._apply([], [RejectedRecord(record, UnreadableCause.NOT_STORABLE)])

    async def _apply(
        self, records: Sequence[KafkaRecord], rejected: Sequence[RejectedRecord] = ()
    ) -> Callable[[], None]:
        """Handles records in one transaction; returns what is to be called after it."""
        at = self._clock.now()
        batch = Batch(records, at, list(rejected))
        async with self._database.begin_transaction() as connection:
            after_commit = await self._subscription.handle(connection, batch) if records else None
            new = await self._unreadable.add(connection, batch.rejected, at=at) if batch.rejected else []
            if new and self._subscription.handle_rejected is not None:
                await self._subscription.handle_rejected(connection, new, at)
        return lambda: self._finish(after_commit, new)

    def _finish(self, after_commit: AfterCommit | None, new: Sequence[RejectedRecord]) -> None:
        self._unreadable.report(new)
        if after_commit is not None:
            after_commit()


def _may_be_caused_by_record(error: Exception) -> bool:
    return not is_transient(error) and not (sqlstate(error) or "").startswith(_CLASSES_OF_THE_DATABASE)
