"""A service whose database is older than what it has published is refused at its start; every other one starts."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from contracts.catalogue import PACKAGES, PARTITIONS, RATES, encode
from contracts.envelope import GENESIS, Envelope
from contracts.events.packages import WithdrawalRequested
from contracts.example_words import WithdrawalReasons
from contracts.ids import PackageId, uuid7
from service_runtime.kafka.client import Partition
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.kafka.topic_admin import create_topics
from service_runtime.outbox.outbox_table import is_outbox_empty
from service_runtime.postgres.database import Database
from service_runtime.startup.checks import run_until_passed
from service_runtime.startup.errors import StartRefused
from service_runtime.startup.published_records import SMALL_WINDOW, PublishedRecordsCheck
from testkit.captured_logs import CapturedLogs
from testkit.databases import a_database, fetch_number
from testkit.foreign_records import PLACEHOLDER, ForeignRecord, send_foreign_records
from testkit.sample_service import SampleService, run_tasks
from testkit.servers import TestPostgres
from testkit.waiting import wait_until

pytestmark = pytest.mark.timeout(600)

SILENCE = ForeignRecord(b"key", b"{}", [("ce_type", b"calloff.Foreign.v1")])
UNDECODABLE = ForeignRecord(b"key", b"{}", [("ce_type", b"calloff.Foreign.v1"), (PLACEHOLDER, None)])


@dataclass
class Installation:
    """A sample service with its database, and copies of the database at earlier points."""

    postgres: TestPostgres
    sample: SampleService
    copies: list[Database] = field(default_factory=list[Database])

    async def publish(self, *packages: UUID) -> None:
        """Publishes an event about each package; returns when Kafka has acknowledged them."""
        async with run_tasks(self.sample.build_relay().run()):
            for package in packages:
                await self.sample.request_withdrawal(package)
            await wait_until(lambda: is_outbox_empty(self.sample.database), within=60)

    async def back_up(self) -> Database:
        """Copies the database as it is now."""
        await self.sample.database.close()  # PostgreSQL copies only a database without connections
        self.copies.append(Database(await self.postgres.create_database("copy", template=self.sample.database.url)))
        return self.copies[-1]

    async def check(
        self,
        database: Database | None = None,
        *,
        topics: Sequence[str] = (PACKAGES,),
        kafka: KafkaConnection | None = None,
    ) -> None:
        """Checks as at a start on `database`; the present one by default."""
        checked = PublishedRecordsCheck(
            self.sample.name, database or self.sample.database, kafka or self.sample.kafka, self.sample.logs
        )
        await checked.run(topics)


@pytest_asyncio.fixture
async def installation(postgres: TestPostgres, sample: SampleService) -> AsyncGenerator[Installation]:
    made = Installation(postgres, sample)
    yield made
    for copy in made.copies:
        await copy.close()


def build_record(package: UUID, envelope: Envelope, *, value: bytes | None = None) -> ForeignRecord:
    return ForeignRecord(
        str(package).encode(), value or encode(build_event(package)), [(k, v) for k, v in envelope.to_headers()]
    )


def build_event(package: UUID) -> WithdrawalRequested:
    return WithdrawalRequested(package_id=PackageId(package), reason=WithdrawalReasons.NO_LONGER_NEEDED)


def seal_envelope(service: str, package: UUID, *, sequence: int, prevhash: str) -> Envelope:
    now = datetime.now(UTC)
    event = build_event(package)
    return Envelope(
        id=uuid7(now),
        source=f"/calloff/{service}",
        type=event.get_type_name(),
        subject=event.key,
        time=now,
        council="amberside",
        correlationid=event.correlation,
        causationid="test",
        actor="service:test",
        sequence=sequence,
        prevhash=prevhash,
    ).seal(encode(event))


async def silence(kafka: KafkaConnection, *, count: int) -> None:
    """Appends `count` records of another producer to every partition."""
    for number in range(PARTITIONS):
        await send_foreign_records(kafka, Partition(PACKAGES, number), [SILENCE] * count)


async def test_a_database_that_was_restored_alone_is_refused_and_the_newest_is_accepted(
    installation: Installation,
) -> None:
    await installation.publish(uuid4(), uuid4())
    older = await installation.back_up()
    await installation.check(older)
    await installation.publish(uuid4())
    newest = await installation.back_up()
    with pytest.raises(StartRefused, match=r"is older than what .* has published: homecare\.packages\.v1, partition"):
        await installation.check(older)
    await installation.check(newest)
    await installation.check()


async def test_a_lost_event_of_a_known_stream_is_refused_with_its_number(installation: Installation) -> None:
    package = uuid4()
    await installation.publish(package, package)
    older = await installation.back_up()
    await installation.publish(package)
    with pytest.raises(StartRefused, match=r"holds event 3 of a stream that the database knows up to event 2"):
        await installation.check(older)


async def test_an_empty_database_is_refused_where_its_service_has_published(
    installation: Installation, postgres: TestPostgres
) -> None:
    await installation.publish(uuid4())
    async with a_database(postgres) as empty:
        with pytest.raises(StartRefused, match="is older than what"):
            await installation.check(empty)


async def test_a_service_that_has_never_published_starts(installation: Installation) -> None:
    await silence(installation.sample.kafka, count=1)
    await installation.check()


async def test_a_service_that_died_before_it_published_starts(installation: Installation) -> None:
    await installation.publish(uuid4())
    await installation.sample.request_withdrawal(uuid4())
    assert not await is_outbox_empty(installation.sample.database)
    await installation.check()


async def test_a_lost_event_is_found_behind_many_records_of_others(installation: Installation) -> None:
    await installation.publish(uuid4())
    older = await installation.back_up()
    await installation.publish(uuid4())
    await silence(installation.sample.kafka, count=2 * SMALL_WINDOW)
    with pytest.raises(StartRefused):
        await installation.check(older)
    await installation.check()


async def test_records_that_only_have_our_source_stop_no_start(installation: Installation) -> None:
    package, name = uuid4(), installation.sample.name
    await installation.publish(package)
    right = seal_envelope(name, uuid4(), sequence=1, prevhash=GENESIS)
    forged = [
        build_record(package, seal_envelope(name, package, sequence=2, prevhash="f" * 64)),  # no continuation
        build_record(UUID(right.subject), right, value=b"{}"),  # other bytes than the hash
        build_record(uuid4(), right),  # another key than the subject
        ForeignRecord(b"\xff", b"{}", [("ce_source", right.source.encode()), ("ce_sequence", b"9")]),
        ForeignRecord(b"k", b"{}", [("ce_source", right.source.encode()), ("ce_sequence", b"many")]),
        ForeignRecord(None, None, [("ce_source", right.source.encode()), ("ce_sequence", None)]),
    ]
    await send_foreign_records(installation.sample.kafka, Partition(PACKAGES, 3), forged)
    await installation.check()


async def test_records_that_cannot_be_decoded_hide_no_lost_event(installation: Installation) -> None:
    await installation.publish(uuid4())
    older = await installation.back_up()
    await installation.publish(uuid4())
    for number in range(PARTITIONS):
        await send_foreign_records(installation.sample.kafka, Partition(PACKAGES, number), [UNDECODABLE] * 3)
    with pytest.raises(StartRefused):
        await installation.check(older)
    await installation.check()


async def test_streams_that_an_operator_continues_after_kafkas_numbers_are_accepted(installation: Installation) -> None:
    package = uuid4()
    await installation.publish(package)
    older = await installation.back_up()
    await installation.publish(package)
    with pytest.raises(StartRefused):
        await installation.check(older)
    async with older.begin_transaction() as connection:
        await connection.run("UPDATE streams SET version = 2, parked_because = 'restored', parked_at = now()")
    await installation.check(older)


async def test_a_kafka_that_was_made_again_empty_is_refused(installation: Installation) -> None:
    await create_topics(installation.sample.kafka, [RATES])  # no test of the runtime writes to this topic
    database = installation.sample.database
    async with database.begin_transaction() as connection:
        await connection.run(
            "INSERT INTO journal (id, topic, key, version, type, occurred_at, actor, cause, headers, payload, hash)"
            f" VALUES (gen_random_uuid(), '{RATES}', 'k', 1, 't', now(), 'a', 'c', '', '', 'h')"
        )
        await connection.run(f"INSERT INTO streams (topic, key, version) VALUES ('{RATES}', 'k', 1)")
    with pytest.raises(StartRefused, match=rf"Kafka is empty: {RATES} has no record"):
        await installation.check(topics=(PACKAGES, RATES))
    async with database.begin_transaction() as connection:
        await connection.run("INSERT INTO outbox (position) SELECT position FROM journal")
    await installation.check(topics=(PACKAGES, RATES))
    assert await fetch_number(database, "SELECT count(*) FROM outbox") == 1


@asynccontextmanager
async def running(check: "asyncio.Task[None]") -> AsyncGenerator[None]:
    try:
        yield
    finally:
        check.cancel()
        await asyncio.gather(check, return_exceptions=True)


async def test_a_kafka_that_is_away_is_waited_for(installation: Installation) -> None:
    logs = installation.sample.logs
    away = partial(installation.check, kafka=KafkaConnection("127.0.0.1:1"))
    async with running(asyncio.create_task(run_until_passed([away], logs))):
        await wait_until(lambda: logs.find_entries("waiting to start"), within=60)


async def test_a_database_that_is_away_is_waited_for(installation: Installation) -> None:
    logs = CapturedLogs()
    await installation.publish(uuid4())
    nowhere = Database(f"postgresql+asyncpg://{secrets.token_hex(4)}@127.0.0.1:1/none")
    away = partial(installation.check, nowhere)
    async with running(asyncio.create_task(run_until_passed([away], logs))):
        await wait_until(lambda: logs.find_entries("waiting to start"), within=60)
