"""Counts statements with pg_stat_statements, which is loaded at the start and records only while a count is taken."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import asyncpg

from bench.databases import connect
from devstack.embedded import EmbeddedPostgres
from devstack.home import Home
from devstack.processes import run_in_thread

_IS_AVAILABLE: Final = "SELECT count(*) > 0 FROM pg_available_extensions WHERE name = 'pg_stat_statements'"
_IS_LOADED: Final = "SELECT current_setting('shared_preload_libraries') LIKE '%pg_stat_statements%'"
_LOAD: Final = "ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'"
_STOP: Final = "ALTER SYSTEM SET pg_stat_statements.track = 'none'"
_RECORD: Final = "ALTER SYSTEM SET pg_stat_statements.track = 'all'"
_RELOAD: Final = "SELECT pg_reload_conf()"
_CREATE: Final = "CREATE EXTENSION IF NOT EXISTS pg_stat_statements"
_RESET: Final = "SELECT pg_stat_statements_reset()"
_READ: Final = """
    SELECT coalesce(sum(calls), 0)::bigint AS executed, coalesce(sum(calls) FILTER (WHERE toplevel), 0)::bigint AS sent
    FROM pg_stat_statements JOIN pg_database ON oid = dbid WHERE datname <> 'postgres'
"""
_SETTLE: Final = 0.5
"""Seconds until every backend has read the changed settings."""


@dataclass(frozen=True)
class StatementCounts:
    """Statements of all databases but the superuser's.

    `sent` counts the executions that clients requested, with BEGIN and COMMIT: each is one exchange of messages, except
    those that a client sends together (`executemany`), which are counted singly. The preparation of a statement and the
    opening of a connection are not counted. `executed` adds the statements inside functions and triggers.
    """

    executed: int
    sent: int


async def load_statement_counter(home: Home) -> None:
    """Create the cluster of `home` and let it load pg_stat_statements, where it is installed, without recording."""
    postgres = EmbeddedPostgres(home.postgres)
    await run_in_thread(postgres.start)
    try:
        async with connect(postgres) as connection:
            if await connection.fetchval(_IS_AVAILABLE):
                for statement in (_LOAD, _STOP):
                    await connection.execute(statement)
    finally:
        await run_in_thread(postgres.stop)


class StatementCount:
    """The result of `count_statements`: None until its context ends, and where nothing can be counted."""

    counts: StatementCounts | None = None


@asynccontextmanager
async def count_statements(postgres: EmbeddedPostgres) -> AsyncGenerator[StatementCount]:
    """Count what is executed in the context. Counting costs processor time; measure speed without it."""
    result = StatementCount()
    async with connect(postgres) as connection:
        if not await connection.fetchval(_IS_LOADED):
            yield result
            return
        await connection.execute(_CREATE)
        await _change_settings(connection, _RECORD)
        await connection.fetchval(_RESET)
        try:
            yield result
        finally:
            [row] = await connection.fetch(_READ)
            await _change_settings(connection, _STOP)
        result.counts = StatementCounts(row["executed"], row["sent"])


async def _change_settings(connection: asyncpg.Connection, statement: str) -> None:
    await connection.execute(statement)
    await connection.fetchval(_RELOAD)
    await asyncio.sleep(_SETTLE)
