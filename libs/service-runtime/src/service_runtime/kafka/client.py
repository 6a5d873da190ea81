"""Kafka, seen from a service: the one module that touches aiokafka, and overrides its unsafe defaults."""

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
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    InvalidTimestampError,
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    RecordTooLargeError,
    TopicAuthorizationFailedError,
)
from aiokafka.partitioner import murmur2

from contracts.envelope import Headers
from service_runtime.observability.messaging import KafkaMessage, record_send_spans

Partition = TopicPartition
KafkaRecord = ConsumerRecord
KafkaFailure = KafkaError
RebalanceListener = ConsumerRebalanceListener

PARTITIONS: Final = 12
"""Of every topic; never changed, because a key would move to another partition and lose its order."""
LARGEST_BATCH: Final = 950_000
"""Bytes; below the broker's limit of 1 MiB for one record batch."""
SESSION_TIMEOUT_MS: Final = 6_000

REFUSALS: Final = (
    MessageSizeTooLargeError,
    RecordTooLargeError,
    RecordListTooLargeError,
    InvalidTimestampError,
    InvalidTopicError,
    TopicAuthorizationFailedError,
)
"""Answers of the broker that are about the record: it will be refused again, however often it is sent."""


@dataclass(frozen=True)
class OutgoingRecord:
    """One record to be sent."""

    topic: str
    key: bytes
    value: bytes
    headers: Headers


class Producer:
    """Sends batches of records; a batch of one partition is accepted or refused as a whole, in its order."""

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
        """The partition that Kafka's default partitioner gives a key."""
        partitions = await self._producer.partitions_for(topic)
        return sorted(partitions)[_hash_of(key) % len(partitions)]

    async def send(self, partition: Partition, records: Sequence[OutgoingRecord]) -> int:
        """Sends the first of `records` that fit into one batch; returns how many Kafka has acknowledged.

        Raises one of REFUSALS when the broker will not have the batch, MessageSizeTooLargeError also for a single
        record that fits into no batch, and other errors of Kafka's when it is not known what has become of it.
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
        """Stops the producer; whatever still hangs after `within` seconds is cancelled.

        An idempotent batch never expires, so that `stop()` waits for a broker that is down; and a sender that is left
        running would go on delivering for a producer that nobody watches any more.
        """
        stopping = asyncio.ensure_future(self._producer.stop())
        done, _ = await asyncio.wait({stopping}, timeout=within)
        if not done:
            stopping.cancel()
            await _cancel_sender(self._producer)
        await asyncio.gather(stopping, return_exceptions=True)


@lru_cache(maxsize=10_000)
def _hash_of(key: bytes) -> int:
    """Written in Python, it takes longer than all else that is done for a record; and keys come again soon."""
    return murmur2(key) & 0x7FFFFFFF


def _to_message(
    partition: Partition, records: Sequence[OutgoingRecord], first: int | None = None
) -> Iterable[KafkaMessage]:
    """Records that went into one batch, whose `first` got this offset."""
    for number, record in enumerate(records):
        offset = None if first is None else first + number
        yield KafkaMessage(partition.topic, partition.partition, offset, record.key, record.headers)


async def _cancel_sender(producer: AIOKafkaProducer) -> None:
    # aiokafka has no public way to give up on what it could not deliver.
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
    """Reads topics as a member of a group; offsets are committed by whoever handled the records."""

    def __init__(self, bootstrap: str, *, group: str | None, client_id: str) -> None:
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            group_id=group,
            client_id=client_id,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=SESSION_TIMEOUT_MS,
            heartbeat_interval_ms=SESSION_TIMEOUT_MS // 3,
            # A database that is away holds the consumer as long as it takes; the watchdog looks after real stalls.
            max_poll_interval_ms=24 * 3600 * 1000,
            fetch_max_wait_ms=500,  # what comes is answered at once; this is how often nothing is
            request_timeout_ms=10_000,
            metadata_max_age_ms=30_000,
        )

    async def start(self, topics: Iterable[str], listener: RebalanceListener | None = None) -> None:
        self._consumer.subscribe(list(topics), listener=listener)
        await self._consumer.start()

    async def read(self, *, timeout_ms: int, max_records: int) -> list[KafkaRecord]:
        """The next records, in order within each partition; none when nothing came in `timeout_ms`."""
        batches = await self._consumer.getmany(timeout_ms=timeout_ms, max_records=max_records)
        return [record for records in batches.values() for record in records]

    def get_assignment(self) -> set[Partition]:
        return self._consumer.assignment()

    async def get_position(self, partition: Partition) -> int:
        """The offset of the next record that `read` gives of a partition of this member's."""
        return await self._consumer.position(partition)

    async def commit(self, offsets: dict[Partition, int]) -> None:
        await self._consumer.commit(offsets)

    def compute_lag_behind(self, reached: Mapping[Partition, int]) -> dict[str, int]:
        """By topic, how many records that Kafka was last seen to hold lie beyond what is `reached`; asks nobody."""
        lag: Counter[str] = Counter()
        for partition, offset in reached.items():
            lag[partition.topic] += max(0, (self._consumer.highwater(partition) or offset) - offset)
        return lag

    async def compute_lag(self) -> int:
        """How many records this member has not read yet, over all its partitions."""
        assigned = self._consumer.assignment()
        ends = await self._consumer.end_offsets(assigned)
        return sum([end - await self._consumer.position(partition) for partition, end in ends.items()])

    async def stop(self, *, within: float) -> None:
        await asyncio.wait({asyncio.ensure_future(self._consumer.stop())}, timeout=within)


