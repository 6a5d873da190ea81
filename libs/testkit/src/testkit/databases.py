"""Creates databases for tests, with the runtime's tables and further ones, and reads from them."""

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Protocol

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from service_runtime.postgres import schema
from service_runtime.postgres.database import Database
from service_runtime.unit_of_work.rounds import TASK_NAME

_FINISH_WITHIN: Final = 30.0
"""Seconds for commits that are under way."""
ROLE_SUFFIXES: Final = {"owner": "_owner", "service": "_service"}
"""What follows the name of a database in the names of its roles."""


class DatabaseFactory(Protocol):
    """Creates databases; the fixture `postgres` implements it."""

    async def create_database(self, name: str, *, template: str | None = None) -> str:
        """Creates a database and returns its address; `template` is the address of a database to copy."""
        ...


@dataclass(frozen=True)
class DatabaseRoles:
    """The addresses of one database for the owner of its tables and for the service that works on them."""

    owner_url: str
    service_url: str

    @property
    def service_role(self) -> str:
        return make_url(self.service_url).username or ""


async def create_database_with_roles(databases: DatabaseFactory, name: str) -> DatabaseRoles:
    """Creates a database with two roles of its own, as an installation has them; they end with the database."""
    administrator = make_url(await databases.create_database(name))
    created, password = administrator.database or "", secrets.token_hex(16)
    roles = {role: f"{created}{ROLE_SUFFIXES[role]}" for role in ROLE_SUFFIXES}
    engine = create_async_engine(administrator, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    async with engine.connect() as connection:
        for role in roles.values():
            await connection.execute(text(f"CREATE ROLE \"{role}\" LOGIN PASSWORD '{password}'"))
        await connection.execute(text(f'ALTER DATABASE "{created}" OWNER TO "{roles["owner"]}"'))
        # A test looks for personal data in the server's log, whose folder is a setting.
        await connection.execute(text(f'GRANT pg_read_all_settings TO "{roles["owner"]}"'))
    await engine.dispose()
    urls = {
        role: administrator.set(username=name, password=password).render_as_string(hide_password=False)
        for role, name in roles.items()
    }
    return DatabaseRoles(urls["owner"], urls["service"])


@asynccontextmanager
async def a_database(databases: DatabaseFactory, *scripts: str, name: str = "runtime") -> AsyncGenerator[Database]:
    """Creates a database with the runtime's tables and those of `scripts`; closes its connections at the end."""
    database = Database(await databases.create_database(name), name=name)
    try:
        async with database.begin_transaction() as connection:
            for script in (schema.TABLES, *scripts):
                for statement in schema.split_statements(script):
                    await connection.run(statement)
        yield database
    finally:
        await _finish_commits()
        await database.close()


async def _finish_commits() -> None:
    """Waits for commits whose callers were cancelled: they would open the database again after it is closed."""
    if rounds := [task for task in asyncio.all_tasks() if task.get_name() == TASK_NAME]:
        await asyncio.wait(rounds, timeout=_FINISH_WITHIN)


async def fetch_rows(database: Database, query: str, **arguments: object) -> list[Any]:
    """Runs `query` in a new transaction and returns its rows. Any: the columns depend on the query."""
    async with database.begin_transaction() as connection:
        return (await connection.execute(text(query), arguments)).all()


async def fetch_number(database: Database, query: str, **arguments: object) -> int:
    """Runs `query` in a new transaction and returns the first column of its first row as a number."""
    rows = await fetch_rows(database, query, **arguments)
    return int(rows[0][0])
