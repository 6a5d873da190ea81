"""Fakes of the relay's Kafka producer: they store records, and lose, refuse or delay batches."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence

from service_runtime.kafka.client import REFUSALS, KafkaFailure, OutgoingRecord, Partition
from testkit.topics import TopicRecord


class UnreliableKafka:
    """Fake Kafka that stores records, and loses records or acknowledgements at random."""

    def __init__(self, *, losses: float = 0.2) -> None:
        self.losses = losses
        self.partitions = 3
        self.records: list[TopicRecord] = []
        self.in_flight: Counter[Partition] = Counter()
        self.max_in_flight = 0
        self.chance = random.Random(7)  # noqa: S311  no secret

    def __call__(self, _bootstrap: str, *, client_id: str) -> "UnreliableKafka":  # noqa: ARG002  as the producer
        return self

    async def start(self) -> None: ...

    async def close(self, *, within: float) -> None: ...

    async def choose_partition(self, _topic: str, key: bytes) -> int:
        return sum(key) % self.partitions

    async def send(self, partition: Partition, records: Sequence[OutgoingRecord]) -> int:
        self.in_flight[partition] += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight[partition])
        try:
            return await self.store(partition, records)
        finally:
            self.in_flight[partition] -= 1

    async def store(self, partition: Partition, records: Sequence[OutgoingRecord]) -> int:
        """Stores some of the records after a delay; returns how many."""
        await asyncio.sleep(self.chance.uniform(0, 0.01))
        if self.chance.random() < self.losses:
            raise KafkaFailure("record lost")
        count = self.chance.randint(1, len(records))
        self.records += [self._to_topic_record(partition, record) for record in records[:count]]
        if self.chance.random() < self.losses:
            raise KafkaFailure("acknowledgement lost")
        return count

    def _to_topic_record(self, partition: Partition, record: OutgoingRecord) -> TopicRecord:
        headers = list(record.headers)
        return TopicRecord(
            record.topic, partition.partition, len(self.records), record.key.decode(), headers, record.value
        )


class RefusingKafka(UnreliableKafka):
    """Fake Kafka that refuses the second record of every stream; the refusal can break the producer, too."""

    def __init__(self, *, breaks_producer: bool = False) -> None:
        super().__init__(losses=0)
        self.partitions = 1
        self.refuses = True
        self._breaks_producer = breaks_producer
        self._fatal = False

    async def start(self) -> None:
        self._fatal = False

    async def store(self, partition: Partition, records: Sequence[OutgoingRecord]) -> int:
        if self._fatal:
            raise KafkaFailure("out of order sequence number")
        if self.refuses and any(dict(record.headers)["ce_sequence"] == b"2" for record in records):
            self._fatal = self._breaks_producer and len(records) == 1
            raise REFUSALS[0]
        return await super().store(partition, records)


class DenyingKafka(UnreliableKafka):
    """Fake Kafka that refuses every record for its settings until `allow` is called."""

    def __init__(self, error: KafkaFailure) -> None:
        super().__init__(losses=0)
        self.denials = 0
        self._error: KafkaFailure | None = error

    def allow(self) -> None:
        self._error = None

    async def store(self, partition: Partition, records: Sequence[OutgoingRecord]) -> int:
        if self._error is not None:
            self.denials += 1
            raise self._error
        return await super().store(partition, records)


class BlockedKafka(UnreliableKafka):
    """Fake Kafka that acknowledges nothing for the blocked keys until `unblock` is called; stores whole batches."""

    def __init__(self, *keys: str) -> None:
        super().__init__(losses=0)
        self.batch_sizes: list[int] = []
        self._keys = {key.encode() for key in keys}
        self._unblocked = asyncio.Event()

    def unblock(self) -> None:
        self._unblocked.set()

    async def choose_partition(self, _topic: str, key: bytes) -> int:
        return int(key in self._keys)

    async def store(self, partition: Partition, records: Sequence[OutgoingRecord]) -> int:
        self.batch_sizes.append(len(records))
        if partition.partition:
            await self._unblocked.wait()
        self.records += [self._to_topic_record(partition, record) for record in records]
        return len(records)


class BreakingKafka(UnreliableKafka):
    """Fake Kafka whose connection breaks when a send is cancelled."""

    def __init__(self) -> None:
        super().__init__(losses=0)
        self.sends = 0

    async def store(self, partition: Partition, records: Sequence[OutgoingRecord]) -> int:  # noqa: ARG002  as the others
        self.sends += 1
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            raise KafkaFailure("the connection broke") from None
        return 0
