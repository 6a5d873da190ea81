"""One database and one role a service, and no role can read another's."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from devstack.embedded import EmbeddedPostgres

_ROLES = text("SELECT rolname FROM pg_roles")
_DATABASES = text("SELECT datname FROM pg_database")
_SYSTEM = text("SELECT CAST(system_identifier AS text) FROM pg_control_system()")


async def create_databases(server: EmbeddedPostgres, passwords: dict[str, str]) -> None:
    """A role and a database of the same name for each entry; done again, only the passwords are set anew."""
    async with _superuser(server) as connection:
        roles = set(await connection.scalars(_ROLES))
        databases = set(await connection.scalars(_DATABASES))
        await connection.execute(text("REVOKE CONNECT ON DATABASE postgres FROM PUBLIC"))
        for role, password in passwords.items():
            verb = "ALTER" if role in roles else "CREATE"
            await connection.execute(text(f"{verb} ROLE {_name(role)} LOGIN PASSWORD {_literal(password)}"))
            if role not in databases:
                await connection.execute(text(f"CREATE DATABASE {_name(role)} OWNER {_name(role)}"))
            await connection.execute(text(f"REVOKE CONNECT ON DATABASE {_name(role)} FROM PUBLIC"))


async def identity_of(server: EmbeddedPostgres) -> str:
    """What PostgreSQL calls this one cluster; another one, or the same emptied, has another."""
    async with _superuser(server) as connection:
        return str(await connection.scalar(_SYSTEM))


@asynccontextmanager
async def _superuser(server: EmbeddedPostgres) -> AsyncGenerator[AsyncConnection]:
    engine = create_async_engine(server.url(), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


# Statements about roles and databases take no parameters; names are ours, passwords of letters, digits, - and _.
def _name(name: str) -> str:
    return f'"{name}"'


def _literal(password: str) -> str:
    return "'" + password.replace("'", "''").replace(":", "\\:") + "'"
