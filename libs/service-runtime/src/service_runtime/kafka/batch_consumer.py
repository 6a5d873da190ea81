"""Batch consumer: handles each batch of records in one transaction and commits the offsets after it.

Unlike the event consumer it has no inbox and parks no keys: its handlers must accept any record, and accept it twice.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Final

from service_runtime.clock import Clock, SystemClock
from service_runtime.dead_letters.unreadable_records import UnreadableRecords
from service_runtime.kafka.batch_handler import BatchHandler
from service_runtime.kafka.batches import BatchSubscription
from service_runtime.kafka.client import (
    Consumer,
    KafkaRecord,
    Partition,
    RebalanceListener,
    get_committed_offsets,
    get_end_offsets,
)
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.kafka.fetch_limits import Gathering
from service_runtime.kafka.progress import WATCH_EVERY, ArrivalWatch, Progress, compute_lag
from service_runtime.observability.logs import Logger
from service_runtime.observability.messaging import KafkaMessage, record_receive_spans
from service_runtime.observability.metrics import ConsumerMetrics, Metrics
from service_runtime.postgres.database import Database

READ_TIMEOUT_MS: Final = 2_000
"""Milliseconds that an idle consumer waits for records before it waits again."""
MAX_RECORDS: Final = 500
"""Records in a batch. Decoding them blocks the event loop, so the batch is limited."""


class BatchConsumer:
    """Consumes one subscription until it is cancelled; a broken consumer is replaced by a new one."""

    def __init__(
        self,
        feed: BatchSubscription,
        *,
        service: str,
        database: Database,
        kafka: KafkaConnection,
        clock: Clock,
        log: Logger,
        metrics: ConsumerMetrics | None = None,
    ) -> None:
        self._subscription = feed
        self._client_id = f"{service}-{feed.name}"
        self._kafka = kafka
        self._clock = clock
        self._log = log
        self.group = f"calloff.{service}.{feed.name}"
        metrics = Metrics().consumer if metrics is None else metrics
        self.progress = Progress(self.group, metrics.rebuilds, metrics.stalled)
        unreadable = UnreadableRecords(self.group, metrics.unreadable, log)
        self._handler = BatchHandler(feed, database=database, clock=clock, unreadable=unreadable, log=log)
        self._consumer: Consumer | None = None
        self._handled: dict[Partition, int] = {}
        self._in_progress: dict[Partition, int] = {}

    @property
    def topics(self) -> tuple[str, ...]:
        return self._subscription.topics

    async def run(self) -> None:
        while True:
            consumer = Consumer(
                self._kafka, group=self.group, client_id=self._client_id, gathering=self._choose_gathering()
            )
            try:
                await self._consume(consumer)
            except Exception as error:  # noqa: BLE001  the consumer continues after any outage
                self._log.warning(
                    "batch consumer rebuilt", subscription=self._subscription.name, error=type(error).__name__
                )
                await asyncio.sleep(self.progress.count_failure(error, self._handled, now=time.monotonic()))
            finally:
                self._consumer = None
                self._handled, self._in_progress = {}, {}
                await consumer.stop(within=3)

    async def _consume(self, consumer: Consumer) -> None:
        await consumer.start(self._subscription.topics, _NoOpRebalanceListener())
        self._consumer = consumer
        arrivals = ArrivalWatch(now=time.monotonic())
        watching = asyncio.create_task(self._watch(consumer, arrivals))
        try:
            while not watching.done():
                records = await consumer.read(timeout_ms=READ_TIMEOUT_MS, max_records=MAX_RECORDS)
                if records:
                    arrivals.note_arrival(time.monotonic())
                    await self._handle_batch(consumer, records)
            watching.result()
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _watch(self, consumer: Consumer, arrivals: ArrivalWatch) -> None:
        """Raises ConsumerStalled if there are records to read, none is being handled, and none arrives."""
        while True:
            await asyncio.sleep(WATCH_EVERY)
            ends = await consumer.get_end_offsets()
            reached = await self.get_positions()
            self.progress.observe(reached, ends, now=time.monotonic())
            arrivals.check(compute_lag(reached, ends), is_busy=bool(self._in_progress), now=time.monotonic())

    def _choose_gathering(self) -> Gathering | None:
        # A simulated clock stands still until all records are handled, so gathering would only slow it down.
        return self._subscription.gathering if isinstance(self._clock, SystemClock) else None

    async def get_positions(self) -> dict[Partition, int]:
        """Returns the next offset to handle of each partition; empty while this process is in no group."""
        if self._consumer is None:
            return {}
        mine = self._consumer.get_assignment()
        begun = {partition: await self._consumer.get_position(partition) for partition in mine - self._handled.keys()}
        # `_handle_batch` updates both without an `await` after a read or a commit, so neither is ever behind.
        return {**begun, **self._handled, **self._in_progress}

    async def get_lag(self) -> Mapping[str, int]:
        """Returns the number of unhandled records by topic; empty while this process is in no group."""
        return {} if self._consumer is None else self._consumer.compute_lag_behind(await self.get_positions())

    async def _handle_batch(self, consumer: Consumer, records: Sequence[KafkaRecord]) -> None:
        self._in_progress = {Partition(record.topic, record.partition): record.offset for record in reversed(records)}
        begun = time.time_ns()
        await self._handler.handle(records)
        record_receive_spans(map(_to_message, records), group=self.group, begun=begun)
        ends = {Partition(record.topic, record.partition): record.offset + 1 for record in records}
        self._handled.update(ends)
        self._in_progress = {}
        await consumer.commit(ends)

    async def wait_until_caught_up(self) -> None:
        """Returns when all records that the topics hold now have been handled."""
        client_id = f"{self._client_id}-check"
        ends = await wait_for_end_offsets(self._kafka, self._subscription.topics, client_id=client_id)
        while True:
            committed = await get_committed_offsets(self._kafka, self.group, list(ends), client_id=client_id)
            if all(committed[partition] >= end for partition, end in ends.items()):
                return
            await asyncio.sleep(0.1)


def _to_message(record: KafkaRecord) -> KafkaMessage:
    return KafkaMessage(record.topic, record.partition, record.offset, record.key or b"", record.headers)


async def wait_for_end_offsets(
    kafka: KafkaConnection, topics: Sequence[str], *, client_id: str
) -> dict[Partition, int]:
    """Returns the end offset of each partition of `topics`; waits until all topics exist."""
    while True:
        try:
            return await get_end_offsets(kafka, topics, client_id=client_id)
        except LookupError:
            await asyncio.sleep(0.2)


class _NoOpRebalanceListener(RebalanceListener):
    """Does nothing: a batch that is handled twice has no effect, so a rebalance needs no preparation."""

    async def on_partitions_revoked(self, revoked: object) -> None: ...

    async def on_partitions_assigned(self, assigned: object) -> None: ...
