"""`migrate --wait` ends when the database has the tables that this version needs, and not before."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final

import pytest_asyncio

import audit
from service_runtime.observability.logs import Logger
from service_runtime.postgres.database import Database
from service_runtime.postgres.migrations import migrate, wait_until_migrated
from testkit.databases import DatabaseRoles, create_database_with_roles
from testkit.servers import TestPostgres

MIGRATIONS: Final = Path(audit.__file__).parent / "migrations"


class KeptLog(Logger):
    """Keeps what is logged, and tells when something is."""

    def __init__(self) -> None:
        self.entries: list[dict[str, object]] = []
        self.written = asyncio.Event()

    def info(self, event: str, **fields: object) -> None:
        self.entries.append({"event": event, **fields})
        self.written.set()

    def debug(self, event: str, **fields: object) -> None:
        self.info(event, **fields)

    def warning(self, event: str, **fields: object) -> None:
        self.info(event, **fields)

    def error(self, event: str, **fields: object) -> None:
        self.info(event, **fields)


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
    log = KeptLog()
    waiting = asyncio.create_task(wait_until_migrated(as_service, MIGRATIONS, log=log, pause=0.01))
    await log.written.wait()
    assert not waiting.done()
    assert (log.entries[0]["at"], log.entries[0]["missing"]) == (None, "42P01")
    await _migrate(roles)
    await waiting


async def test_it_waits_at_an_earlier_revision(roles: DatabaseRoles, as_service: Database) -> None:
    await _migrate(roles)
    await _set_revision(roles, "0001")
    log = KeptLog()
    waiting = asyncio.create_task(wait_until_migrated(as_service, MIGRATIONS, log=log, pause=0.01))
    await log.written.wait()
    assert not waiting.done()
    assert log.entries[0]["at"] == "0001"
    await _set_revision(roles, str(log.entries[0]["needed"]))
    await waiting


async def test_a_database_that_a_later_version_has_migrated_is_accepted(
    roles: DatabaseRoles, as_service: Database
) -> None:
    await _migrate(roles)
    await _set_revision(roles, "9999")
    await wait_until_migrated(as_service, MIGRATIONS, log=KeptLog())
