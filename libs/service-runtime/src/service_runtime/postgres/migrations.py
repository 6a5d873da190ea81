"""Migrations: runs a service's Alembic scripts, in one process at a time."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.engine import Connection

from service_runtime.postgres.database import Database
from service_runtime.postgres.errors import is_transient
from service_runtime.postgres.grants import grant_privileges

LOCK: Final = "calloff migrations"
START_ATTEMPTS: Final = 60
"""Half a second apart; then the error of the migration itself is raised."""


async def migrate(
    database: Database,
    scripts: Path,
    *,
    service_role: str | None = None,
    append_only: Sequence[str] = (),
    read_only: Sequence[str] = (),
) -> None:
    """Upgrades the database to the newest of `scripts`, in one transaction, under an advisory lock.

    `database` is connected as the owner of the tables; `service_role` is then given its privileges on them.
    """
    async with database.open_migration_connection() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": LOCK})
        await connection.run_sync(_upgrade, scripts)
        if service_role is not None:
            await grant_privileges(connection, service_role, append_only=append_only, read_only=read_only)


def _upgrade(connection: Connection, scripts: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(scripts))
    config.set_main_option("path_separator", "os")
    directory = ScriptDirectory.from_config(config)

    def upgrade_to_head(revision: str, _: object) -> object:
        return directory._upgrade_revs("head", revision)  # pyright: ignore[reportPrivateUsage]  Alembic documents this use

    with EnvironmentContext(config, directory, fn=upgrade_to_head) as environment:
        environment.configure(connection=connection, target_metadata=None)
        environment.run_migrations()


async def migrate_when_available(
    database: Database,
    scripts: Path,
    *,
    service_role: str | None,
    append_only: Sequence[str],
    read_only: Sequence[str] = (),
) -> None:
    """Migrates as `migrate` does and closes the database; waits up to 30 s for PostgreSQL to start."""
    try:
        await _wait_until_available(database)
        await migrate(database, scripts, service_role=service_role, append_only=append_only, read_only=read_only)
    finally:
        await database.close()


async def _wait_until_available(database: Database) -> None:
    for _ in range(START_ATTEMPTS):
        try:
            await database.fetch("SELECT 1")
        except Exception as error:
            if not is_transient(error):
                raise
            await asyncio.sleep(0.5)
        else:
            return
