"""Range reader: reads ranges of offsets of many partitions at once, outside any consumer group."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import CorruptRecordException, TopicAuthorizationFailedError

from contracts.catalogue import PARTITIONS
from service_runtime.kafka.client import KafkaRecord, Partition
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.kafka.tolerant_reader import TolerantReader

NoReadRight = TopicAuthorizationFailedError
READ_WITHIN: Final = 60.0
"""Seconds within which the records of one call of `read` have to arrive."""
_MAX_RECORDS: Final = 5_000
_IDLE_MS: Final = 500


class RangeReader:
    """Reads ranges of offsets, also past records that aiokafka cannot decode."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer

    async def find_ranges(self, topics: Iterable[str]) -> dict[Partition, range]:
        """Returns the offsets that each partition of existing topics holds now."""
        partitions = [Partition(topic, number) for topic in topics for number in range(PARTITIONS)]
        begins, ends = await asyncio.gather(
            self._consumer.beginning_offsets(partitions), self._consumer.end_offsets(partitions)
        )
        return {partition: range(begins[partition], ends[partition]) for partition in partitions}

    async def find_offsets(self, partitions: Iterable[Partition], since: datetime) -> dict[Partition, int]:
        """Returns the first offset with a timestamp from `since` on, of each partition that has one."""
        instant = int(since.timestamp() * 1_000)
        found = await self._consumer.offsets_for_times(dict.fromkeys(partitions, instant))
        return {partition: position.offset for partition, position in found.items() if position is not None}

    async def read(self, ranges: Mapping[Partition, range], visit: Callable[[KafkaRecord], None]) -> None:
        """Calls `visit` with each record of all ranges, in order for each partition.

        Raises KafkaFailure, and TimeoutError after READ_WITHIN.
        """
        pending = {partition: offsets for partition, offsets in ranges.items() if offsets}
        if not pending:
            return
        self._consumer.assign(list(pending))
        tolerant = TolerantReader(self._consumer, is_member=False)
        for partition, offsets in pending.items():
            self._consumer.seek(partition, offsets.start)
            tolerant.note_position(partition, offsets.start)
        async with asyncio.timeout(READ_WITHIN):
            while pending:
                for record in await self._read_next(tolerant):
                    if record.offset in pending.get(Partition(record.topic, record.partition), ()):
                        visit(record)
                reached = {each for each, offsets in pending.items() if tolerant.get_position(each) >= offsets.stop}
                pending = {each: offsets for each, offsets in pending.items() if each not in reached}

    async def _read_next(self, tolerant: TolerantReader) -> list[KafkaRecord]:
        try:
            batches = await self._consumer.getmany(timeout_ms=_IDLE_MS, max_records=_MAX_RECORDS)
        except (UnicodeDecodeError, CorruptRecordException):
            return await tolerant.read(_MAX_RECORDS)
        if not batches:  # a range can end with control batches, which aiokafka passes without a record
            return await tolerant.read(_MAX_RECORDS)
        tolerant.note_read(batches)
        return [record for records in batches.values() for record in records]


@asynccontextmanager
async def open_range_reader(kafka: KafkaConnection, *, client_id: str) -> AsyncGenerator[RangeReader]:
    consumer = AIOKafkaConsumer(
        **kafka.build_client_arguments(),
        client_id=client_id,
        enable_auto_commit=False,
        fetch_max_wait_ms=100,
        request_timeout_ms=10_000,
    )
    try:
        await consumer.start()
        yield RangeReader(consumer)
    finally:
        await consumer.stop()
