"""Statements are counted by PostgreSQL itself, and only while a count is taken."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from bench.databases import connect
from bench.statement_counts import StatementCounts, count_statements, load_statement_counter
from devstack.embedded import EmbeddedPostgres
from devstack.home import Home
from devstack.processes import run_in_thread

DATABASE: Final = "counted"
CREATE_FUNCTION: Final = """
    CREATE FUNCTION write_twice() RETURNS void LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO written VALUES (1); INSERT INTO written VALUES (2); END $$
"""

pytestmark = pytest.mark.servers


@pytest_asyncio.fixture
async def postgres(tmp_path: Path) -> AsyncGenerator[EmbeddedPostgres]:
    home = Home(tmp_path)
    await load_statement_counter(home)
    server = EmbeddedPostgres(home.postgres, durable=False)
    await run_in_thread(server.start)
    try:
        async with connect(server) as connection:
            await connection.execute(f"CREATE DATABASE {DATABASE}")
        yield server
    finally:
        await run_in_thread(server.stop)


async def test_what_clients_send_is_told_from_what_functions_execute(postgres: EmbeddedPostgres) -> None:
    async with connect(postgres, DATABASE) as client:
        await client.execute("CREATE TABLE written (number integer)")
        await client.execute(CREATE_FUNCTION)
        await client.fetch("SELECT 1")
        async with count_statements(postgres) as counting:
            assert counting.counts is None
            for statement in ("BEGIN", "INSERT INTO written VALUES (0)", "COMMIT"):
                await client.execute(statement)
            await client.fetch("SELECT write_twice()")
        assert counting.counts == StatementCounts(executed=6, sent=4)
        await client.fetch("SELECT 1")
        async with count_statements(postgres) as counting:
            await client.fetch("SELECT 1")
        assert counting.counts == StatementCounts(executed=1, sent=1)
