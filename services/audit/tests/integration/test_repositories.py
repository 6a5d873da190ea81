"""One test suite for the in-memory record store and the one on PostgreSQL."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
import pytest_asyncio
from sqlalchemy import TextClause, text

from audit.domain.chains import Link, find_faults
from audit.domain.records import FaultKind, RawRecord, RecordPosition, StreamName, StreamPosition, parse_record
from audit.domain.replay_evidence import EvidenceScope
from audit.domain.verification import StoredRecord
from audit.ports import RecordQueries, RecordStore
from audit.store import TABLES
from audit.store.queries import HOLDERS, PLACEMENTS, PostgresRecordQueries
from audit.store.records import PostgresRecordStore
from contracts.catalogue import PACKAGES, PARKED, PROVIDERS
from contracts.events.offers import OfferDeclined, OfferMade
from contracts.events.operations import KeyParked
from contracts.events.packages import PackageRequested
from contracts.events.providers import EligibilityChanged, Place, ProviderRegistered
from contracts.events.searches import PackagePlaced, SourcingStarted
from contracts.examples import COUNCIL, MONDAY_NINE, an_example_of, some_care
from contracts.ids import CouncilKey
from service_runtime.postgres.database import Database
from testkit.audit.builders import (
    PACKAGE,
    InMemoryRecordStore,
    RecordBuilder,
    make_registration,
    to_provider_id,
    to_stored,
)
from testkit.databases import a_database, fetch_number
from testkit.servers import TestPostgres
from testkit.waiting import wait_until


@dataclass(frozen=True)
class Repositories:
    """The store in a transaction, and queries."""

    open_store: Callable[[], AbstractAsyncContextManager[RecordStore]]
    queries: RecordQueries

    async def record_batch(self, *records: RawRecord) -> list[FaultKind]:
        entries = [parse_record(record) for record in records]
        async with self.open_store() as store:
            chains = await store.load_chains(entries)
            result = await store.add_records(entries, at=MONDAY_NINE)
            faults = [*find_faults(result.new_records, chains), *result.conflicts]
            await store.add_violations(faults, at=MONDAY_NINE)
        return [fault.kind for fault in faults]

    async def read_all(self, after: StreamName | None = None) -> list[StoredRecord]:
        return [row async for row in self.queries.stream_records(after)]


def make_in_memory_repositories() -> Repositories:
    store = InMemoryRecordStore()

    @asynccontextmanager
    async def open_store() -> AsyncGenerator[RecordStore]:
        yield store

    return Repositories(open_store, store)


def make_postgres_repositories(database: Database) -> Repositories:
    @asynccontextmanager
    async def open_store() -> AsyncGenerator[RecordStore]:
        async with database.begin_transaction() as connection:
            yield PostgresRecordStore(connection)

    return Repositories(open_store, PostgresRecordQueries(database))


@pytest_asyncio.fixture(params=["memory", "postgres"])
async def repositories(request: pytest.FixtureRequest, postgres: TestPostgres) -> AsyncGenerator[Repositories]:
    if request.param == "memory":
        yield make_in_memory_repositories()
        return
    async with a_database(postgres, TABLES, name="audit") as database:
        yield make_postgres_repositories(database)


@pytest.fixture
def builder() -> RecordBuilder:
    return RecordBuilder()


EVENTS = tuple(an_example_of(each) for each in (PackageRequested, SourcingStarted, OfferMade, OfferDeclined))


def to_rows(records: Sequence[RawRecord]) -> list[StoredRecord]:
    return [to_stored(parse_record(each)) for each in records]


async def test_stored_records_are_read_back_unchanged(repositories: Repositories, builder: RecordBuilder) -> None:
    records = builder.publish(*EVENTS)
    assert await repositories.record_batch(*records) == []
    assert await repositories.queries.find_by_package(PACKAGE) == to_rows(records)


async def test_a_stored_record_is_neither_stored_nor_checked_again(
    repositories: Repositories, builder: RecordBuilder
) -> None:
    records = builder.publish(*EVENTS)
    await repositories.record_batch(*records[:3])
    assert await repositories.record_batch(*records) == []
    assert await repositories.queries.find_by_package(PACKAGE) == to_rows(records)


async def test_other_bytes_at_a_stored_position_are_a_violation_and_change_nothing(
    repositories: Repositories, builder: RecordBuilder
) -> None:
    (record,) = builder.publish(EVENTS[0])
    await repositories.record_batch(record)
    assert await repositories.record_batch(replace(record, headers=record.headers + b" ")) == [FaultKind.OTHER_BYTES]
    assert await repositories.queries.find_by_package(PACKAGE) == to_rows([record])


async def test_a_batch_may_hold_new_known_and_changed_records(
    repositories: Repositories, builder: RecordBuilder
) -> None:
    one, two, three, four = builder.publish(*EVENTS)
    await repositories.record_batch(one, two)
    changed = replace(two, headers=two.headers + b" ")
    assert await repositories.record_batch(one, changed, three, four) == [FaultKind.OTHER_BYTES]
    assert await repositories.queries.find_by_package(PACKAGE) == to_rows([one, two, three, four])


async def test_a_batch_waits_for_the_one_that_stores_records_of_its_partition(postgres: TestPostgres) -> None:
    one, two = RecordBuilder().publish(*EVENTS[1:3])
    async with a_database(postgres, TABLES, name="audit") as database:
        async with database.begin_transaction() as connection:
            store, entries = PostgresRecordStore(connection), [parse_record(one)]
            await store.load_chains(entries)
            await store.add_records(entries, at=MONDAY_NINE)
            second = asyncio.create_task(make_postgres_repositories(database).record_batch(two))

            async def is_waiting() -> bool:
                waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
                return second.done() or await fetch_number(database, waiting) > 0

            await wait_until(is_waiting, within=10)
        assert await second == []


async def test_a_chain_continues_in_the_next_batch(repositories: Repositories, builder: RecordBuilder) -> None:
    one, two, three, four = builder.publish(*EVENTS)
    assert await repositories.record_batch(one, two) == []
    assert await repositories.record_batch(four) == [FaultKind.GAP]
    assert await repositories.record_batch(three) == [FaultKind.LATE]


async def test_repeats_far_before_the_end_of_a_chain_are_recognised(
    repositories: Repositories, builder: RecordBuilder
) -> None:
    pairs = [(builder.make_envelope(event), event) for event in EVENTS]
    await repositories.record_batch(*[builder.make_record(*pair) for pair in pairs])
    assert await repositories.record_batch(*[builder.make_record(*pair) for pair in pairs]) == []
    assert len(await repositories.queries.find_by_package(PACKAGE)) == 2 * len(EVENTS)


async def test_a_fork_far_before_the_end_of_a_chain_is_found(
    repositories: Repositories, builder: RecordBuilder
) -> None:
    await repositories.record_batch(*builder.publish(*EVENTS))
    other = RecordBuilder(at=builder.at)
    other.make_envelope(EVENTS[0])
    forked = replace(
        other.make_record(other.make_envelope(EVENTS[1]), EVENTS[1]), position=builder.publish(EVENTS[0])[0].position
    )
    assert await repositories.record_batch(forked) == [FaultKind.FORK]


async def test_a_loaded_chain_contains_its_end(repositories: Repositories, builder: RecordBuilder) -> None:
    await repositories.record_batch(*builder.publish(*EVENTS))
    (following,) = builder.publish(an_example_of(OfferDeclined))
    async with repositories.open_store() as store:
        entry = parse_record(following)
        assert entry.envelope is not None
        chain = (await store.load_chains([entry]))[entry.stream]
        assert chain.append(Link.from_envelope(entry.envelope)) == ()


async def test_an_unreadable_record_is_stored_without_a_stream(
    repositories: Repositories, builder: RecordBuilder
) -> None:
    nothing = builder.make_raw_record(PACKAGES, None, None, None)
    assert await repositories.record_batch(nothing) == [FaultKind.UNREADABLE_ENVELOPE]
    assert await repositories.read_all() == to_rows([nothing])


async def test_events_about_a_parked_key_are_found_with_its_package(
    repositories: Repositories, builder: RecordBuilder
) -> None:
    records = builder.publish(EVENTS[0], an_example_of(KeyParked, parked_key=str(PACKAGE)))
    await repositories.record_batch(*records)
    found = await repositories.queries.find_by_package(PACKAGE)
    assert [row.stream.topic for row in found] == [PACKAGES, PARKED]


async def test_events_are_found_by_subject_and_type(repositories: Repositories, builder: RecordBuilder) -> None:
    records = builder.publish(
        make_registration("Alder"), make_registration("Birch"), make_registration("Cedar"), *EVENTS
    )
    await repositories.record_batch(*records)
    subjects = [str(to_provider_id("Alder")), str(to_provider_id("Cedar"))]
    found = await repositories.queries.find_by_subjects(PROVIDERS, subjects, [ProviderRegistered.get_type_name()])
    assert {row.stream.subject for row in found} == set(subjects)
    assert await repositories.queries.find_by_subjects(PROVIDERS, subjects, [OfferMade.get_type_name()]) == []


async def test_events_are_found_by_their_positions(repositories: Repositories, builder: RecordBuilder) -> None:
    records = builder.publish(*EVENTS)
    await repositories.record_batch(*records)
    sourcing = StreamName(PACKAGES, str(PACKAGE), "/calloff/sourcing")
    found = await repositories.queries.find_by_positions([StreamPosition(sourcing, 2), StreamPosition(sourcing, 9)])
    assert found == to_rows(records[2:3])
    assert await repositories.queries.find_by_positions([]) == []


async def test_holders_of_places_and_placements_are_found_by_what_their_payload_contains(
    repositories: Repositories, builder: RecordBuilder
) -> None:
    place = an_example_of(Place)
    alder, birch = (
        EligibilityChanged(provider_id=to_provider_id(name), places=(place,)) for name in ("Alder", "Birch")
    )
    placed = an_example_of(PackagePlaced)
    records = builder.publish(alder, birch, alder, an_example_of(OfferMade), placed)
    others = RecordBuilder(council=CouncilKey("another")).publish(an_example_of(EligibilityChanged), placed)
    await repositories.record_batch(*records)
    assert await repositories.record_batch(*[replace(each, position=move_on(each, by=100)) for each in others]) != []
    scope = EvidenceScope(some_care(framework=place.framework, lot=place.lot, area=place.area), ())
    holders = await repositories.queries.find_holders(COUNCIL, [b"nothing", *scope.list_place_fragments()])
    assert holders == sorted({str(alder.provider_id), str(birch.provider_id)})
    assert await repositories.queries.find_holders(COUNCIL, [b'"area":"elsewhere"']) == []
    of_area = EvidenceScope(some_care(area=placed.area), ()).make_placement_fragment()
    assert await repositories.queries.find_placements(COUNCIL, of_area) == to_rows(records[-1:])
    assert await repositories.queries.find_placements(COUNCIL, b'"area":"elsewhere"') == []


def move_on(record: RawRecord, *, by: int) -> RecordPosition:
    """Returns a later position, so that another builder's records have places of their own."""
    return replace(record.position, offset=record.position.offset + by)


