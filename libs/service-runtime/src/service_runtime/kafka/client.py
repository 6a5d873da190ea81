"""Kafka client: producer and consumer. Overrides aiokafka's unsafe defaults."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import (
    CorruptRecordException,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    NoBrokersAvailable,
    NodeNotReadyError,
    RecordListTooLargeError,
    RecordTooLargeError,
    RequestTimedOutError,
)
from aiokafka.partitioner import murmur2

from contracts.envelope import Headers
from service_runtime.kafka.fetch_limits import AT_ONCE, BRIEFLY, AdaptiveLimits, FetchLimits, Gathering
from service_runtime.kafka.tolerant_reader import TolerantReader
from service_runtime.observability.messaging import KafkaMessage, record_send_spans

Partition = TopicPartition
KafkaRecord = ConsumerRecord
KafkaFailure = KafkaError
RebalanceListener = ConsumerRebalanceListener

LARGEST_BATCH: Final = 950_000
"""Bytes; below the limit of a topic for one record batch (`max.message.bytes`)."""
SESSION_TIMEOUT_MS: Final = 6_000

REFUSALS: Final = (MessageSizeTooLargeError, RecordTooLargeError, RecordListTooLargeError)
"""Errors caused by the record itself: the broker refuses it every time it is sent.

A broker that refuses for its settings (a lost right, a clock that is wrong) refuses every record: the outbox waits.
"""


UNREACHABLE: Final = (
    KafkaConnectionError,
    KafkaTimeoutError,
    NoBrokersAvailable,
    NodeNotReadyError,
    RequestTimedOutError,
)
"""Errors of a client that does not reach Kafka; all others come from a Kafka that answers."""


@dataclass(frozen=True)
class OutgoingRecord:
    """A record to send."""

    topic: str
    key: bytes
    value: bytes
    headers: Headers


class Producer:
    """Sends batches of records. Each batch is for one partition and is accepted or refused as a whole, in its order."""

    def __init__(self, bootstrap: str, *, client_id: str) -> None:
        self._producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap,
            client_id=client_id,
            acks="all",
            enable_idempotence=True,
            max_batch_size=LARGEST_BATCH,
            max_request_size=LARGEST_BATCH + 50_000,
            request_timeout_ms=10_000,
        )

    async def start(self) -> None:
        await self._producer.start()

    async def choose_partition(self, topic: str, key: bytes) -> int:
        """Returns the partition that Kafka's default partitioner chooses for a key."""
        partitions = await self._producer.partitions_for(topic)
        return sorted(partitions)[_hash_key(key) % len(partitions)]

    async def send(self, partition: Partition, records: Sequence[OutgoingRecord]) -> int:
        """Sends the first of `records` that fit into one batch; returns how many Kafka has acknowledged.

        Raises one of REFUSALS if the broker refuses the batch (MessageSizeTooLargeError also if the first record is
        too large for any batch), and another KafkaError if it is not known whether the batch was written.
        """
        batch = self._producer.create_batch()
        count = 0
        for record in records:
            appended = batch.append(timestamp=None, key=record.key, value=record.value, headers=record.headers)
            if appended is None:
                break
            count += 1
        if count == 0:
            raise MessageSizeTooLargeError
        begun = time.time_ns()
        try:
            acknowledged = await self._producer.send_batch(batch, partition.topic, partition=partition.partition)
            first = (await acknowledged).offset
        except KafkaError as error:
            record_send_spans(_to_message(partition, records[:count]), begun=begun, error=type(error).__name__)
            raise
        record_send_spans(_to_message(partition, records[:count], first), begun=begun)
        return count

    async def close(self, *, within: float) -> None:
        """Stops the producer; after `within` seconds cancels unsent batches.

        Idempotent batches never expire, so aiokafka's `stop()` waits for a broker that is down. A sender task left
        running would still send the batches of a producer that has been replaced.
        """
        stopping = asyncio.ensure_future(self._producer.stop())
        done, _ = await asyncio.wait({stopping}, timeout=within)
        if not done:
            stopping.cancel()
            await _cancel_sender(self._producer)
        await asyncio.gather(stopping, return_exceptions=True)


@lru_cache(maxsize=10_000)
def _hash_key(key: bytes) -> int:
    """Returns the key's murmur2 hash. Cached, because its computation in Python is the slowest step of a send."""
    return murmur2(key) & 0x7FFFFFFF


def _to_message(
    partition: Partition, records: Sequence[OutgoingRecord], first: int | None = None
) -> Iterable[KafkaMessage]:
    """Yields the records of one batch with their offsets; `first` is the offset of the first record, if known."""
    for number, record in enumerate(records):
        offset = None if first is None else first + number
        yield KafkaMessage(partition.topic, partition.partition, offset, record.key, record.headers)


async def _cancel_sender(producer: AIOKafkaProducer) -> None:
    # aiokafka has no public method that discards undelivered batches.
    sender: object = getattr(producer, "_sender", None)
    task: asyncio.Task[None] | None = getattr(sender, "sender_task", None)
    if task is not None:
        task.cancel()
        await asyncio.wait({task}, timeout=5)
    client: object = getattr(producer, "client", None)
    close: Callable[[], Coroutine[object, object, None]] | None = getattr(client, "close", None)
    if close is not None:
        await asyncio.wait({asyncio.ensure_future(close())}, timeout=5)


