"""The journal of a service as the records that a consumer would read, for tests without Kafka."""

from service_runtime.kafka.client import KafkaRecord
from service_runtime.outbox.journal import decode_headers
from service_runtime.postgres.database import Database
from testkit.databases import fetch_rows


async def read_journal_records(database: Database, topic: str) -> list[KafkaRecord]:
    """Returns the events of `topic` in the order of their commits."""
    found = await fetch_rows(
        database, "SELECT key, headers, payload FROM journal WHERE topic = :topic ORDER BY position", topic=topic
    )
    return [
        KafkaRecord(
            topic=topic,
            partition=0,
            offset=offset,
            timestamp=0,
            timestamp_type=0,
            key=row.key.encode(),
            value=row.payload,
            checksum=None,
            serialized_key_size=len(row.key),
            serialized_value_size=len(row.payload),
            headers=tuple(decode_headers(row.headers)),
        )
        for offset, row in enumerate(found)
    ]
