"""Batch parser: decodes Kafka's record batches (format 2) with header names of any bytes.

Bytes of a name that are not UTF-8 become lone surrogates (`surrogateescape`), so that nothing is lost.
aiokafka's batch class decompresses and checks; only the records are decoded here.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import _DefaultRecordBatchPy as DefaultRecordBatch  # pyright: ignore[reportPrivateUsage]  the class in C hides the bytes
from aiokafka.record.util import decode_varint

_LOG_OVERHEAD: Final = 12
"""Bytes before a batch's content: its base offset (8) and its length (4)."""


@dataclass
class _Cursor:
    """A position in the decompressed records of a batch."""

    buffer: bytearray
    position: int

    def read_number(self) -> int:
        number, self.position = decode_varint(self.buffer, self.position)
        return number

    def read_bytes(self) -> bytes | None:
        length = self.read_number()
        if length < 0:
            return None
        start, self.position = self.position, self.position + length
        return bytes(self.buffer[start : self.position])


def parse_batches(
    stored: bytes, partition: TopicPartition, *, first: int, limit: int
) -> tuple[list[ConsumerRecord], int]:
    """Parses a fetched sequence of batches; an incomplete batch at its end is left.

    Returns up to `limit` records from offset `first`, and the offset after the last one. Raises
    CorruptRecordException for a batch whose checksum is wrong.
    """
    records: list[ConsumerRecord] = []
    following = first
    for batch in _split_batches(stored):
        if batch.next_offset <= first:
            continue
        if not batch.validate_crc():
            message = f"the checksum of a batch of {partition.topic}-{partition.partition} is wrong"
            raise CorruptRecordException(message)
        for record in () if batch.is_control_batch else _parse_records(batch, partition):
            if len(records) == limit:
                return records, following
            if record.offset >= first:
                records.append(record)
                following = record.offset + 1
        following = batch.next_offset
    return records, following


def _split_batches(stored: bytes) -> Iterator[DefaultRecordBatch]:
    position = 0
    while position + _LOG_OVERHEAD <= len(stored):
        (length,) = struct.unpack_from(">i", stored, position + 8)
        end = position + _LOG_OVERHEAD + length
        if end > len(stored):
            return
        yield DefaultRecordBatch(stored[position:end])
        position = end


def _parse_records(batch: DefaultRecordBatch, partition: TopicPartition) -> Iterator[ConsumerRecord]:
    iter(batch)  # decompresses
    cursor = _Cursor(batch._buffer, batch._pos)  # pyright: ignore[reportPrivateUsage]  not accessible otherwise
    for _ in range(batch._num_records):  # pyright: ignore[reportPrivateUsage]  as above
        length = cursor.read_number()
        end = cursor.position + length
        yield _parse_record(batch, partition, cursor)
        cursor.position = end


def _parse_record(batch: DefaultRecordBatch, partition: TopicPartition, cursor: _Cursor) -> ConsumerRecord:
    cursor.position += 1  # attributes, which are unused
    elapsed, delta = cursor.read_number(), cursor.read_number()
    timestamp = batch.max_timestamp if batch.timestamp_type else batch.first_timestamp + elapsed
    key, value = cursor.read_bytes(), cursor.read_bytes()
    names_and_values = [(cursor.read_bytes() or b"", cursor.read_bytes()) for _ in range(cursor.read_number())]
    headers = tuple((name.decode(errors="surrogateescape"), header) for name, header in names_and_values)
    return ConsumerRecord(
        topic=partition.topic,
        partition=partition.partition,
        offset=batch.base_offset + delta,
        timestamp=timestamp,
        timestamp_type=batch.timestamp_type,
        key=key,
        value=value,
        checksum=None,
        serialized_key_size=-1 if key is None else len(key),
        serialized_value_size=-1 if value is None else len(value),
        headers=headers,  # pyright: ignore[reportArgumentType]  aiokafka delivers values of None too
    )
