"""What audit does with what it hears: keep it, hold it against what was there before, and note what is wrong."""

from audit.domain.chains import judge
from audit.domain.records import Arrived, Position, encode_headers, read
from audit.ports import Record
from service_runtime.kafka.batch_consumer import Batch
from service_runtime.kafka.client import KafkaRecord


async def keep_everything(batch: Batch, record: Record) -> None:
    """Keeps a batch. What was kept before counts once; what is wrong is kept too, and noted as a violation."""
    entries = [read(_arrived(each)) for each in batch.records]
    chains = await record.chains_of(entries)
    kept = await record.keep(entries, at=batch.at)
    await record.note((*judge(kept.fresh, chains), *kept.clashes), at=batch.at)


def _arrived(raw: KafkaRecord) -> Arrived:
    position = Position(raw.topic, raw.partition, raw.offset)
    return Arrived(position, key=raw.key, headers=encode_headers(raw.headers), payload=raw.value)
