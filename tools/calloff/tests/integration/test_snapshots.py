"""Snapshots of several databases are of one instant, however fast events pass between them."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import TextClause, text

from calloff.backup.addresses import DatabaseAddress
from calloff.backup.consistency import check_consistency
from calloff.backup.snapshots import Snapshot, open_snapshots
from contracts.ids import uuid7
from devstack.errors import BackUpFailed, Inconsistent
from service_runtime.postgres import schema
from service_runtime.postgres.database import Database
from testkit.databases import DatabaseFactory, create_database_with_roles

pytestmark = pytest.mark.servers

ROUNDS = 20
CHAINS = 6
NAMES = ("referral", "sourcing", "audit")
RECORDS = """
CREATE TABLE records (source text, event_id uuid, taken_in_at timestamptz, topic text, partition integer,
                      "offset" bigint);
CREATE TABLE violations (topic text, partition integer, "offset" bigint);
"""
"""The columns of audit's tables that the check reads."""
PUBLISH = text(
    """
    INSERT INTO journal (id, topic, key, version, type, occurred_at, actor, cause, headers, payload, hash)
    VALUES (:id, 'homecare.packages.v1', CAST(:id AS text), 1, 'a', now(), 'a', 'a', '[]', '', '')
    """
)
HANDLE = text("INSERT INTO inbox (event_id, handled_at) VALUES (:id, now())")
RECORD = text("INSERT INTO records VALUES ('/calloff/referral', :id, now(), 'homecare.packages.v1', 0, 0)")
VIOLATION = text("INSERT INTO violations VALUES ('homecare.packages.v1', 0, 0)")
HANDLED_IDS = text("SELECT event_id FROM inbox")
PUBLISHED_IDS = text("SELECT id FROM journal")


@dataclass(frozen=True)
class Service:
    """A database with the runtime's tables, which handles events and publishes its own."""

    database: Database
    address: DatabaseAddress
    service_url: str

    async def run(self, statement: TextClause, **arguments: object) -> None:
        async with self.database.begin_transaction() as connection:
            await connection.execute(statement, arguments)

    async def handle(self, event_id: UUID | None) -> UUID:
        """In one transaction, as the runtime does: the effect of an event, and an event of the service's own."""
        published = uuid4()
        async with self.database.begin_transaction() as connection:
            if event_id is not None:
                await connection.execute(HANDLE, {"id": event_id})
            await connection.execute(PUBLISH, {"id": published})
        return published


Services = dict[str, Service]


async def create_service(postgres: DatabaseFactory, name: str) -> Service:
    roles = await create_database_with_roles(postgres, name)
    database = Database(roles.owner_url, name=name)
    scripts = (schema.TABLES, RECORDS) if name == "audit" else (schema.TABLES,)
    async with database.begin_transaction() as connection:
        for statement in itertools.chain.from_iterable(map(schema.split_statements, scripts)):
            await connection.run(statement)
        await connection.run(f'GRANT SELECT, INSERT ON journal TO "{roles.service_role}"')
    owner_url = roles.owner_url.replace("+asyncpg", "")
    return Service(database, DatabaseAddress(name, owner_url), roles.service_url.replace("+asyncpg", ""))


@pytest.fixture
async def services(postgres: DatabaseFactory) -> AsyncIterator[Services]:
    created = {name: await create_service(postgres, name) for name in NAMES}
    yield created
    for service in created.values():
        await service.database.close()


def list_addresses(services: Services) -> dict[str, DatabaseAddress]:
    return {name: service.address for name, service in services.items()}


@asynccontextmanager
async def pass_events_around(services: Services) -> AsyncGenerator[None]:
    """Chains of events, each handled by the next service as soon as it is committed."""
    stop = asyncio.Event()

    async def run_chain() -> None:
        event_id = None
        for service in itertools.cycle(services.values()):
            event_id = await service.handle(event_id)
            if stop.is_set():
                return

    chains = [asyncio.create_task(run_chain()) for _ in range(CHAINS)]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*chains)


async def count_handled(snapshots: list[Snapshot]) -> int:
    """Requires that the snapshots hold no effect without its event."""
    handled = {each for one in snapshots for each in await one.connection.scalars(HANDLED_IDS)}
    published = {each for one in snapshots for each in await one.connection.scalars(PUBLISHED_IDS)}
    assert not handled - published
    return len(handled)


async def test_no_snapshot_has_the_effect_of_an_event_that_another_lacks(services: Services) -> None:
    async with pass_events_around(services):
        counts: list[int] = []
        for _ in range(ROUNDS):
            async with open_snapshots(list_addresses(services)) as snapshots:
                counts.append(await count_handled(snapshots))
    assert counts == sorted(counts)
    assert counts[-1] > counts[0]  # events passed between the snapshots


