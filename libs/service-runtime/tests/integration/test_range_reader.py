"""Ranges of offsets are read exactly, whatever stands in the partitions."""

import secrets
from collections import defaultdict
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer

from contracts.catalogue import PARTITIONS
from service_runtime.kafka.client import KafkaRecord, Partition, get_end_offsets
from service_runtime.kafka.range_reader import RangeReader, open_range_reader
from service_runtime.kafka.topic_admin import create_topics
from testkit.foreign_records import PLACEHOLDER, ForeignRecord, send_foreign_records
from testkit.servers import TestKafka
from testkit.waiting import wait_until

RECORD = ForeignRecord(b"key", b"value", [("name", b"value")])
UNDECODABLE = ForeignRecord(b"key", b"value", [(PLACEHOLDER, None)])


@pytest_asyncio.fixture
async def topic(kafka: TestKafka) -> str:
    name = f"test.ranges.{secrets.token_hex(4)}"
    await create_topics(kafka.connection, [name])
    await get_end_offsets(kafka.connection, [name], client_id="test-ranges")  # every leader answers
    return name


@pytest_asyncio.fixture
async def reader(kafka: TestKafka) -> AsyncGenerator[RangeReader]:
    async with open_range_reader(kafka.connection, client_id="test-ranges") as opened:
        yield opened


async def read(reader: RangeReader, ranges: dict[Partition, range]) -> dict[Partition, list[int]]:
    """Returns the offsets that were read, by partition."""
    offsets: defaultdict[Partition, list[int]] = defaultdict(list)

    def visit(record: KafkaRecord) -> None:
        offsets[Partition(record.topic, record.partition)].append(record.offset)

    await reader.read(ranges, visit)
    return dict(offsets)


async def test_the_ranges_of_all_partitions_are_found_and_read(
    kafka: TestKafka, topic: str, reader: RangeReader
) -> None:
    for number in range(3):
        await send_foreign_records(kafka.connection, Partition(topic, number), [RECORD] * (number + 1))
    ranges = await reader.find_ranges([topic])
    assert [ranges[Partition(topic, number)] for number in range(PARTITIONS)] == [
        *(range(number + 1) for number in range(3)),
        *[range(0)] * (PARTITIONS - 3),
    ]
    assert await read(reader, ranges) == {each: list(offsets) for each, offsets in ranges.items() if offsets}


async def test_a_part_of_a_partition_is_read_and_then_another_part(
    kafka: TestKafka, topic: str, reader: RangeReader
) -> None:
    partition = Partition(topic, 5)
    await send_foreign_records(kafka.connection, partition, [RECORD] * 100)
    assert await read(reader, {partition: range(90, 100)}) == {partition: list(range(90, 100))}
    assert await read(reader, {partition: range(20, 30)}) == {partition: list(range(20, 30))}
    assert await read(reader, {partition: range(0)}) == {}


@pytest.mark.parametrize("record", [RECORD, UNDECODABLE], ids=["readable", "undecodable"])
async def test_records_that_cannot_be_decoded_are_read_from_the_middle_of_a_batch(
    kafka: TestKafka, topic: str, reader: RangeReader, record: ForeignRecord
) -> None:
    partition = Partition(topic, 1)
    await send_foreign_records(kafka.connection, partition, [RECORD, record, RECORD, record])
    assert await read(reader, {partition: range(1, 4)}) == {partition: [1, 2, 3]}


async def test_a_range_that_ends_with_the_mark_of_a_transaction_ends(
    kafka: TestKafka, topic: str, reader: RangeReader
) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, transactional_id=topic)
    await producer.start()
    try:
        async with producer.transaction():
            await producer.send_and_wait(topic, b"value", partition=2)
    finally:
        await producer.stop()
    partition = Partition(topic, 2)

    async def is_marked() -> bool:  # Kafka appends the mark after it has answered
        return (await reader.find_ranges([topic]))[partition] == range(2)

    await wait_until(is_marked, within=120)
    assert await read(reader, {partition: range(2)}) == {partition: [0]}


async def test_the_first_offset_from_an_instant_on_is_found(kafka: TestKafka, topic: str, reader: RangeReader) -> None:
    partition = Partition(topic, 7)
    await send_foreign_records(kafka.connection, partition, [RECORD] * 5)  # of the year 1970
    before = datetime.fromtimestamp(0, UTC)
    assert await reader.find_offsets([partition], before) == {partition: 0}
    assert await reader.find_offsets([partition], datetime.now(UTC) - timedelta(days=1)) == {}