@pytest.mark.parametrize("statement", [HOLDERS, PLACEMENTS], ids=["holders", "placements"])
async def test_holders_and_placements_are_found_by_an_index(postgres: TestPostgres, statement: TextClause) -> None:
    async with a_database(postgres, TABLES, name="audit") as database, database.begin_transaction() as connection:
        await connection.run("SET LOCAL enable_seqscan = off")
        arguments = {"council": COUNCIL} | ({"fragments": [b""]} if statement is HOLDERS else {"fragment": b""})
        plan = await connection.execute(text(f"EXPLAIN {statement}"), arguments)
        assert "records_of_holders_and_placements" in "\n".join(row[0] for row in plan)


async def test_the_record_is_read_stream_by_stream_after_any_stream(
    repositories: Repositories, builder: RecordBuilder
) -> None:
    await repositories.record_batch(*builder.publish(EVENTS[1], EVENTS[0], EVENTS[2], make_registration("Alder")))
    streams = [row.stream for row in await repositories.read_all()]
    assert [stream.source for stream in streams] == [
        "/calloff/referral",
        "/calloff/sourcing",
        "/calloff/sourcing",
        "/calloff/provider-registry",
    ]
    assert [row.stream for row in await repositories.read_all(streams[0])] == streams[1:]
    assert await repositories.read_all(streams[-1]) == []


