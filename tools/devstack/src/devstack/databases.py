"""One database and one role for each service; no role can connect to another service's database."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from devstack.embedded import EmbeddedPostgres

_SELECT_ROLES = text("SELECT rolname FROM pg_roles")
_SELECT_DATABASES = text("SELECT datname FROM pg_database")
_SELECT_CLUSTER_ID = text("SELECT CAST(system_identifier AS text) FROM pg_control_system()")


async def create_databases(server: EmbeddedPostgres, passwords: dict[str, str]) -> None:
    """Creates a role and a database of the same name for each entry; existing roles get the given passwords."""
    async with _connect_as_superuser(server) as connection:
        roles = set(await connection.scalars(_SELECT_ROLES))
        databases = set(await connection.scalars(_SELECT_DATABASES))
        await connection.execute(text("REVOKE CONNECT ON DATABASE postgres FROM PUBLIC"))
        for role, password in passwords.items():
            verb = "ALTER" if role in roles else "CREATE"
            await connection.execute(
                text(f"{verb} ROLE {_quote_identifier(role)} LOGIN PASSWORD {_quote_literal(password)}")
            )
            if role not in databases:
                await connection.execute(
                    text(f"CREATE DATABASE {_quote_identifier(role)} OWNER {_quote_identifier(role)}")
                )
            await connection.execute(text(f"REVOKE CONNECT ON DATABASE {_quote_identifier(role)} FROM PUBLIC"))


async def read_cluster_id(server: EmbeddedPostgres) -> str:
    """PostgreSQL's system identifier; a cluster that is created again has a new one."""
    async with _connect_as_superuser(server) as connection:
        return str(await connection.scalar(_SELECT_CLUSTER_ID))


@asynccontextmanager
async def _connect_as_superuser(server: EmbeddedPostgres) -> AsyncGenerator[AsyncConnection]:
    engine = create_async_engine(server.get_url(), isolation_level="AUTOCOMMIT", poolclass=NullPool)
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
