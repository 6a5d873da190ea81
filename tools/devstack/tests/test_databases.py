"""The databases of the embedded stack: a role owns the tables, and the service connects as another one."""

import secrets

import pytest

from devstack.config import ServiceDefinition
from devstack.databases import create_databases
from devstack.embedded import EmbeddedPostgres
from service_runtime.postgres import schema
from service_runtime.postgres.database import Database
from service_runtime.postgres.errors import StatementRefused
from service_runtime.postgres.grants import grant_privileges
from testkit.servers import TestPostgres

pytestmark = pytest.mark.servers

TABLE_OWNERS = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"


def start(own_postgres: TestPostgres) -> tuple[EmbeddedPostgres, ServiceDefinition, dict[str, str]]:
    """Returns the server, a service of a new name, and the passwords of its roles."""
    assert own_postgres.server is not None
    service = ServiceDefinition("sample", f"sample_{secrets.token_hex(4)}")
    return own_postgres.server, service, {role: secrets.token_hex(8) for role in (service.package, service.owner)}


def connect(server: EmbeddedPostgres, service: ServiceDefinition, role: str, passwords: dict[str, str]) -> Database:
    return Database(server.get_url(service.package, role, passwords[role]), name="test", pool_size=2)


async def test_the_owner_creates_tables_and_the_service_may_not_unguard_them(own_postgres: TestPostgres) -> None:
    server, service, passwords = start(own_postgres)
    await create_databases(server, [service], passwords)
    owner, own = (connect(server, service, role, passwords) for role in (service.owner, service.package))
    async with owner.open_unpooled_connection() as connection:
        await connection.run(schema.TABLES)
    async with owner.open_migration_connection() as connection:
        await grant_privileges(connection, service.package)
    assert await own.fetch("SELECT count(*) FROM journal")
    with pytest.raises(StatementRefused, match="must be owner of table journal"):
        await own.fetch("ALTER TABLE journal DISABLE TRIGGER ALL")
    for database in (owner, own):
        await database.close()


async def test_the_tables_of_an_older_stack_are_given_to_the_owner_at_the_next_start(
    own_postgres: TestPostgres,
) -> None:
    server, service, passwords = start(own_postgres)
    administration = Database(server.get_url(), name="test", pool_size=2)
    async with administration.open_unpooled_connection() as connection:
        await connection.run(f"CREATE ROLE {service.package} LOGIN PASSWORD '{passwords[service.package]}'")
        await connection.run(f"CREATE DATABASE {service.package} OWNER {service.package}")
    own = connect(server, service, service.package, passwords)
    async with own.open_unpooled_connection() as connection:
        await connection.run(schema.TABLES)

    for _ in range(2):  # a second start changes nothing
        await create_databases(server, [service], passwords)
        assert [row.tableowner for row in await own.fetch(TABLE_OWNERS)] == [service.owner]
    owner = connect(server, service, service.owner, passwords)
    async with owner.open_migration_connection() as connection:
        await grant_privileges(connection, service.package)
    assert await own.fetch("SELECT count(*) FROM journal")
    with pytest.raises(StatementRefused, match="must be owner"):
        await own.fetch("DROP TABLE journal")
    for database in (administration, owner, own):
        await database.close()