class EndOffsetReader:
    """Asks again and again where partitions end, over a connection of its own.

    On a consumer's own connection the question would wait for its fetch, which the broker holds until something comes.
    """

    def __init__(self, bootstrap: str, *, client_id: str) -> None:
        self._asking = AIOKafkaConsumer(
            bootstrap_servers=bootstrap, client_id=client_id, enable_auto_commit=False, request_timeout_ms=10_000
        )

    async def start(self) -> None:
        await self._asking.start()

    async def get_end_offsets(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        return await self._asking.end_offsets(partitions)

    async def stop(self) -> None:
        await self._asking.stop()


async def get_end_offsets(bootstrap: str, topics: Iterable[str], *, client_id: str) -> dict[Partition, int]:
    """Where each partition of `topics` ends at present. Raises LookupError while a topic does not exist."""
    consumer = AIOKafkaConsumer(*topics, bootstrap_servers=bootstrap, client_id=client_id, enable_auto_commit=False)
    await consumer.start()
    try:
        return await consumer.end_offsets(_list_partitions(consumer, topics))
    finally:
        await consumer.stop()


async def get_committed_offsets(
    bootstrap: str, group: str, partitions: Iterable[Partition], *, client_id: str
) -> dict[Partition, int]:
    """What `group` has committed for each partition; 0 where it has committed nothing."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, group_id=group, client_id=client_id, enable_auto_commit=False
    )
    await consumer.start()
    try:
        consumer.assign(list(partitions))
        return {partition: await consumer.committed(partition) or 0 for partition in partitions}
    finally:
        await consumer.stop()


def _list_partitions(consumer: AIOKafkaConsumer, topics: Iterable[str]) -> list[Partition]:
    partitions: list[Partition] = []
    for topic in topics:
        known = consumer.partitions_for_topic(topic)
        if not known:
            message = f"Kafka has no topic {topic} yet"
            raise LookupError(message)
        partitions += [Partition(topic, number) for number in sorted(known)]
    return partitions


@asynccontextmanager
async def _open_admin(bootstrap: str) -> AsyncGenerator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, client_id="calloff-admin")
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def create_topics(bootstrap: str, topics: Sequence[str], *, replication: int = 1) -> None:
    """Creates those of `topics` that are missing, with twelve partitions that keep everything for ever."""
    async with _open_admin(bootstrap) as admin:
        there = set(await admin.list_topics())
        configs = {"retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete"}
        missing = [
            NewTopic(topic, PARTITIONS, replication, topic_configs=configs) for topic in topics if topic not in there
        ]
        if missing:
            await admin.create_topics(missing)
