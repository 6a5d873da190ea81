"""Reads whole topics from Kafka, and moves consumer groups to their end."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer

from contracts.envelope import Headers
from service_runtime.kafka.client import Consumer, Partition, get_end_offsets
from service_runtime.kafka.connection import KafkaConnection


@dataclass(frozen=True)
class TopicRecord:
    """One record of a topic."""

    topic: str
    partition: int
    offset: int
    key: str
    headers: Headers
    value: bytes

    def get_header(self, name: str) -> str:
        """Returns the header's text, or an empty string if the record does not have it."""
        return (dict(self.headers).get(name) or b"").decode(errors="replace")


async def read_topic(kafka: KafkaConnection, topic: str, *, keys: set[str] | None = None) -> list[TopicRecord]:
    """Reads the records that `topic` has now, ordered by partition and offset. `keys` restricts them to these keys."""
    ends = {at: end for at, end in (await get_end_offsets(kafka, [topic], client_id="test-ends")).items() if end}
    consumer = Consumer(kafka, group=None, client_id="test-reader")
    await consumer.start([topic])
    read: list[TopicRecord] = []
    try:
        reached = dict.fromkeys(ends, 0)
        while any(reached[at] < end for at, end in ends.items()):
            for record in await consumer.read(timeout_ms=200, max_records=5_000):
                at = Partition(record.topic, record.partition)
                reached[at] = record.offset + 1
                key = (record.key or b"").decode(errors="replace")
                if record.offset < ends.get(at, 0) and (keys is None or key in keys):
                    read.append(
                        TopicRecord(topic, at.partition, record.offset, key, list(record.headers), record.value or b"")
                    )
    finally:
        await consumer.stop(within=5)
    return sorted(read, key=lambda record: (record.partition, record.offset))


async def move_group_to_end(kafka: KafkaConnection, group: str, topics: Sequence[str]) -> None:
    """Commits the current end offsets for `group`, so that it does not consume the records of earlier tests."""
    if not topics:
        return
    ends = await get_end_offsets(kafka, topics, client_id="test-ends")
    consumer = AIOKafkaConsumer(
        **kafka.build_client_arguments(), group_id=group, client_id="test-begin", enable_auto_commit=False
    )
    await consumer.start()
    try:
        consumer.assign(list(ends))
        await consumer.commit(ends)
    finally:
        await consumer.stop()
