"""Handlers of audit: store each batch of records, verify it against earlier ones, and record violations."""

from audit.domain.chains import find_faults
from audit.domain.records import RawRecord, RecordPosition, encode_headers, parse_record
from audit.ports import RecordStore
from service_runtime.kafka.batch_consumer import Batch
from service_runtime.kafka.client import KafkaRecord


async def record_batch(batch: Batch, record: RecordStore) -> None:
    """Stores a batch and its violations. A record that is already stored counts once; a faulty record is stored too."""
    entries = [parse_record(_to_raw_record(each)) for each in batch.records]
    chains = await record.load_chains(entries)
    kept = await record.add_records(entries, at=batch.at)
    await record.add_violations((*find_faults(kept.fresh, chains), *kept.clashes), at=batch.at)


def _to_raw_record(raw: KafkaRecord) -> RawRecord:
    position = RecordPosition(raw.topic, raw.partition, raw.offset)
    return RawRecord(position, key=raw.key, headers=encode_headers(raw.headers), payload=raw.value)
