"""Handlers of audit: store each batch of records, verify it against earlier ones, and record violations."""

from audit.domain.chains import find_faults
from audit.domain.records import RawRecord, RecordPosition, encode_headers, parse_record
from audit.ports import RecordStore
from service_runtime.kafka.batch_consumer import Batch
from service_runtime.kafka.client import KafkaRecord


async def record_batch(batch: Batch, store: RecordStore) -> None:
    """Stores a batch and its violations. A record that is already stored counts once; a faulty record is stored too."""
    entries = [parse_record(_to_raw_record(record)) for record in batch.records]
    chains = await store.load_chains(entries)
    result = await store.add_records(entries, at=batch.at)
    await store.add_violations((*find_faults(result.new_records, chains), *result.conflicts), at=batch.at)


def _to_raw_record(record: KafkaRecord) -> RawRecord:
    position = RecordPosition(record.topic, record.partition, record.offset)
    return RawRecord(position, key=record.key, headers=encode_headers(record.headers), payload=record.value)
