"""Tolerant reader: reads the records that aiokafka cannot decode, because a header name is not UTF-8.

aiokafka raises in the middle of a batch with such a record, loses the records that it had decoded before, and cannot
pass it: every fetch of the batch fails again. The tolerant reader fetches the same bytes and parses them itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.fetch import FetchRequest

from service_runtime.kafka.batch_parser import parse_batches

_MAX_BYTES: Final = 1_048_576
_MAX_WAIT_MS: Final = 0


class TolerantReader:
    """Reads for one consumer where it fails; must know every record that the consumer returned."""

    def __init__(self, consumer: AIOKafkaConsumer, *, is_member: bool) -> None:
        self._consumer = consumer
        self._is_member = is_member
        self._next: dict[TopicPartition, int] = {}

    def watch_assignment(self, listener: ConsumerRebalanceListener | None) -> ConsumerRebalanceListener:
        """Returns the listener to subscribe with: it calls `listener`, and forgets partitions that are revoked."""
        return _AssignmentListener(self._next, listener)

    def note_read(self, batches: Mapping[TopicPartition, Sequence[ConsumerRecord]]) -> None:
        """Notes what the consumer returned: aiokafka's own positions are wrong after its error."""
        for partition, records in batches.items():
            self._next[partition] = records[-1].offset + 1

    def note_position(self, partition: TopicPartition, offset: int) -> None:
        """Notes where the consumer was moved to."""
        self._next[partition] = offset

    def get_position(self, partition: TopicPartition) -> int:
        """Returns the offset of the next record of a partition that was read or moved."""
        return self._next[partition]

    async def read(self, max_records: int) -> list[ConsumerRecord]:
        """Returns the next records, in order within each partition, and moves the consumer behind them.

        Raises CorruptRecordException for bytes that the broker's disk or the network has damaged.
        """
        read: list[ConsumerRecord] = []
        for partition, position in (await self._find_positions()).items():
            following = position
            if len(read) < max_records and (self._consumer.highwater(partition) or 0) > position:
                stored = await self._fetch(partition, position)
                records, following = parse_batches(stored, partition, first=position, limit=max_records - len(read))
                read += records
            self._consumer.seek(partition, following)
            self._next[partition] = following
        return read

    async def _find_positions(self) -> dict[TopicPartition, int]:
        """Returns the next offset of each partition of which aiokafka has fetched anything."""
        fetched = [each for each in sorted(self._consumer.assignment()) if self._consumer.highwater(each) is not None]
        positions = {each: self._next[each] for each in fetched if each in self._next}
        for partition in fetched if self._is_member else ():
            if partition not in positions and (committed := await self._consumer.committed(partition)) is not None:
                positions[partition] = committed
        if missing := [each for each in fetched if each not in positions]:
            positions |= await self._consumer.beginning_offsets(missing)
        return positions

    async def _fetch(self, partition: TopicPartition, position: int) -> bytes:
        """Fetches a partition's bytes from `position`, with the requests that aiokafka's fetcher sends."""
        client = self._consumer._client  # pyright: ignore[reportPrivateUsage]  aiokafka has no public raw fetch
        leader = client.cluster.leader_for_partition(partition)
        request = FetchRequest(
            _MAX_WAIT_MS, 1, _MAX_BYTES, 0, [(partition.topic, [(partition.partition, position, _MAX_BYTES)])]
        )
        response = await client.send(leader, request)
        for _, partitions in response.topics:
            for _, error, _, *data in partitions:
                error_type = for_code(error)
                if error:
                    raise error_type
                return data[-1] or b""
        message = "Kafka answered a fetch without the partition"
        raise KafkaError(message)


class _AssignmentListener(ConsumerRebalanceListener):
    def __init__(self, positions: dict[TopicPartition, int], listener: ConsumerRebalanceListener | None) -> None:
        self._positions = positions
        self._listener = listener

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        if self._listener is not None:
            await self._listener.on_partitions_revoked(revoked)
        self._positions.clear()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        if self._listener is not None:
            await self._listener.on_partitions_assigned(assigned)
