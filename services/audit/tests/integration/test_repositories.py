"""One suite over the record in memory and on PostgreSQL: a fake that passes it can stand in for the real one."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
import pytest_asyncio

from audit.domain.chains import Link, judge
from audit.domain.records import Arrived, FaultKind, Place, StreamName, read
from audit.domain.verification import Stored
from audit.ports import Record, RecordQueries
from audit.store import TABLES
from audit.store.queries import PostgresRecordQueries
from audit.store.records import PostgresRecord
from contracts.catalogue import PACKAGES, PARKED, PROVIDERS
from contracts.events.operations import KeyParked
from contracts.events.packages import OfferDeclined, OfferMade, PackageRequested, SourcingStarted
from contracts.events.providers import ProviderRegistered
from contracts.ids import CouncilKey
from service_runtime.postgres.database import Database
from testkit.audit.builders import COUNCIL, PACKAGE, InMemoryRecord, Press, provider, registered, stored
from testkit.contract_examples import MONDAY_NINE, an_example_of
from testkit.databases import a_database
from testkit.servers import TestPostgres


@dataclass(frozen=True)
class Repositories:
    """What writes, in a transaction, and what reads."""

    record: Callable[[], AbstractAsyncContextManager[Record]]
    ask: RecordQueries

    async def takes_in(self, *records: Arrived) -> list[FaultKind]:
        entries = [read(each) for each in records]
        async with self.record() as record:
            chains = await record.chains_of(entries)
            kept = await record.keep(entries, at=MONDAY_NINE)
            faults = [*judge(kept.fresh, chains), *kept.clashes]
            await record.note(faults, at=MONDAY_NINE)
        return [each.kind for each in faults]

    async def everything(self, after: StreamName | None = None) -> list[Stored]:
        return [row async for row in self.ask.by_stream(after)]


def in_memory() -> Repositories:
    kept = InMemoryRecord()

    @asynccontextmanager
    async def record() -> AsyncGenerator[Record]:
        yield kept

    return Repositories(record, kept)


def on_postgres(database: Database) -> Repositories:
    @asynccontextmanager
    async def record() -> AsyncGenerator[Record]:
        async with database.transaction() as connection:
            yield PostgresRecord(connection)

    return Repositories(record, PostgresRecordQueries(database))


@pytest_asyncio.fixture(params=["memory", "postgres"])
async def repositories(request: pytest.FixtureRequest, postgres: TestPostgres) -> AsyncGenerator[Repositories]:
    if request.param == "memory":
        yield in_memory()
        return
    async with a_database(postgres, TABLES, name="audit") as database:
        yield on_postgres(database)


@pytest.fixture
def press() -> Press:
    return Press()


EVENTS = tuple(an_example_of(each) for each in (PackageRequested, SourcingStarted, OfferMade, OfferDeclined))


def rows_of(records: Sequence[Arrived]) -> list[Stored]:
    return [stored(read(each)) for each in records]


async def test_what_was_kept_is_found_as_it_came(repositories: Repositories, press: Press) -> None:
    records = press.says(*EVENTS)
    assert await repositories.takes_in(*records) == []
    assert await repositories.ask.of_package(PACKAGE) == rows_of(records)


async def test_what_is_kept_already_is_neither_kept_nor_judged_again(repositories: Repositories, press: Press) -> None:
    records = press.says(*EVENTS)
    await repositories.takes_in(*records[:3])
    assert await repositories.takes_in(*records) == []
    assert await repositories.ask.of_package(PACKAGE) == rows_of(records)


async def test_other_bytes_at_a_kept_position_are_a_violation_and_change_nothing(
    repositories: Repositories, press: Press
) -> None:
    (record,) = press.says(EVENTS[0])
    await repositories.takes_in(record)
    assert await repositories.takes_in(replace(record, headers=record.headers + b" ")) == [FaultKind.OTHER_BYTES]
    assert await repositories.ask.of_package(PACKAGE) == rows_of([record])


async def test_chains_go_on_from_batch_to_batch(repositories: Repositories, press: Press) -> None:
    one, two, three, four = press.says(*EVENTS)
    assert await repositories.takes_in(one, two) == []
    assert await repositories.takes_in(four) == [FaultKind.GAP]
    assert await repositories.takes_in(three) == [FaultKind.LATE]


async def test_repeats_are_known_again_far_behind_the_end(repositories: Repositories, press: Press) -> None:
    pairs = [(press.envelope(event), event) for event in EVENTS]
    await repositories.takes_in(*[press.record(*pair) for pair in pairs])
    assert await repositories.takes_in(*[press.record(*pair) for pair in pairs]) == []
    assert len(await repositories.ask.of_package(PACKAGE)) == 2 * len(EVENTS)


async def test_a_fork_far_behind_the_end_is_found(repositories: Repositories, press: Press) -> None:
    await repositories.takes_in(*press.says(*EVENTS))
    other = Press(at=press.at)
    other.envelope(EVENTS[0])
    forked = replace(other.record(other.envelope(EVENTS[1]), EVENTS[1]), position=press.says(EVENTS[0])[0].position)
    assert await repositories.takes_in(forked) == [FaultKind.FORK]


async def test_a_chain_knows_its_end_and_whatever_the_batch_comes_back_to(
    repositories: Repositories, press: Press
) -> None:
    await repositories.takes_in(*press.says(*EVENTS))
    (following,) = press.says(an_example_of(OfferDeclined))
    async with repositories.record() as record:
        entry = read(following)
        assert entry.envelope is not None
        chain = (await record.chains_of([entry]))[entry.stream]
        assert chain.follow(Link.of(entry.envelope)) == ()


async def test_what_cannot_be_read_is_kept_without_a_stream(repositories: Repositories, press: Press) -> None:
    nothing = press.raw(PACKAGES, None, None, None)
    assert await repositories.takes_in(nothing) == [FaultKind.UNREADABLE_ENVELOPE]
    assert await repositories.everything() == rows_of([nothing])


async def test_parked_keys_belong_to_a_packages_story(repositories: Repositories, press: Press) -> None:
    records = press.says(EVENTS[0], an_example_of(KeyParked, parked_key=str(PACKAGE)))
    await repositories.takes_in(*records)
    found = await repositories.ask.of_package(PACKAGE)
    assert [row.stream.topic for row in found] == [PACKAGES, PARKED]


async def test_events_are_found_by_subject_and_type(repositories: Repositories, press: Press) -> None:
    records = press.says(registered("Alder"), registered("Birch"), registered("Cedar"), *EVENTS)
    await repositories.takes_in(*records)
    subjects = [str(provider("Alder")), str(provider("Cedar"))]
    found = await repositories.ask.of_subjects(PROVIDERS, subjects, [ProviderRegistered.type_name()])
    assert {row.stream.subject for row in found} == set(subjects)
    assert await repositories.ask.of_subjects(PROVIDERS, subjects, [OfferMade.type_name()]) == []


async def test_events_are_found_by_their_places(repositories: Repositories, press: Press) -> None:
    records = press.says(*EVENTS)
    await repositories.takes_in(*records)
    sourcing = StreamName(PACKAGES, str(PACKAGE), "/calloff/sourcing")
    found = await repositories.ask.at_places([Place(sourcing, 2), Place(sourcing, 9)])
    assert found == rows_of(records[2:3])
    assert await repositories.ask.at_places([]) == []


async def test_the_whole_record_comes_stream_by_stream_and_from_any_stream_on(
    repositories: Repositories, press: Press
) -> None:
    await repositories.takes_in(*press.says(EVENTS[1], EVENTS[0], EVENTS[2], registered("Alder")))
    streams = [row.stream for row in await repositories.everything()]
    assert [stream.source for stream in streams] == [
        "/calloff/referral",
        "/calloff/sourcing",
        "/calloff/sourcing",
        "/calloff/provider-registry",
    ]
    assert [row.stream for row in await repositories.everything(streams[0])] == streams[1:]
    assert await repositories.everything(streams[-1]) == []


async def test_offsets_that_are_missing_are_found(repositories: Repositories, press: Press) -> None:
    records = press.says(*EVENTS)
    await repositories.takes_in(records[0], records[1], records[3])
    (missing,) = await repositories.ask.missing(limit=5)
    assert (missing.kind, missing.position) == (FaultKind.MISSING, records[3].position)


async def test_violations_come_newest_first_in_pages_and_to_their_own_council(
    repositories: Repositories, press: Press
) -> None:
    entries = [read(each) for each in press.says(*EVENTS)]
    async with repositories.record() as record:
        for hour, entry in enumerate(entries):
            at = MONDAY_NINE + timedelta(hours=hour)
            await record.note([entry.fault(FaultKind.GAP), entry.fault(FaultKind.LATE)], at=at)
            await record.note([entry.fault(FaultKind.GAP)], at=at + timedelta(days=1))
    first = await repositories.ask.violations(COUNCIL, after=None, limit=3)
    last = await repositories.ask.violations(COUNCIL, after=(first[-1].found_at, first[-1].id), limit=50)
    assert [len(first), len(last)] == [3, 5]
    instants = [each.found_at for each in (*first, *last)]
    assert instants == sorted(instants, reverse=True)
    assert await repositories.ask.violations(CouncilKey("another"), after=None, limit=3) == []
