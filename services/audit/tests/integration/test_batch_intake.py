"""Intake of batches from Kafka: every record counts once after a crash, and throughput is measured."""

import asyncio
import secrets
import sys
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from uuid import uuid4

import pytest
import pytest_asyncio

from audit.domain.records import RawRecord, decode_headers
from audit.domain.verification import VerificationReport, Verifier
from audit.store import TABLES
from audit.store.queries import PostgresRecordQueries
from audit.store.records import PostgresRecordStore
from audit.subscriptions import BATCH_SUBSCRIPTIONS
from contracts.catalogue import TOPICS
from contracts.events.offers import OfferDeclined, OfferMade
from contracts.events.packages import PackageRequested
from contracts.events.searches import ProviderPassedOver, StageEntered
from contracts.examples import an_example_of
from contracts.ids import CouncilKey, PackageId
from service_runtime.clock import SystemClock
from service_runtime.kafka.batch_consumer import BatchConsumer
from service_runtime.kafka.batches import AfterCommit, Batch, BatchSubscription, bind_batch_handlers
from service_runtime.kafka.client import OutgoingRecord, Partition, Producer
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.kafka.topic_admin import create_topics
from service_runtime.postgres.database import Connection, Database
from testkit.audit.builders import RecordBuilder
from testkit.captured_logs import CapturedLogs
from testkit.databases import a_database, fetch_number
from testkit.sample_service import run_tasks
from testkit.servers import TestKafka, TestPostgres
from testkit.topics import move_group_to_end

STORY = (PackageRequested, StageEntered, ProviderPassedOver, OfferMade, OfferDeclined)


@dataclass
class BatchIntake:
    """A new database, and a consumer group without committed offsets."""

    database: Database
    producer: Producer
    kafka: KafkaConnection
    service: str
    council: CouncilKey

    def make_consumer(self, feed: BatchSubscription) -> BatchConsumer:
        return BatchConsumer(
            feed,
            service=self.service,
            database=self.database,
            kafka=self.kafka,
            clock=SystemClock(),
            log=CapturedLogs(),
        )

    async def send_stories(self, *, packages: int) -> int:
        """Sends the events of STORY for each new package, in batches; returns the number of events."""
        builder = RecordBuilder(council=self.council)
        records_by_partition: dict[Partition, list[OutgoingRecord]] = {}
        for _ in range(packages):
            package = PackageId(uuid4())
            for each in builder.publish(*[an_example_of(kind, package_id=package) for kind in STORY]):
                partition = Partition(
                    each.position.topic, await self.producer.choose_partition(each.position.topic, each.key or b"")
                )
                records_by_partition.setdefault(partition, []).append(_to_outgoing(each))
        for partition, records in records_by_partition.items():
            sent = 0
            while sent < len(records):
                sent += await self.producer.send(partition, records[sent : sent + 500])
        return packages * len(STORY)

    async def count_records(self) -> int:
        query = "SELECT count(*) FROM records WHERE council = :council"
        return await fetch_number(self.database, query, council=self.council)

    async def count_violations(self) -> int:
        query = "SELECT count(*) FROM violations WHERE council = :council"
        return await fetch_number(self.database, query, council=self.council)


def _to_outgoing(record: RawRecord) -> OutgoingRecord:
    headers = decode_headers(record.headers)
    return OutgoingRecord(record.position.topic, record.key or b"", record.payload or b"", headers)


@pytest_asyncio.fixture
async def intake(postgres: TestPostgres, own_kafka: TestKafka) -> AsyncGenerator[BatchIntake]:
    name = f"audit-{secrets.token_hex(4)}"
    await create_topics(own_kafka.connection, TOPICS)
    await move_group_to_end(own_kafka.connection, f"calloff.{name}.record", TOPICS)
    producer = Producer(own_kafka.connection, client_id="test-producer")
    await producer.start()
    try:
        async with a_database(postgres, TABLES, name="audit") as database:
            yield BatchIntake(database, producer, own_kafka.connection, name, CouncilKey(name))
    finally:
        await producer.close(within=5)


async def test_a_batch_counts_once_if_the_process_crashes_between_commit_and_offsets(intake: BatchIntake) -> None:
    (feed,) = bind_batch_handlers(BATCH_SUBSCRIPTIONS, PostgresRecordStore)
    crashes = 0

    def raise_error() -> None:
        nonlocal crashes
        crashes += 1
        message = "killed"
        raise RuntimeError(message)

    async def record_and_crash(connection: Connection, batch: Batch) -> AfterCommit | None:
        await feed.handle(connection, batch)
        return raise_error if crashes < 2 else None

    events = await intake.send_stories(packages=20)
    crashing = intake.make_consumer(BatchSubscription(feed.name, feed.topics, record_and_crash))
    async with run_tasks(crashing.run()), asyncio.timeout(60):
        await crashing.wait_until_caught_up()
    assert crashes == 2
    assert (await intake.count_records(), await intake.count_violations()) == (events, 0)


async def test_twenty_thousand_events_are_stored_and_verified(
    intake: BatchIntake, capsys: pytest.CaptureFixture[str]
) -> None:
    events = await intake.send_stories(packages=20_000 // len(STORY))
    (feed,) = bind_batch_handlers(BATCH_SUBSCRIPTIONS, PostgresRecordStore)
    consumer = intake.make_consumer(feed)
    began, used = time.perf_counter(), time.process_time()
    async with run_tasks(consumer.run()), asyncio.timeout(120):
        await consumer.wait_until_caught_up()
    took, used = time.perf_counter() - began, time.process_time() - used
    assert (await intake.count_records(), await intake.count_violations()) == (events, 0)

    verifier, report, began = Verifier(), VerificationReport(), time.perf_counter()
    async for row in PostgresRecordQueries(intake.database).stream_records(None):
        if row.columns.council == intake.council:
            report.add(row, verifier.check(row))
    verified = time.perf_counter() - began
    assert (report.records, report.found) == (events, 0)
    with capsys.disabled():
        sys.stdout.write(f"\n{events} events: stored {events / took:,.0f}/s, verified {events / verified:,.0f}/s")
        sys.stdout.write(f"; {used / events * 1e6:.0f} µs of CPU for each event\n")
