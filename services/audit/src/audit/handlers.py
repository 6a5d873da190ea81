"""Handlers of audit: store each batch of records, verify it against earlier ones, and record violations."""

from collections.abc import Sequence
from datetime import datetime

from audit.domain.chains import find_faults
from audit.domain.records import Fault, FaultKind, ParsedRecord, RecordPosition, parse_kafka_record
from audit.ports import RecordStore
from service_runtime.dead_letters.unreadable_records import RejectedRecord
from service_runtime.kafka.batches import Batch
from service_runtime.kafka.client import KafkaRecord


async def record_batch(batch: Batch, store: RecordStore) -> None:
    """Stores a batch and its violations. A record that is already stored counts once; a faulty record is stored too."""
    entries = [_parse(record) for record in batch.records]
    chains = await store.load_chains(entries)
    result = await store.add_records(entries, at=batch.at)
    await store.add_violations((*find_faults(result.new_records, chains), *result.conflicts), at=batch.at)


async def record_rejected(rejected: Sequence[RejectedRecord], store: RecordStore, at: datetime) -> None:
    """Records a violation for each record that is not in the record, because its columns cannot hold it."""
    positions = [_get_position(each.record) for each in rejected]
    await store.add_violations([Fault(FaultKind.NOT_RECORDED, position, None) for position in positions], at=at)


def _parse(record: KafkaRecord) -> ParsedRecord:
    return parse_kafka_record(_get_position(record), key=record.key, headers=record.headers, payload=record.value)


def _get_position(record: KafkaRecord) -> RecordPosition:
    return RecordPosition(record.topic, record.partition, record.offset)
