"""Makes Kafka's topics anew from the databases: audit's record first, then the events that only journals hold.

The audit record holds each Kafka record with its topic, partition and offset, so its rows are sent to the same offsets
again. Events of the journals that had not reached audit go back into the outboxes, and the relays send them.
Consumers read all topics again; their inboxes skip what they have handled.
"""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.domain.records import decode_headers
from calloff.backup.archived_months import check_nothing_archived
from contracts.catalogue import TOPICS
from contracts.envelope import Headers
from devstack.errors import DataAlreadyExists, RecordIncomplete
from devstack.names import AUDIT
from service_runtime.kafka.client import OutgoingRecord, Partition, Producer
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.kafka.topic_admin import create_topics
from service_runtime.kafka.topic_contents import delete_topics, list_active_groups, list_committed_groups, list_filled
from service_runtime.kafka.topics import Replication

BATCH_SIZE: Final = 500
_IDS_BATCH: Final = 10_000
_OFFSETS_FORGOTTEN_WITHIN: Final = 60.0
_POLL_INTERVAL: Final = 0.2
"""Both in seconds."""
GROUP_PREFIX: Final = "calloff."
"""Begins the consumer groups of every service."""

# A record that audit could not store is among its unreadable records; without it the later ones would move.
_SELECT_RECORDS = text(
    """
    SELECT topic, partition, "offset", key, headers, payload FROM records
    UNION ALL
    SELECT DISTINCT ON (topic, partition, "offset") topic, partition, "offset", key, headers, payload
    FROM unreadable_records AS unreadable
    WHERE NOT EXISTS (
        SELECT 1 FROM records WHERE records.topic = unreadable.topic AND records.partition = unreadable.partition
                                AND records."offset" = unreadable."offset")
    ORDER BY topic, partition, "offset"
    """
)
_SELECT_RECORDED_EVENT_IDS = text("SELECT event_id FROM records WHERE source = :source AND event_id IS NOT NULL")
_CREATE_REACHED = text("CREATE TEMPORARY TABLE reached (id uuid) ON COMMIT DROP")
_ADD_REACHED = text("INSERT INTO reached SELECT unnest(CAST(:ids AS uuid[]))")
_ANALYZE_REACHED = text("ANALYZE reached")
_ENQUEUE_UNSENT_EVENTS = text(
    """
    INSERT INTO outbox (position)
    SELECT position FROM journal WHERE NOT EXISTS (SELECT 1 FROM reached WHERE reached.id = journal.id)
    ORDER BY position
    ON CONFLICT DO NOTHING
    """
)
_COUNT_UNSENT_EVENTS = text(
    """
    SELECT count(*) FROM outbox JOIN journal USING (position)
    WHERE NOT EXISTS (SELECT 1 FROM reached WHERE reached.id = journal.id)
    """
)


@dataclass(frozen=True)
class RebuiltTopics:
    """The counts of rebuilt topics."""

    records: int
    """Records sent to Kafka from the audit record."""
    to_be_sent: int
    """Events in the outboxes that are not in the audit record; the relays send them when the services start."""


async def prepare_topics(kafka: KafkaConnection, *, replication: Replication, fresh: bool) -> None:
    """Makes sure that the topics are there and empty, and that no group has offsets in them.

    `fresh` deletes topics that hold records. Raises DataAlreadyExists where they do and `fresh` is false, where a
    service still reads them, and where the offsets of a group have outlived its topics.
    """
    if active := await list_active_groups(kafka, GROUP_PREFIX):
        raise DataAlreadyExists(f"services are connected to Kafka ({', '.join(active)}); stop all services first")
    if filled := await list_filled(kafka, TOPICS):
        if not fresh:
            raise DataAlreadyExists(f"Kafka holds records in {', '.join(filled)}; --fresh deletes these topics")
        await delete_topics(kafka, filled)
    await create_topics(kafka, TOPICS, replication=replication)
    if committed := await _list_outliving_groups(kafka, within=_OFFSETS_FORGOTTEN_WITHIN if filled else 0.0):
        message = f"the groups {', '.join(committed)} have offsets of earlier topics and would skip records"
        raise DataAlreadyExists(f"{message}; delete them with kafka-consumer-groups.sh --delete --group …")


async def _list_outliving_groups(kafka: KafkaConnection, *, within: float) -> list[str]:
    """The groups with offsets in the topics: Kafka forgets them up to some seconds after it has deleted a topic."""
    deadline = time.monotonic() + within
    while (committed := await list_committed_groups(kafka, GROUP_PREFIX, TOPICS)) and time.monotonic() < deadline:
        await asyncio.sleep(_POLL_INTERVAL)
    return committed


async def rebuild_topics(kafka: KafkaConnection, databases: Mapping[str, AsyncConnection]) -> RebuiltTopics:
    """Fills empty topics; `databases` are by service. Raises RecordIncomplete."""
    await check_nothing_archived(databases[AUDIT])
    producer = Producer(kafka, client_id="calloff-restore")
    await producer.start()
    try:
        records = await _resend_records(databases[AUDIT], producer)
    finally:
        await producer.close(within=10)
    return RebuiltTopics(records, sum([await _enqueue_unsent_events(databases, name) for name in databases]))


async def _resend_records(audit: AsyncConnection, producer: Producer) -> int:
    """Sends all records in order of offset: an empty partition assigns the same offsets again."""
    ends: dict[Partition, int] = {}
    async with audit.stream(_SELECT_RECORDS) as stored:
        async for some in stored.partitions(BATCH_SIZE):
            for partition, rows in groupby(some, key=lambda row: Partition(row.topic, row.partition)):
                records = list(rows)
                await _send_partition(producer, partition, records, begins=ends.get(partition, 0))
                ends[partition] = ends.get(partition, 0) + len(records)
    return sum(ends.values())


async def _send_partition(producer: Producer, partition: Partition, rows: Sequence[Row[Any]], *, begins: int) -> None:
    if [row.offset for row in rows] != list(range(begins, begins + len(rows))):
        message = f"rows of {partition.topic}/{partition.partition} are missing after offset {begins}"
        raise RecordIncomplete(f"{message}; restore an older back-up, and check it with `calloff verify`")
    waiting = [OutgoingRecord(row.topic, row.key, row.payload, _decode_headers(row.headers)) for row in rows]
    while waiting:
        waiting = waiting[await producer.send(partition, waiting) :]


def _decode_headers(stored: bytes) -> Headers:
    """Those of an unreadable record can be cut off; then it gets none, and is unreadable again."""
    try:
        return decode_headers(stored)
    except (json.JSONDecodeError, UnicodeDecodeError):
        return []


async def _enqueue_unsent_events(databases: Mapping[str, AsyncConnection], service: str) -> int:
    """Enqueues the events of the journal that the audit record does not have; keeps rows already in the outbox.

    Returns how many events of the outbox are not in the audit record.
    """
    database = databases[service]
    await database.execute(_CREATE_REACHED)
    source = {"source": f"/calloff/{service}"}
    async with databases[AUDIT].stream(_SELECT_RECORDED_EVENT_IDS, source) as recorded:
        async for ids in recorded.scalars().partitions(_IDS_BATCH):
            await database.execute(_ADD_REACHED, {"ids": ids})
    for statement in (_ANALYZE_REACHED, _ENQUEUE_UNSENT_EVENTS):
        await database.execute(statement)
    return int((await database.execute(_COUNT_UNSENT_EVENTS)).scalar_one())
