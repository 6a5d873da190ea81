"""Handlers of audit: store each batch of records, verify it against earlier ones, and record violations."""

from audit.domain.chains import find_faults
from audit.domain.records import ParsedRecord, RecordPosition, parse_kafka_record
from audit.ports import RecordStore
from service_runtime.kafka.batch_consumer import Batch
from service_runtime.kafka.client import KafkaRecord


async def record_batch(batch: Batch, store: RecordStore) -> None:
    """Stores a batch and its violations. A record that is already stored counts once; a faulty record is stored too."""
    entries = [_parse(record) for record in batch.records]
    chains = await store.load_chains(entries)
    result = await store.add_records(entries, at=batch.at)
    await store.add_violations((*find_faults(result.new_records, chains), *result.conflicts), at=batch.at)


def _parse(record: KafkaRecord) -> ParsedRecord:
    position = RecordPosition(record.topic, record.partition, record.offset)
    return parse_kafka_record(position, key=record.key, headers=record.headers, payload=record.value)
