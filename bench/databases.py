"""Connections to the services' databases as superuser, for COPY and statistics."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy import make_url

from devstack.embedded import EmbeddedPostgres


@asynccontextmanager
async def connect(postgres: EmbeddedPostgres, database: str = "postgres") -> AsyncGenerator[asyncpg.Connection]:
    """Execute each statement in its own transaction."""
    url = make_url(postgres.get_url(database)).set(drivername="postgresql")
    connection = await asyncpg.connect(url.render_as_string(hide_password=False))
    try:
        yield connection
    finally:
        await connection.close()
