"""Foreign records in Kafka: audit stores what its tables can hold, and names the others as violations."""

from collections.abc import AsyncGenerator, Iterable
from uuid import uuid4

import pytest_asyncio

from audit.domain.records import FaultKind, RawRecord, RecordPosition, decode_headers
from audit.store import TABLES
from audit.store.queries import PostgresRecordQueries
from audit.store.records import PostgresRecordStore
from audit.subscriptions import BATCH_SUBSCRIPTIONS
from contracts.catalogue import PACKAGES
from contracts.events.offers import OfferMade
from contracts.events.packages import PackageRequested
from contracts.events.searches import StageEntered
from contracts.examples import an_example_of
from contracts.ids import CouncilKey, PackageId
from service_runtime.clock import SystemClock
from service_runtime.dead_letters.unreadable_records import UnreadableRecords
from service_runtime.kafka.batch_handler import BatchHandler
from service_runtime.kafka.batches import bind_batch_handlers
from service_runtime.kafka.client import KafkaRecord, Partition
from service_runtime.kafka.records import UnreadableCause
from service_runtime.observability.metrics import Metrics
from service_runtime.postgres.database import Database
from testkit.audit.builders import RecordBuilder
from testkit.audit.harness import AuditHarness
from testkit.captured_logs import CapturedLogs
from testkit.databases import a_database, fetch_number, fetch_rows
from testkit.foreign_records import PLACEHOLDER, ForeignRecord, send_foreign_records
from testkit.servers import TestKafka, TestPostgres
from testkit.waiting import wait_until

PARTITION = Partition(PACKAGES, 4)
REFUSE = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'refused' USING ERRCODE = 'data_exception';
END $$;
CREATE TRIGGER refuse BEFORE INSERT ON records FOR EACH ROW WHEN (NEW.payload = 'unstorable') EXECUTE FUNCTION refuse();
"""


def to_foreign(record: RawRecord, *headers: tuple[str, bytes | None]) -> ForeignRecord:
    return ForeignRecord(record.key, record.payload, [*headers, *decode_headers(record.headers)])


async def test_foreign_records_are_stored_with_violations_and_own_ones_around_them_without(
    harness: AuditHarness, own_kafka: TestKafka, package: PackageId
) -> None:
    builder = harness.make_record_builder()
    own = [
        builder.make_record(builder.make_envelope(event), event)
        for event in (an_example_of(each, package_id=package) for each in (PackageRequested, StageEntered, OfferMade))
    ]
    headers = [("ce_type", None), *decode_headers(own[0].headers)[:3]]
    absurd = [(name, b"9" * 30 if name == "ce_sequence" else value) for name, value in decode_headers(own[0].headers)]
    foreign = [
        ForeignRecord(None, None, []),
        ForeignRecord(b"", b"", [(PLACEHOLDER, None)]),
        ForeignRecord(b"a\0b", b"\xff{", headers),
        ForeignRecord(b"\xff", own[0].payload, decode_headers(own[0].headers)),
        ForeignRecord(b"k" * 100_000, own[0].payload, decode_headers(own[0].headers)),
        ForeignRecord(own[0].key, own[0].payload, absurd),
    ]
    around = [to_foreign(own[0]), to_foreign(own[1], (PLACEHOLDER, b"1"), ("traceparent", None)), to_foreign(own[2])]
    sent = [around[0], *foreign[:3], around[1], *foreign[3:], around[2]]
    offset = await send_foreign_records(own_kafka.connection, PARTITION, sent)
    stored = 'SELECT count(*) FROM records WHERE topic = :topic AND partition = :partition AND "offset" >= :offset'
    place = {**PARTITION._asdict(), "offset": offset}

    async def is_stored() -> bool:
        return await fetch_number(harness.audit.service.database, stored, **place) == len(sent)

    await wait_until(is_stored, within=60)
    for number, record in enumerate(sent):
        expected = [] if record in around else [FaultKind.UNREADABLE_ENVELOPE]
        assert await harness.find_violations(RecordPosition(*PARTITION, offset + number)) == expected
    assert (await harness.get(f"/v1/packages/{package}/trail")).body["verified"] is True
    assert await fetch_rows(harness.audit.service.database, "SELECT 1 FROM unreadable_records") == []


@pytest_asyncio.fixture
async def database(postgres: TestPostgres) -> AsyncGenerator[Database]:
    """Audit's database, whose `records` refuses one payload."""
    async with a_database(postgres, TABLES, REFUSE, name="audit") as made:
        yield made


def to_kafka_records(records: Iterable[RawRecord]) -> list[KafkaRecord]:
    return [
        KafkaRecord(
            topic=record.position.topic,
            partition=0,
            offset=offset,
            timestamp=0,
            timestamp_type=0,
            key=record.key,
            value=record.payload,
            checksum=None,
            serialized_key_size=0,
            serialized_value_size=0,
            headers=tuple(decode_headers(record.headers)),
        )
        for offset, record in enumerate(records)
    ]


async def test_a_record_that_the_tables_refuse_is_kept_as_unreadable_and_named_as_a_violation(
    database: Database,
) -> None:
    builder, package = RecordBuilder(council=CouncilKey("amberside")), PackageId(uuid4())
    events = [an_example_of(each, package_id=package) for each in (PackageRequested, StageEntered)]
    first, last = [builder.make_record(builder.make_envelope(event), event) for event in events]
    refused = builder.make_raw_record(PACKAGES, b"key", None, b"unstorable")
    (subscription,) = bind_batch_handlers(BATCH_SUBSCRIPTIONS, PostgresRecordStore)
    metrics, log = Metrics(), CapturedLogs()
    unreadable = UnreadableRecords("calloff.audit.record", metrics.consumer.unreadable, log)
    handler = BatchHandler(subscription, database=database, clock=SystemClock(), unreadable=unreadable, log=log)
    for _ in range(2):
        await handler.handle(to_kafka_records([first, refused, last]))

    assert await fetch_number(database, "SELECT count(*) FROM records") == 2
    (row,) = await fetch_rows(database, "SELECT * FROM unreadable_records")
    assert (row.offset, row.cause, row.payload) == (1, UnreadableCause.NOT_STORABLE.value, b"unstorable")
    queries = PostgresRecordQueries(database)
    (violation,) = await queries.list_violations(CouncilKey("amberside"), after=None, limit=10)
    assert violation.fault.kind is FaultKind.NOT_RECORDED
    assert violation.fault.position == RecordPosition(PACKAGES, 0, 1)
    assert await queries.find_missing(limit=10) == []
    labels = {"topic": PACKAGES, "cause": UnreadableCause.NOT_STORABLE.value}
    assert metrics.registry.get_sample_value("calloff_unreadable_records_total", labels) == 1
