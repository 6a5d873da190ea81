"""Sends records that no service publishes: without key or payload, with null headers and header names of any bytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import for_code
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

from service_runtime.kafka.client import Partition
from service_runtime.kafka.connection import KafkaConnection

_BINARY_NAME: Final = b"\xff\xfe\xfd\xfc-binary"
"""A header name that is not UTF-8; `ForeignRecord.headers` has PLACEHOLDER in its place."""
PLACEHOLDER: Final = "name-binary"
_CRC_AT, _ATTRIBUTES_AT = 17, 21


@dataclass(frozen=True)
class ForeignRecord:
    """Any record. A header with the name PLACEHOLDER gets a name that is not UTF-8."""

    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


async def send_foreign_records(kafka: KafkaConnection, partition: Partition, records: Sequence[ForeignRecord]) -> int:
    """Sends records as one batch to one partition; returns the offset of the first."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 900_000)
    for number, record in enumerate(records):
        assert builder.append(number, 0, record.key, record.value, list(record.headers)) is not None
    request = ProduceRequest(
        None, -1, 10_000, [(partition.topic, [(partition.partition, _replace_placeholders(builder.build()))])]
    )
    consumer = AIOKafkaConsumer(partition.topic, **kafka.build_client_arguments(), client_id="test-foreign")
    await consumer.start()
    try:
        client = consumer._client  # pyright: ignore[reportPrivateUsage]  the producer refuses such records
        response = await client.send(client.cluster.leader_for_partition(partition), request)
    finally:
        await consumer.stop()
    ((_, ((_, error, offset, *_),)),) = response.topics
    if error:
        raise for_code(error)
    return offset


async def read_codec(kafka: KafkaConnection, partition: Partition, offset: int) -> int:
    """Returns the codec of the batch with this offset: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd."""
    request = FetchRequest(100, 1, 1_000_000, 0, [(partition.topic, [(partition.partition, offset, 1_000_000)])])
    consumer = AIOKafkaConsumer(partition.topic, **kafka.build_client_arguments(), client_id="test-codec")
    await consumer.start()
    try:
        client = consumer._client  # pyright: ignore[reportPrivateUsage]  as above
        response = await client.send(client.cluster.leader_for_partition(partition), request)
    finally:
        await consumer.stop()
    ((_, ((*_, stored),)),) = response.topics
    return (stored or b"")[_ATTRIBUTES_AT + 1] & 7


def _replace_placeholders(batch: bytes) -> bytes:
    changed = bytearray(batch.replace(PLACEHOLDER.encode(), _BINARY_NAME[: len(PLACEHOLDER)]))
    changed[_CRC_AT:_ATTRIBUTES_AT] = calc_crc32c(bytes(changed[_ATTRIBUTES_AT:])).to_bytes(4)
    return bytes(changed)
