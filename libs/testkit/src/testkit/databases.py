"""Creates databases for tests, with the runtime's tables and further ones, and reads from them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Protocol

from sqlalchemy import text

from service_runtime.postgres import schema
from service_runtime.postgres.database import Database


class DatabaseFactory(Protocol):
    """Creates databases; the fixture `postgres` implements it."""

    async def create_database(self, name: str, *, template: str | None = None) -> str:
        """Creates a database and returns its address; `template` is the address of a database to copy."""
        ...


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
        await database.close()


async def fetch_rows(database: Database, query: str, **arguments: object) -> list[Any]:
    """Runs `query` in a new transaction and returns its rows. Any: the columns depend on the query."""
    async with database.begin_transaction() as connection:
        return (await connection.execute(text(query), arguments)).all()


async def fetch_number(database: Database, query: str, **arguments: object) -> int:
    """Runs `query` in a new transaction and returns the first column of its first row as a number."""
    rows = await fetch_rows(database, query, **arguments)
    return int(rows[0][0])
