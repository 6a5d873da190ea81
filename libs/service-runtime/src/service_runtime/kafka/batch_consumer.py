"""Batch consumer: consumes whole topics, each batch in one transaction; offsets are committed after it.

Unlike the event consumer it has no inbox and parks nothing: its handlers must accept any record, and accept it twice.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, TypeVar

from service_runtime.clock import Clock
from service_runtime.kafka.client import (
    Consumer,
    KafkaRecord,
    Partition,
    RebalanceListener,
    get_committed_offsets,
    get_end_offsets,
)
from service_runtime.observability.logs import Logger
from service_runtime.observability.messaging import KafkaMessage, record_receive_spans
from service_runtime.postgres.database import Connection, Database

KeeperT = TypeVar("KeeperT")

MAX_RECORDS: Final = 500
"""In a batch: what reading them takes, the rest of the process waits for."""


@dataclass(frozen=True)
class Batch:
    """Records as they came, in order within each partition, and the instant at which they are taken in."""

    records: Sequence[KafkaRecord]
    at: datetime


AfterCommit = Callable[[], None]
"""What is to be done once the batch is committed: wake somebody."""


@dataclass(frozen=True)
class BatchSubscription:
    """Which topics are taken in, and by whom; the consumer group has the feed's name."""

    name: str
    topics: tuple[str, ...]
    handle: Callable[[Connection, Batch], Awaitable[AfterCommit | None]]


@dataclass(frozen=True)
class BatchHandlerEntry(Generic[KeeperT]):
    """A line of a `FEEDS` table: the topics, and the handler that has each batch of them kept."""

    name: str
    topics: tuple[str, ...]
    handler: Callable[[Batch, KeeperT], Awaitable[None]]


def bind_batch_handlers(
    intakes: Iterable[BatchHandlerEntry[KeeperT]], keeper: Callable[[Connection], KeeperT]
) -> tuple[BatchSubscription, ...]:
    """The feeds of a table, each batch kept by a `keeper` on the transaction's connection."""
    return tuple(BatchSubscription(each.name, each.topics, _bind_batch_handler(each, keeper)) for each in intakes)


def _bind_batch_handler(
    intake: BatchHandlerEntry[KeeperT], keeper: Callable[[Connection], KeeperT]
) -> Callable[[Connection, Batch], Awaitable[None]]:
    async def take_in(connection: Connection, batch: Batch) -> None:
        await intake.handler(batch, keeper(connection))

    return take_in


class BatchConsumer:
    """Runs one feed until it is cancelled; `caught_up` tells when it knows what its topics held at that moment."""

    def __init__(
        self, feed: BatchSubscription, *, service: str, database: Database, bootstrap: str, clock: Clock, log: Logger
    ) -> None:
        self._feed = feed
        self._client_id = f"{service}-{feed.name}"
        self._database = database
        self._bootstrap = bootstrap
        self._clock = clock
        self._log = log
        self.group = f"calloff.{service}.{feed.name}"
        self._consumer: Consumer | None = None
        self._reached: dict[Partition, int] = {}
        self._in_hand: dict[Partition, int] = {}

    @property
    def topics(self) -> tuple[str, ...]:
        return self._feed.topics

    async def run(self) -> None:
        while True:
            consumer = Consumer(self._bootstrap, group=self.group, client_id=self._client_id)
            try:
                await consumer.start(self._feed.topics, _Unconcerned())
                self._consumer = consumer
                while True:
                    await self._handle_batch(consumer, await consumer.read(timeout_ms=500, max_records=MAX_RECORDS))
            except Exception as error:  # noqa: BLE001  a feed has to move on after any outage
                self._log.warning("batch consumer rebuilt", subscription=self._feed.name, error=type(error).__name__)
                await asyncio.sleep(0.5)
            finally:
                self._consumer = None
                self._reached, self._in_hand = {}, {}
                await consumer.stop(within=3)

    async def get_positions(self) -> dict[Partition, int]:
        """Up to where each partition is taken in; none while this process is in no group."""
        if self._consumer is None:
            return {}
        mine = self._consumer.get_assignment()
        begun = {each: await self._consumer.get_position(each) for each in mine - self._reached.keys()}
        # What was read is in hand, and what was taken in is noted, before anybody else gets a turn.
        return {**begun, **self._reached, **self._in_hand}

    async def get_lag(self) -> Mapping[str, int]:
        """By topic, how many records are not taken in yet; none while this process is in no group."""
        return {} if self._consumer is None else self._consumer.compute_lag_behind(await self.get_positions())

    async def _handle_batch(self, consumer: Consumer, records: Sequence[KafkaRecord]) -> None:
        if not records:
            return
        self._in_hand = {Partition(each.topic, each.partition): each.offset for each in reversed(records)}
        begun = time.time_ns()
        async with self._database.begin_transaction() as connection:
            afterwards = await self._feed.handle(connection, Batch(records, self._clock.now()))
        if afterwards is not None:
            afterwards()
        record_receive_spans(map(_to_message, records), group=self.group, begun=begun)
        ends = {Partition(each.topic, each.partition): each.offset + 1 for each in records}
        self._reached.update(ends)
        self._in_hand = {}
        await consumer.commit(ends)

    async def wait_until_caught_up(self) -> None:
        """Returns when everything that the topics hold now has been taken in."""
        client_id = f"{self._client_id}-check"
        ends = await wait_for_end_offsets(self._bootstrap, self._feed.topics, client_id=client_id)
        while True:
            done = await get_committed_offsets(self._bootstrap, self.group, list(ends), client_id=client_id)
            if all(done[partition] >= end for partition, end in ends.items()):
                return
            await asyncio.sleep(0.1)


def _to_message(record: KafkaRecord) -> KafkaMessage:
    return KafkaMessage(record.topic, record.partition, record.offset, record.key or b"", record.headers)


async def wait_for_end_offsets(bootstrap: str, topics: Sequence[str], *, client_id: str) -> dict[Partition, int]:
    """Where `topics` end at present; waits for topics that do not exist yet."""
    while True:
        try:
            return await get_end_offsets(bootstrap, topics, client_id=client_id)
        except LookupError:
            await asyncio.sleep(0.2)


class _Unconcerned(RebalanceListener):
    """Whoever takes a batch in twice needs no care when partitions move."""

    async def on_partitions_revoked(self, revoked: object) -> None: ...

    async def on_partitions_assigned(self, assigned: object) -> None: ...
