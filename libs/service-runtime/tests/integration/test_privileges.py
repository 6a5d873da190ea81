"""The service's database role: it reads and appends to the journal, and cannot change, empty, drop or unguard it."""

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from service_runtime.postgres import schema
from service_runtime.postgres.database import Database
from service_runtime.postgres.errors import StatementRefused, is_transient
from service_runtime.postgres.grants import grant_privileges
from testkit.databases import create_database_with_roles
from testkit.servers import TestPostgres

INSUFFICIENT_PRIVILEGE = "42501"
OWN_TABLE = "CREATE TABLE records (n int); CREATE TABLE notes (n int); CREATE TABLE moved (n int);"
RESERVED = (
    "ALTER TABLE journal DISABLE TRIGGER ALL",
    "ALTER TABLE journal DISABLE TRIGGER journal_is_append_only",
    "ALTER TABLE journal ADD COLUMN forged text",
    "ALTER TABLE journal OWNER TO CURRENT_USER",
    "DROP TRIGGER journal_is_append_only ON journal",
    "DROP TABLE journal CASCADE",
    "DROP FUNCTION journal_is_append_only() CASCADE",
    "TRUNCATE journal CASCADE",
    "UPDATE journal SET actor = 'nobody'",
    "DELETE FROM journal",
    "DELETE FROM inbox",
    "DELETE FROM archives",
    "INSERT INTO archives VALUES ('a', 'journal', '2026-01-01', 1, '', now(), 1, 9)",
    "UPDATE outages SET up_at = now()",
    "UPDATE records SET n = 2",
    "DELETE FROM records",
    "INSERT INTO moved VALUES (1)",
    "SET session_replication_role = replica",
    "CREATE OR REPLACE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE FUNCTION own() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE TABLE own (n int)",
    "UPDATE alembic_version SET version_num = '0001'",
)


@pytest_asyncio.fixture(scope="module")
async def service_database(postgres: TestPostgres) -> AsyncGenerator[Database]:
    """The database as the role of the service; the owner has created the tables and granted the privileges."""
    roles = await create_database_with_roles(postgres, "privileges")
    owner, service = Database(roles.owner_url, name="owner"), Database(roles.service_url, name="service")
    async with owner.open_unpooled_connection() as connection:
        await connection.run(schema.TABLES + OWN_TABLE + "CREATE TABLE alembic_version (version_num text);")
    async with owner.open_migration_connection() as connection:
        await grant_privileges(connection, roles.service_role, append_only=("records",), read_only=("moved",))
    yield service
    await service.close()
    await owner.close()


@pytest.mark.parametrize("statement", RESERVED, ids=lambda statement: statement[:60])
async def test_what_only_the_owner_may_do_is_refused(service_database: Database, statement: str) -> None:
    with pytest.raises(StatementRefused) as refused:
        async with service_database.begin_transaction() as connection:
            await connection.run(statement)
    assert refused.value.sqlstate == INSUFFICIENT_PRIVILEGE
    assert not is_transient(refused.value)


@pytest.mark.parametrize("statement", ["INSERT INTO records VALUES (1)", "DELETE FROM notes", "SELECT * FROM journal"])
async def test_what_the_service_needs_is_allowed(service_database: Database, statement: str) -> None:
    async with service_database.begin_transaction() as connection:
        await connection.run(statement)


async def test_privileges_that_were_granted_by_hand_are_taken_away_by_the_next_migration(
    postgres: TestPostgres,
) -> None:
    roles = await create_database_with_roles(postgres, "privileges")
    owner = Database(roles.owner_url, name="owner")
    async with owner.open_unpooled_connection() as connection:
        await connection.run(schema.TABLES)
        await connection.run(f'GRANT ALL ON ALL TABLES IN SCHEMA public TO "{roles.service_role}"')
    async with owner.open_migration_connection() as connection:
        await grant_privileges(connection, roles.service_role)
    granted = await owner.fetch(
        """
        SELECT privilege_type FROM information_schema.role_table_grants
        WHERE table_name = 'journal' AND grantee = $1 ORDER BY privilege_type
        """,
        roles.service_role,
    )
    assert [row.privilege_type for row in granted] == ["INSERT", "SELECT"]
    await owner.close()


async def test_a_plain_installation_with_one_role_keeps_it_as_the_owner(postgres: TestPostgres) -> None:
    roles = await create_database_with_roles(postgres, "privileges")
    owner = Database(roles.owner_url, name="owner")
    async with owner.open_unpooled_connection() as connection:
        await connection.run(schema.TABLES)
    async with owner.open_migration_connection() as connection:
        await grant_privileges(connection, roles.service_role.replace("_service", "_owner"))
    async with owner.begin_transaction() as connection:
        await connection.run("UPDATE streams SET revision = 1")
    await owner.close()
