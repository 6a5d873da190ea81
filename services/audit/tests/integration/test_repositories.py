"""One suite over the record in memory and on PostgreSQL: a fake that passes it can stand in for the real one."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
import pytest_asyncio

from audit.domain.chains import Link, find_faults
from audit.domain.records import FaultKind, RawRecord, StreamName, StreamPosition, parse_record
from audit.domain.verification import StoredRecord
from audit.ports import RecordQueries, RecordStore
from audit.store import TABLES
from audit.store.queries import PostgresRecordQueries
from audit.store.records import PostgresRecordStore
from contracts.catalogue import PACKAGES, PARKED, PROVIDERS
from contracts.events.operations import KeyParked
from contracts.events.packages import OfferDeclined, OfferMade, PackageRequested, SourcingStarted
from contracts.events.providers import ProviderRegistered
from contracts.examples import MONDAY_NINE, an_example_of
from contracts.ids import CouncilKey
from service_runtime.postgres.database import Database
from testkit.audit.builders import (
    COUNCIL,
    PACKAGE,
    InMemoryRecordStore,
    RecordBuilder,
    make_provider_id,
    make_registration,
    to_stored,
)
from testkit.databases import a_database
from testkit.servers import TestPostgres


@dataclass(frozen=True)
class Repositories:
    """What writes, in a transaction, and what reads."""

    open_store: Callable[[], AbstractAsyncContextManager[RecordStore]]
    ask: RecordQueries

    async def record(self, *records: RawRecord) -> list[FaultKind]:
        entries = [parse_record(each) for each in records]
        async with self.open_store() as record:
            chains = await record.load_chains(entries)
            kept = await record.add_records(entries, at=MONDAY_NINE)
            faults = [*find_faults(kept.fresh, chains), *kept.clashes]
            await record.add_violations(faults, at=MONDAY_NINE)
        return [each.kind for each in faults]

    async def read_all(self, after: StreamName | None = None) -> list[StoredRecord]:
        return [row async for row in self.ask.stream_records(after)]


def in_memory() -> Repositories:
    kept = InMemoryRecordStore()

    @asynccontextmanager
    async def record() -> AsyncGenerator[RecordStore]:
        yield kept

    return Repositories(record, kept)


def on_postgres(database: Database) -> Repositories:
    @asynccontextmanager
    async def record() -> AsyncGenerator[RecordStore]:
        async with database.begin_transaction() as connection:
            yield PostgresRecordStore(connection)

    return Repositories(record, PostgresRecordQueries(database))


@pytest_asyncio.fixture(params=["memory", "postgres"])
async def repositories(request: pytest.FixtureRequest, postgres: TestPostgres) -> AsyncGenerator[Repositories]:
    if request.param == "memory":
        yield in_memory()
        return
    async with a_database(postgres, TABLES, name="audit") as database:
        yield on_postgres(database)


@pytest.fixture
def press() -> RecordBuilder:
    return RecordBuilder()


EVENTS = tuple(an_example_of(each) for each in (PackageRequested, SourcingStarted, OfferMade, OfferDeclined))


def to_rows(records: Sequence[RawRecord]) -> list[StoredRecord]:
    return [to_stored(parse_record(each)) for each in records]


async def test_what_was_kept_is_found_as_it_came(repositories: Repositories, press: RecordBuilder) -> None:
    records = press.publish(*EVENTS)
    assert await repositories.record(*records) == []
    assert await repositories.ask.find_by_package(PACKAGE) == to_rows(records)


async def test_what_is_kept_already_is_neither_kept_nor_judged_again(
    repositories: Repositories, press: RecordBuilder
) -> None:
    records = press.publish(*EVENTS)
    await repositories.record(*records[:3])
    assert await repositories.record(*records) == []
    assert await repositories.ask.find_by_package(PACKAGE) == to_rows(records)


async def test_other_bytes_at_a_kept_position_are_a_violation_and_change_nothing(
    repositories: Repositories, press: RecordBuilder
) -> None:
    (record,) = press.publish(EVENTS[0])
    await repositories.record(record)
    assert await repositories.record(replace(record, headers=record.headers + b" ")) == [FaultKind.OTHER_BYTES]
    assert await repositories.ask.find_by_package(PACKAGE) == to_rows([record])


async def test_chains_go_on_from_batch_to_batch(repositories: Repositories, press: RecordBuilder) -> None:
    one, two, three, four = press.publish(*EVENTS)
    assert await repositories.record(one, two) == []
    assert await repositories.record(four) == [FaultKind.GAP]
    assert await repositories.record(three) == [FaultKind.LATE]


async def test_repeats_are_known_again_far_behind_the_end(repositories: Repositories, press: RecordBuilder) -> None:
    pairs = [(press.make_envelope(event), event) for event in EVENTS]
    await repositories.record(*[press.make_record(*pair) for pair in pairs])
    assert await repositories.record(*[press.make_record(*pair) for pair in pairs]) == []
    assert len(await repositories.ask.find_by_package(PACKAGE)) == 2 * len(EVENTS)


async def test_a_fork_far_behind_the_end_is_found(repositories: Repositories, press: RecordBuilder) -> None:
    await repositories.record(*press.publish(*EVENTS))
    other = RecordBuilder(at=press.at)
    other.make_envelope(EVENTS[0])
    forked = replace(
        other.make_record(other.make_envelope(EVENTS[1]), EVENTS[1]), position=press.publish(EVENTS[0])[0].position
    )
    assert await repositories.record(forked) == [FaultKind.FORK]


async def test_a_chain_knows_its_end_and_whatever_the_batch_comes_back_to(
    repositories: Repositories, press: RecordBuilder
) -> None:
    await repositories.record(*press.publish(*EVENTS))
    (following,) = press.publish(an_example_of(OfferDeclined))
    async with repositories.open_store() as record:
        entry = parse_record(following)
        assert entry.envelope is not None
        chain = (await record.load_chains([entry]))[entry.stream]
        assert chain.append(Link.from_envelope(entry.envelope)) == ()


async def test_what_cannot_be_read_is_kept_without_a_stream(repositories: Repositories, press: RecordBuilder) -> None:
    nothing = press.make_raw_record(PACKAGES, None, None, None)
    assert await repositories.record(nothing) == [FaultKind.UNREADABLE_ENVELOPE]
    assert await repositories.read_all() == to_rows([nothing])


async def test_parked_keys_belong_to_a_packages_story(repositories: Repositories, press: RecordBuilder) -> None:
    records = press.publish(EVENTS[0], an_example_of(KeyParked, parked_key=str(PACKAGE)))
    await repositories.record(*records)
    found = await repositories.ask.find_by_package(PACKAGE)
    assert [row.stream.topic for row in found] == [PACKAGES, PARKED]


async def test_events_are_found_by_subject_and_type(repositories: Repositories, press: RecordBuilder) -> None:
    records = press.publish(make_registration("Alder"), make_registration("Birch"), make_registration("Cedar"), *EVENTS)
    await repositories.record(*records)
    subjects = [str(make_provider_id("Alder")), str(make_provider_id("Cedar"))]
    found = await repositories.ask.find_by_subjects(PROVIDERS, subjects, [ProviderRegistered.type_name()])
    assert {row.stream.subject for row in found} == set(subjects)
    assert await repositories.ask.find_by_subjects(PROVIDERS, subjects, [OfferMade.type_name()]) == []


async def test_events_are_found_by_their_places(repositories: Repositories, press: RecordBuilder) -> None:
    records = press.publish(*EVENTS)
    await repositories.record(*records)
    sourcing = StreamName(PACKAGES, str(PACKAGE), "/calloff/sourcing")
    found = await repositories.ask.find_by_positions([StreamPosition(sourcing, 2), StreamPosition(sourcing, 9)])
    assert found == to_rows(records[2:3])
    assert await repositories.ask.find_by_positions([]) == []


async def test_the_whole_record_comes_stream_by_stream_and_from_any_stream_on(
    repositories: Repositories, press: RecordBuilder
) -> None:
    await repositories.record(*press.publish(EVENTS[1], EVENTS[0], EVENTS[2], make_registration("Alder")))
    streams = [row.stream for row in await repositories.read_all()]
    assert [stream.source for stream in streams] == [
        "/calloff/referral",
        "/calloff/sourcing",
        "/calloff/sourcing",
        "/calloff/provider-registry",
    ]
    assert [row.stream for row in await repositories.read_all(streams[0])] == streams[1:]
    assert await repositories.read_all(streams[-1]) == []


async def test_offsets_that_are_missing_are_found(repositories: Repositories, press: RecordBuilder) -> None:
    records = press.publish(*EVENTS)
    await repositories.record(records[0], records[1], records[3])
    (missing,) = await repositories.ask.find_missing(limit=5)
    assert (missing.kind, missing.position) == (FaultKind.MISSING, records[3].position)


async def test_violations_come_newest_first_in_pages_and_to_their_own_council(
    repositories: Repositories, press: RecordBuilder
) -> None:
    entries = [parse_record(each) for each in press.publish(*EVENTS)]
    async with repositories.open_store() as record:
        for hour, entry in enumerate(entries):
            at = MONDAY_NINE + timedelta(hours=hour)
            await record.add_violations([entry.fault(FaultKind.GAP), entry.fault(FaultKind.LATE)], at=at)
            await record.add_violations([entry.fault(FaultKind.GAP)], at=at + timedelta(days=1))
    first = await repositories.ask.list_violations(COUNCIL, after=None, limit=3)
    last = await repositories.ask.list_violations(COUNCIL, after=(first[-1].found_at, first[-1].id), limit=50)
    assert [len(first), len(last)] == [3, 5]
    instants = [each.found_at for each in (*first, *last)]
    assert instants == sorted(instants, reverse=True)
    assert await repositories.ask.list_violations(CouncilKey("another"), after=None, limit=3) == []
