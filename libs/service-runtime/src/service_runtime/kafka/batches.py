"""Batches: the tables that subscribe handlers to batches of records, and what a handler receives."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from service_runtime.dead_letters.unreadable_records import RejectedRecord
from service_runtime.kafka.client import KafkaRecord
from service_runtime.kafka.fetch_limits import BRIEFLY, Gathering
from service_runtime.kafka.records import UnreadableCause
from service_runtime.postgres.database import Connection

StoreT = TypeVar("StoreT")


@dataclass(frozen=True)
class Batch:
    """Records in the order of each partition, and the instant at which they are handled."""

    records: Sequence[KafkaRecord]
    at: datetime
    rejected: list[RejectedRecord] = field(default_factory=list[RejectedRecord])

    def reject(self, record: KafkaRecord, cause: UnreadableCause) -> None:
        """Makes `record` an unreadable record; it is stored in the transaction of the batch."""
        self.rejected.append(RejectedRecord(record, cause))


AfterCommit = Callable[[], None]
"""Called after the batch is committed, to notify a worker."""
RejectionHandler = Callable[[Connection, Sequence[RejectedRecord], datetime], Awaitable[None]]


@dataclass(frozen=True)
class BatchSubscription:
    """The topics of one batch consumer and the handler of its batches; `name` is part of the consumer group's id.

    `handle_rejected` is called for unreadable records in the transaction that stores them.
    """

    name: str
    topics: tuple[str, ...]
    handle: Callable[[Connection, Batch], Awaitable[AfterCommit | None]]
    gathering: Gathering = BRIEFLY
    handle_rejected: RejectionHandler | None = None


@dataclass(frozen=True)
class BatchHandlerEntry(Generic[StoreT]):
    """An entry of a `BATCH_SUBSCRIPTIONS` table: the topics, and the handler that stores each batch of them."""

    name: str
    topics: tuple[str, ...]
    handler: Callable[[Batch, StoreT], Awaitable[None]]
    gathering: Gathering = BRIEFLY
    rejection_handler: Callable[[Sequence[RejectedRecord], StoreT, datetime], Awaitable[None]] | None = None


def bind_batch_handlers(
    entries: Iterable[BatchHandlerEntry[StoreT]], build_store: Callable[[Connection], StoreT]
) -> tuple[BatchSubscription, ...]:
    """Binds each handler of a table to the store that `build_store` makes on a transaction's connection."""
    return tuple(
        BatchSubscription(
            entry.name,
            entry.topics,
            _bind_batch_handler(entry, build_store),
            entry.gathering,
            _bind_rejection_handler(entry, build_store),
        )
        for entry in entries
    )


def _bind_batch_handler(
    entry: BatchHandlerEntry[StoreT], build_store: Callable[[Connection], StoreT]
) -> Callable[[Connection, Batch], Awaitable[None]]:
    async def handle_batch(connection: Connection, batch: Batch) -> None:
        await entry.handler(batch, build_store(connection))

    return handle_batch


def _bind_rejection_handler(
    entry: BatchHandlerEntry[StoreT], build_store: Callable[[Connection], StoreT]
) -> RejectionHandler | None:
    if (handler := entry.rejection_handler) is None:
        return None

    async def handle_rejected(connection: Connection, rejected: Sequence[RejectedRecord], at: datetime) -> None:
        await handler(rejected, build_store(connection), at)

    return handle_rejected
