"""One database and two roles for each service: its own and the owner; no other role can connect to the database."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from devstack.config import ServiceDefinition

_SELECT_ROLES = text("SELECT rolname FROM pg_roles")
_SELECT_DATABASES = text("SELECT datname FROM pg_database")
_SELECT_CLUSTER_ID = text("SELECT CAST(system_identifier AS text) FROM pg_control_system()")


class PostgresServer(Protocol):
    """A server that is known by the superuser's URL of each of its databases."""

    def get_url(self, database: str) -> str: ...


@dataclass(frozen=True)
class PostgresAtUrl(PostgresServer):
    """A server anywhere. `url` is an SQLAlchemy URL for asyncpg with the superuser's name and password."""

    url: str = field(repr=False)

    def get_url(self, database: str) -> str:
        return make_url(self.url).set(database=database).render_as_string(hide_password=False)


async def create_databases(
    server: PostgresServer, services: Sequence[ServiceDefinition], passwords: Mapping[str, str]
) -> None:
    """Creates the database of each service, the role that owns it, and the role that the service connects as.

    Existing roles get the given passwords. Tables of a service's own role, as stacks of an older version have them, are
    given to the owner; `migrate` then grants the service what it needs.
    """
    async with _connect_as_superuser(server) as connection:
        roles = set(await connection.scalars(_SELECT_ROLES))
        databases = set(await connection.scalars(_SELECT_DATABASES))
        await connection.execute(text("REVOKE CONNECT ON DATABASE postgres FROM PUBLIC"))
        for service in services:
            for role in (service.owner, service.package):
                verb = "ALTER" if role in roles else "CREATE"
                login = f"{_quote_identifier(role)} LOGIN PASSWORD {_quote_literal(passwords[role])}"
                await connection.execute(text(f"{verb} ROLE {login}"))
            await _create_database(connection, service, exists=service.package in databases)
    for service in services:
        if service.package in databases:
            await _give_tables_to_owner(server, service)


async def _create_database(connection: AsyncConnection, service: ServiceDefinition, *, exists: bool) -> None:
    database, owner = _quote_identifier(service.package), _quote_identifier(service.owner)
    verb = f"ALTER DATABASE {database} OWNER TO" if exists else f"CREATE DATABASE {database} OWNER"
    await connection.execute(text(f"{verb} {owner}"))
    await connection.execute(text(f"REVOKE ALL ON DATABASE {database} FROM PUBLIC"))
    await connection.execute(text(f"GRANT CONNECT ON DATABASE {database} TO {_quote_identifier(service.package)}"))


async def _give_tables_to_owner(server: PostgresServer, service: ServiceDefinition) -> None:
    former, owner = _quote_identifier(service.package), _quote_identifier(service.owner)
    async with _connect_as_superuser(server, service.package) as connection:
        await connection.execute(text(f"REASSIGN OWNED BY {former} TO {owner}"))


async def read_cluster_id(server: PostgresServer) -> str:
    """PostgreSQL's system identifier; a cluster that is created again has a new one."""
    async with _connect_as_superuser(server) as connection:
        return str(await connection.scalar(_SELECT_CLUSTER_ID))


@asynccontextmanager
async def _connect_as_superuser(server: PostgresServer, database: str = "postgres") -> AsyncGenerator[AsyncConnection]:
    engine = create_async_engine(server.get_url(database), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


# Statements about roles and databases take no parameters. Names are constants; passwords hold letters, digits, - and _.
def _quote_identifier(name: str) -> str:
    return f'"{name}"'


def _quote_literal(password: str) -> str:
    return "'" + password.replace("'", "''").replace(":", "\\:") + "'"