async def test_missing_offsets_are_found(repositories: Repositories, builder: RecordBuilder) -> None:
    records = builder.publish(*EVENTS)
    await repositories.record_batch(records[0], records[1], records[3])
    (missing,) = await repositories.queries.find_missing(limit=5)
    assert (missing.kind, missing.position) == (FaultKind.MISSING, records[3].position)


async def test_violations_are_listed_newest_first_in_pages_for_their_own_council(
    repositories: Repositories, builder: RecordBuilder
) -> None:
    entries = [parse_record(each) for each in builder.publish(*EVENTS)]
    async with repositories.open_store() as store:
        for hour, entry in enumerate(entries):
            at = MONDAY_NINE + timedelta(hours=hour)
            await store.add_violations([entry.make_fault(FaultKind.GAP), entry.make_fault(FaultKind.LATE)], at=at)
            await store.add_violations([entry.make_fault(FaultKind.GAP)], at=at + timedelta(days=1))
    first = await repositories.queries.list_violations(COUNCIL, after=None, limit=3)
    last = await repositories.queries.list_violations(COUNCIL, after=(first[-1].found_at, first[-1].id), limit=50)
    assert [len(first), len(last)] == [3, 5]
    instants = [each.found_at for each in (*first, *last)]
    assert instants == sorted(instants, reverse=True)
    assert await repositories.queries.list_violations(CouncilKey("another"), after=None, limit=3) == []
