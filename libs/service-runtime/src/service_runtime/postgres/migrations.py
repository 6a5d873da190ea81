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

from service_runtime.observability.logs import Logger
from service_runtime.postgres.database import Database
from service_runtime.postgres.errors import is_transient, sqlstate
from service_runtime.postgres.grants import grant_privileges

LOCK: Final = "calloff migrations"
UNDEFINED_TABLE: Final = "42P01"
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


async def wait_until_migrated(database: Database, scripts: Path, *, log: Logger, pause: float = 1.0) -> None:
    """Returns when the database is at the newest of `scripts`, or at a revision that a later version has added.

    Another process migrates, so this one needs no privileges but the service's. It waits without limit, and logs why
    every ten pauses. `pause` is in seconds.
    """
    directory = ScriptDirectory(str(scripts))
    known, head = {script.revision for script in directory.walk_revisions()}, directory.get_current_head()
    waited = 0
    while True:
        revision, missing = await _read_revision(database)
        if revision == head or (revision is not None and revision not in known):
            return
        if waited % 10 == 0:
            log.info("waiting for the migration of the database", at=revision, needed=head, missing=missing)
        waited += 1
        await asyncio.sleep(pause)


async def _read_revision(database: Database) -> tuple[str | None, str | None]:
    """Returns the revision of the database, or the SQLSTATE or the type of the error that hides it."""
    try:
        rows = await database.fetch("SELECT version_num FROM alembic_version")
    except Exception as error:
        if not is_transient(error) and sqlstate(error) != UNDEFINED_TABLE:
            raise
        return None, sqlstate(error) or type(error).__name__
    return (str(rows[0].version_num) if rows else None), None