async def test_what_is_committed_after_the_snapshots_is_not_in_them_and_nothing_stays_locked(
    services: Services,
) -> None:
    first = await services["referral"].handle(None)
    async with open_snapshots(list_addresses(services)) as snapshots:
        await services["referral"].handle(None)
        assert list(await snapshots[0].connection.scalars(PUBLISHED_IDS)) == [first]


async def test_a_journal_that_is_written_for_long_is_waited_for(services: Services) -> None:
    written = uuid4()
    async with services["sourcing"].database.begin_transaction() as connection:
        await connection.execute(PUBLISH, {"id": written})
        taking = asyncio.create_task(take_ids(services, "sourcing"))
        done, _ = await asyncio.wait({taking}, timeout=2)
        assert not done
    assert await taking == [written]


async def take_ids(services: Services, name: str) -> list[UUID]:
    async with open_snapshots(list_addresses(services)) as snapshots:
        connection = next(each.connection for each in snapshots if each.address.service == name)
        return list(await connection.scalars(PUBLISHED_IDS))


async def test_a_role_that_may_not_lock_the_journal_is_named(services: Services) -> None:
    service = DatabaseAddress("sourcing", services["sourcing"].service_url)
    with pytest.raises(BackUpFailed, match="the role for sourcing may not lock the journal; use the role that owns"):
        async with open_snapshots(list_addresses(services) | {"sourcing": service}):
            pass


async def test_a_database_without_tables_and_one_that_is_not_there_are_named(
    services: Services, postgres: DatabaseFactory
) -> None:
    url = (await create_database_with_roles(postgres, "empty")).owner_url.replace("+asyncpg", "")
    with pytest.raises(BackUpFailed, match=r"the database of sourcing at .* has no journal; is the address right"):
        async with open_snapshots(list_addresses(services) | {"sourcing": DatabaseAddress("sourcing", url)}):
            pass
    missing = DatabaseAddress("sourcing", f"{url}_missing")
    with pytest.raises(BackUpFailed, match="cannot be reached: InvalidCatalogNameError") as caught:
        async with open_snapshots(list_addresses(services) | {"sourcing": missing}):
            pass
    password = url.partition("@")[0].rpartition(":")[2]
    assert password not in str(caught.value)


async def check(services: Services) -> None:
    async with open_snapshots(list_addresses(services)) as snapshots:
        await check_consistency({each.address.service: each.connection for each in snapshots})


async def test_databases_of_one_instant_are_consistent(services: Services) -> None:
    await check(services)
    event_id = await services["referral"].handle(None)
    await services["sourcing"].handle(event_id)
    await services["audit"].run(RECORD, id=event_id)
    await check(services)


async def test_an_effect_without_its_event_is_found(services: Services) -> None:
    lost = uuid4()
    await services["referral"].handle(None)
    await services["sourcing"].handle(lost)
    expected = rf"sourcing has handled 1 events that no journal holds \(one is {lost}\): restore the named databases"
    with pytest.raises(Inconsistent, match=expected):
        await check(services)


async def test_a_record_without_its_event_is_found_unless_it_is_a_violation(services: Services) -> None:
    lost = uuid4()
    await services["audit"].run(RECORD, id=lost)
    with pytest.raises(Inconsistent, match="audit has recorded 1 events that no journal holds"):
        await check(services)
    await services["audit"].run(VIOLATION)
    await check(services)


ARCHIVED = text(
    """
    INSERT INTO archives (name, kind, month, row_count, sha256, archived_at)
    VALUES ('a', 'journal', '2026-01-01', 1, '', now())
    """
)
PUBLISH_IN_FEBRUARY = text(PUBLISH.text.replace("now()", "'2026-02-01T00:00:20+00:00'"))
HANDLE_IN_FEBRUARY = text(HANDLE.text.replace("now()", "'2026-02-01T00:00:10+00:00'"))
RECORD_IN_FEBRUARY = text(RECORD.text.replace("now()", "'2026-02-01T00:00:10+00:00'"))


async def test_an_archived_event_that_was_handled_after_its_month_is_no_excess(services: Services) -> None:
    archived = uuid7(datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC))
    await services["referral"].run(ARCHIVED)
    await services["referral"].run(PUBLISH_IN_FEBRUARY, id=uuid4())
    await services["sourcing"].run(HANDLE_IN_FEBRUARY, id=archived)
    await services["audit"].run(RECORD_IN_FEBRUARY, id=archived)
    await check(services)
    await services["sourcing"].run(HANDLE_IN_FEBRUARY, id=uuid7(datetime(2026, 2, 1, 0, 0, 5, tzinfo=UTC)))
    with pytest.raises(Inconsistent, match="sourcing has handled 1 events that no journal holds"):
        await check(services)