class Consumer:
    """Reads topics as a member of a consumer group; offsets are committed only by `commit`.

    A consumer adapts to the load: it delivers each record at once while few arrive, and gathers them while many do.
    Without `gathering` it delivers each at once under any load.
    """

    def __init__(
        self, bootstrap: str, *, group: str | None, client_id: str, gathering: Gathering | None = BRIEFLY
    ) -> None:
        self._adaptive = None if gathering is None else AdaptiveLimits(gathering, time.monotonic())
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            group_id=group,
            client_id=client_id,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=SESSION_TIMEOUT_MS,
            heartbeat_interval_ms=SESSION_TIMEOUT_MS // 3,
            # A consumer waits for the database without limit; a watchdog detects stalled consumers.
            max_poll_interval_ms=24 * 3600 * 1000,
            fetch_min_bytes=AT_ONCE.min_bytes,
            fetch_max_wait_ms=AT_ONCE.max_wait_ms,
            consumer_timeout_ms=1_000,  # how often the fetcher looks for work; answers and rebalances wake it anyway
            request_timeout_ms=10_000,
            metadata_max_age_ms=30_000,
        )
        self._tolerant = TolerantReader(self._consumer, is_member=group is not None)

    async def start(self, topics: Iterable[str], listener: RebalanceListener | None = None) -> None:
        self._consumer.subscribe(list(topics), listener=self._tolerant.watch_assignment(listener))
        await self._consumer.start()

    async def read(self, *, timeout_ms: int, max_records: int) -> list[KafkaRecord]:
        """Returns the next records, in order within each partition; empty if none arrive within `timeout_ms`."""
        try:
            batches = await self._consumer.getmany(timeout_ms=timeout_ms, max_records=max_records)
        except (UnicodeDecodeError, CorruptRecordException):
            return await self._tolerant.read(max_records)
        self._tolerant.note_read(batches)
        read = [record for records in batches.values() for record in records]
        if self._adaptive is not None:
            self._set_limits(self._adaptive.count(len(read), now=time.monotonic()))
        return read

    def _set_limits(self, limits: FetchLimits) -> None:
        # aiokafka has no public method for it. A version without these attributes keeps its first limits.
        fetcher: object = getattr(self._consumer, "_fetcher", None)
        for name, value in (("_fetch_min_bytes", limits.min_bytes), ("_fetch_max_wait_ms", limits.max_wait_ms)):
            if hasattr(fetcher, name):
                setattr(fetcher, name, value)

    def get_assignment(self) -> set[Partition]:
        return self._consumer.assignment()

    async def get_position(self, partition: Partition) -> int:
        """Returns the offset of the next record that `read` returns for an assigned partition."""
        return await self._consumer.position(partition)

    async def commit(self, offsets: dict[Partition, int]) -> None:
        await self._consumer.commit(offsets)

    def compute_lag_behind(self, reached: Mapping[Partition, int]) -> dict[str, int]:
        """Returns the number of records after `reached` by topic, as of the last fetch; makes no request."""
        lag: Counter[str] = Counter()
        for partition, offset in reached.items():
            lag[partition.topic] += max(0, (self._consumer.highwater(partition) or offset) - offset)
        return lag

    async def get_end_offsets(self) -> dict[Partition, int]:
        """Returns the end offset of each assigned partition."""
        return await self._consumer.end_offsets(self._consumer.assignment())

    async def stop(self, *, within: float) -> None:
        await asyncio.wait({asyncio.ensure_future(self._consumer.stop())}, timeout=within)


async def get_end_offsets(bootstrap: str, topics: Iterable[str], *, client_id: str) -> dict[Partition, int]:
    """Returns the end offset of each partition of `topics`. Raises LookupError if a topic does not exist."""
    async with _open_consumer(bootstrap, *topics, client_id=client_id) as consumer:
        return await consumer.end_offsets(_list_partitions(consumer, topics))


async def get_committed_offsets(
    bootstrap: str, group: str, partitions: Iterable[Partition], *, client_id: str
) -> dict[Partition, int]:
    """Returns the committed offset of `group` for each partition; 0 if none is committed."""
    async with _open_consumer(bootstrap, client_id=client_id, group=group) as consumer:
        consumer.assign(list(partitions))
        return {partition: await consumer.committed(partition) or 0 for partition in partitions}


@asynccontextmanager
async def _open_consumer(
    bootstrap: str, *topics: str, client_id: str, group: str | None = None
) -> AsyncGenerator[AIOKafkaConsumer]:
    """Starts a consumer for a few requests; stops it also if Kafka does not answer at its start."""
    consumer = AIOKafkaConsumer(
        *topics, bootstrap_servers=bootstrap, group_id=group, client_id=client_id, enable_auto_commit=False
    )
    try:
        await consumer.start()
        yield consumer
    finally:
        await consumer.stop()


def _list_partitions(consumer: AIOKafkaConsumer, topics: Iterable[str]) -> list[Partition]:
    partitions: list[Partition] = []
    for topic in topics:
        numbers = consumer.partitions_for_topic(topic)
        if not numbers:
            message = f"topic {topic} does not exist; create it or wait until it is created"
            raise LookupError(message)
        partitions += [Partition(topic, number) for number in sorted(numbers)]
    return partitions
