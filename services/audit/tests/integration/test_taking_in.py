"""Everything is taken in once, whatever dies on the way, and fast enough."""

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
from contracts.events.packages import OfferDeclined, OfferMade, PackageRequested, ProviderPassedOver, StageEntered
from contracts.examples import an_example_of
from contracts.ids import CouncilKey, PackageId
from service_runtime.clock import SystemClock
from service_runtime.kafka.batch_consumer import (
    AfterCommit,
    Batch,
    BatchConsumer,
    BatchSubscription,
    bind_batch_handlers,
)
from service_runtime.kafka.client import OutgoingRecord, Partition, Producer, create_topics
from service_runtime.postgres.database import Connection, Database
from testkit.audit.builders import RecordBuilder
from testkit.captured_logs import Logbook
from testkit.databases import a_database, number
from testkit.sample_service import running
from testkit.servers import TestKafka, TestPostgres
from testkit.topics import begin_at_the_end

STORY = (PackageRequested, StageEntered, ProviderPassedOver, OfferMade, OfferDeclined)


@dataclass
class Intake:
    """A record of its own, and a group of its own that has not begun yet."""

    database: Database
    producer: Producer
    bootstrap: str
    service: str
    council: CouncilKey

    def make_consumer(self, feed: BatchSubscription) -> BatchConsumer:
        return BatchConsumer(
            feed,
            service=self.service,
            database=self.database,
            bootstrap=self.bootstrap,
            clock=SystemClock(),
            log=Logbook(),
        )

    async def send(self, *, packages: int) -> int:
        """Whole stories of new packages, in batches; returns how many events that are."""
        press = RecordBuilder(council=self.council)
        lanes: dict[Partition, list[OutgoingRecord]] = {}
        for _ in range(packages):
            package = PackageId(uuid4())
            for each in press.publish(*[an_example_of(kind, package_id=package) for kind in STORY]):
                partition = Partition(
                    each.position.topic, await self.producer.choose_partition(each.position.topic, each.key or b"")
                )
                lanes.setdefault(partition, []).append(_to_outgoing(each))
        for partition, waiting in lanes.items():
            sent = 0
            while sent < len(waiting):
                sent += await self.producer.send(partition, waiting[sent : sent + 500])
        return packages * len(STORY)

    async def count_records(self) -> int:
        query = "SELECT count(*) FROM records WHERE council = :council"
        return await number(self.database, query, council=self.council)

    async def count_violations(self) -> int:
        query = "SELECT count(*) FROM violations WHERE council = :council"
        return await number(self.database, query, council=self.council)


def _to_outgoing(each: RawRecord) -> OutgoingRecord:
    return OutgoingRecord(each.position.topic, each.key or b"", each.payload or b"", decode_headers(each.headers))


@pytest_asyncio.fixture
async def intake(postgres: TestPostgres, own_kafka: TestKafka) -> AsyncGenerator[Intake]:
    name = f"audit-{secrets.token_hex(4)}"
    await create_topics(own_kafka.bootstrap, TOPICS)
    await begin_at_the_end(own_kafka.bootstrap, f"calloff.{name}.record", TOPICS)
    producer = Producer(own_kafka.bootstrap, client_id="test-press")
    await producer.start()
    try:
        async with a_database(postgres, TABLES, name="audit") as database:
            yield Intake(database, producer, own_kafka.bootstrap, name, CouncilKey(name))
    finally:
        await producer.close(within=5)


async def test_a_crash_between_the_commit_and_the_offsets_counts_once(intake: Intake) -> None:
    (feed,) = bind_batch_handlers(BATCH_SUBSCRIPTIONS, PostgresRecordStore)
    crashes = 0

    def crash() -> None:
        nonlocal crashes
        crashes += 1
        message = "killed"
        raise RuntimeError(message)

    async def take_in_and_crash(connection: Connection, batch: Batch) -> AfterCommit | None:
        await feed.handle(connection, batch)
        return crash if crashes < 2 else None

    events = await intake.send(packages=20)
    crashing = intake.make_consumer(BatchSubscription(feed.name, feed.topics, take_in_and_crash))
    async with running(crashing.run()), asyncio.timeout(60):
        await crashing.wait_until_caught_up()
    assert crashes == 2
    assert (await intake.count_records(), await intake.count_violations()) == (events, 0)


async def test_twenty_thousand_events_are_taken_in_and_verified(
    intake: Intake, capsys: pytest.CaptureFixture[str]
) -> None:
    events = await intake.send(packages=20_000 // len(STORY))
    (feed,) = bind_batch_handlers(BATCH_SUBSCRIPTIONS, PostgresRecordStore)
    taking_in = intake.make_consumer(feed)
    began, used = time.perf_counter(), time.process_time()
    async with running(taking_in.run()), asyncio.timeout(120):
        await taking_in.wait_until_caught_up()
    took, used = time.perf_counter() - began, time.process_time() - used
    assert (await intake.count_records(), await intake.count_violations()) == (events, 0)

    verifier, report, began = Verifier(), VerificationReport(), time.perf_counter()
    async for row in PostgresRecordQueries(intake.database).stream_records(None):
        if row.columns.council == intake.council:
            report.add(row, verifier.check(row))
    verified = time.perf_counter() - began
    assert (report.records, report.found) == (events, 0)
    with capsys.disabled():
        sys.stdout.write(f"\n{events} events: taken in {events / took:,.0f}/s, verified {events / verified:,.0f}/s")
        sys.stdout.write(f"; {used / events * 1e6:.0f} µs of CPU to take one in\n")
