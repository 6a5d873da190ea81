"""`migrate --wait` ends when the database has the tables that this version needs, and not before."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Final

import pytest_asyncio
from alembic.script import ScriptDirectory
from sqlalchemy import make_url

import audit
from service_runtime.postgres.database import Database
from service_runtime.postgres.migrations import SchemaState, migrate, wait_until_migrated
from testkit.captured_logs import CapturedLogs
from testkit.databases import DatabaseRoles, create_database_with_roles
from testkit.servers import TestPostgres
from testkit.waiting import wait_until

MIGRATIONS: Final = Path(audit.__file__).parent / "migrations"


async def wait_for_entry(log: CapturedLogs) -> Mapping[str, object]:
    (entry, *_) = await wait_until(lambda: log.find_entries("waiting for the migration of the database"), within=60)
    return entry.fields


@pytest_asyncio.fixture
async def roles(postgres: TestPostgres) -> AsyncGenerator[DatabaseRoles]:
    yield await create_database_with_roles(postgres, "waits")


@pytest_asyncio.fixture
async def as_service(roles: DatabaseRoles) -> AsyncGenerator[Database]:
    database = Database(roles.service_url, name="service")
    yield database
    await database.close()


async def _set_revision(roles: DatabaseRoles, revision: str) -> None:
    owner = Database(roles.owner_url, name="owner")
    async with owner.begin_transaction() as connection:
        await connection.fetch("UPDATE alembic_version SET version_num = $1", revision)
    await owner.close()


async def _migrate(roles: DatabaseRoles) -> None:
    owner = Database(roles.owner_url, name="owner")
    await migrate(owner, MIGRATIONS, service_role=roles.service_role)
    await owner.close()


async def test_the_role_of_the_service_waits_until_the_owner_has_migrated(
    roles: DatabaseRoles, as_service: Database
) -> None:
    log = CapturedLogs()
    waiting = asyncio.create_task(wait_until_migrated(as_service, MIGRATIONS, log=log, pause=0.01))
    assert (await wait_for_entry(log))["state"] == SchemaState.MISSING.value
    assert not waiting.done()
    await _migrate(roles)
    await waiting


async def test_it_waits_at_an_earlier_revision(roles: DatabaseRoles, as_service: Database) -> None:
    await _migrate(roles)
    await _set_revision(roles, "0001")
    log = CapturedLogs()
    waiting = asyncio.create_task(wait_until_migrated(as_service, MIGRATIONS, log=log, pause=0.01))
    assert (await wait_for_entry(log))["state"] == SchemaState.OLDER.value
    assert not waiting.done()
    await _set_revision(roles, str(ScriptDirectory(str(MIGRATIONS)).get_current_head()))
    await waiting


async def test_a_database_that_a_later_version_has_migrated_is_accepted(
    roles: DatabaseRoles, as_service: Database
) -> None:
    await _migrate(roles)
    await _set_revision(roles, "9999")
    await wait_until_migrated(as_service, MIGRATIONS, log=CapturedLogs())


async def test_a_role_that_is_made_later_is_waited_for(roles: DatabaseRoles) -> None:
    await _migrate(roles)
    url = make_url(roles.service_url).set(username="later")
    database, log = Database(url.render_as_string(hide_password=False), name="service"), CapturedLogs()
    waiting = asyncio.create_task(wait_until_migrated(database, MIGRATIONS, log=log, pause=0.01))
    try:
        assert "refuses the login" in str((await wait_for_entry(log))["error"])
        assert not waiting.done()
    finally:
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await database.close()
