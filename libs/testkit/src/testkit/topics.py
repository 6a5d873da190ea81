"""What Kafka holds: a whole topic, read from its beginning to its end."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer

from contracts.envelope import Headers
from service_runtime.kafka.client import Consumer, Partition, get_end_offsets


@dataclass(frozen=True)
class Kept:
    """One record as Kafka keeps it."""

    topic: str
    partition: int
    offset: int
    key: str
    headers: Headers
    value: bytes

    def header(self, name: str) -> str:
        """A header's text; empty where the record has no such header."""
        return dict(self.headers).get(name, b"").decode()


async def everything_in(bootstrap: str, topic: str, *, keys: set[str] | None = None) -> list[Kept]:
    """All records of `topic` that are there now, each partition in its order; of `keys` only, where given."""
    ends = {at: end for at, end in (await get_end_offsets(bootstrap, [topic], client_id="test-ends")).items() if end}
    consumer = Consumer(bootstrap, group=None, client_id="test-reader")
    await consumer.start([topic])
    read: list[Kept] = []
    try:
        reached = dict.fromkeys(ends, 0)
        while any(reached[at] < end for at, end in ends.items()):
            for record in await consumer.read(timeout_ms=200, max_records=5_000):
                at = Partition(record.topic, record.partition)
                reached[at] = record.offset + 1
                key = (record.key or b"").decode()
                if record.offset < ends.get(at, 0) and (keys is None or key in keys):
                    read.append(
                        Kept(topic, at.partition, record.offset, key, list(record.headers), record.value or b"")
                    )
    finally:
        await consumer.stop(within=5)
    return sorted(read, key=lambda kept: (kept.partition, kept.offset))


async def begin_at_the_end(bootstrap: str, group: str, topics: Sequence[str]) -> None:
    """Lets `group` start with what comes from now on: what earlier tests have said is not its business."""
    if not topics:
        return
    ends = await get_end_offsets(bootstrap, topics, client_id="test-ends")
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, group_id=group, client_id="test-begin", enable_auto_commit=False
    )
    await consumer.start()
    try:
        consumer.assign(list(ends))
        await consumer.commit(ends)
    finally:
        await consumer.stop()
