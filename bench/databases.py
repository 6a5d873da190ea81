"""The services' databases from outside, as their superuser: tables are filled by COPY, and statistics are read."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy import make_url

from devstack.embedded import EmbeddedPostgres


@asynccontextmanager
async def connect(postgres: EmbeddedPostgres, database: str = "postgres") -> AsyncGenerator[asyncpg.Connection]:
    """Each statement is a transaction of its own."""
    url = make_url(postgres.get_url(database)).set(drivername="postgresql")
    connection = await asyncpg.connect(url.render_as_string(hide_password=False))
    try:
        yield connection
    finally:
        await connection.close()
