"""Databases for tests: new ones, with the runtime's tables and those that a test adds."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Protocol

from sqlalchemy import text

from service_runtime.postgres import schema
from service_runtime.postgres.database import Database


class Databases(Protocol):
    """Whoever can make databases; the `postgres` fixture can."""

    async def create_database(self, name: str, *, template: str | None = None) -> str: ...


@asynccontextmanager
async def a_database(databases: Databases, *scripts: str, name: str = "runtime") -> AsyncGenerator[Database]:
    """A new database with the runtime's tables and those of `scripts`; its connections are closed at the end."""
    database = Database(await databases.create_database(name), name=name)
    try:
        async with database.begin_transaction() as connection:
            for script in (schema.TABLES, *scripts):
                for statement in schema.split_statements(script):
                    await connection.run(statement)
        yield database
    finally:
        await database.close()


async def rows(database: Database, query: str, **arguments: object) -> list[Any]:
    """What `query` finds, in a transaction of its own. The columns are the query's, so their types are Any."""
    async with database.begin_transaction() as connection:
        return (await connection.execute(text(query), arguments)).all()


async def number(database: Database, query: str, **arguments: object) -> int:
    """The one number that `query` finds."""
    found = await rows(database, query, **arguments)
    return int(found[0][0])
