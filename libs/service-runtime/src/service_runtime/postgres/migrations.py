"""Migrations: runs a service's Alembic scripts, in one process at a time."""

import asyncio
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Final

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.engine import Connection

from service_runtime.observability.logs import Logger
from service_runtime.postgres.availability import explain_refusal
from service_runtime.postgres.database import Database
from service_runtime.postgres.errors import UNDEFINED_TABLE, StatementRefused, is_transient, sqlstate
from service_runtime.postgres.grants import grant_privileges
from service_runtime.startup.errors import ServerUnavailable, StartRefused

LOCK: Final = "calloff migrations"
START_ATTEMPTS: Final = 60
"""Half a second apart."""
MIGRATION_URL: Final = "CALLOFF_MIGRATION_DATABASE_URL, or without one in CALLOFF_DATABASE_URL"


class SchemaState(Enum):
    """The tables of a database, compared with the migrations of this version."""

    MISSING = "no migration has run"
    OLDER = "some migrations have not run"
    CURRENT = "all migrations have run"
    NEWER = "the newest migration that has run is none of these"


async def compare_schema(database: Database, scripts: Path) -> SchemaState:
    """Compares the revision of the database with the newest of `scripts`."""
    _, directory = _read_scripts(scripts)
    if not directory.get_heads():
        return SchemaState.CURRENT
    try:
        rows = await database.fetch("SELECT version_num FROM alembic_version")
    except StatementRefused as refusal:
        if refusal.sqlstate == UNDEFINED_TABLE:
            return SchemaState.MISSING
        raise
    if not rows:
        return SchemaState.MISSING
    reached = {row.version_num for row in rows}
    if reached == set(directory.get_heads()):
        return SchemaState.CURRENT
    known = {script.revision for script in directory.walk_revisions()}
    return SchemaState.OLDER if reached <= known else SchemaState.NEWER


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
    config, directory = _read_scripts(scripts)

    def upgrade_to_head(revision: str, _: object) -> object:
        return directory._upgrade_revs("head", revision)  # pyright: ignore[reportPrivateUsage]  Alembic documents this use

    with EnvironmentContext(config, directory, fn=upgrade_to_head) as environment:
        environment.configure(connection=connection, target_metadata=None)
        environment.run_migrations()


def _read_scripts(scripts: Path) -> tuple[Config, ScriptDirectory]:
    config = Config()
    config.set_main_option("script_location", str(scripts))
    config.set_main_option("path_separator", "os")
    return config, ScriptDirectory.from_config(config)


async def migrate_when_available(
    database: Database,
    scripts: Path,
    *,
    service_role: str | None,
    append_only: Sequence[str],
    read_only: Sequence[str] = (),
) -> None:
    """Migrates as `migrate` does and closes the database; waits up to 30 s for PostgreSQL to start.

    Raises StartRefused if PostgreSQL refuses the login, and ServerUnavailable if it does not answer in time.
    """
    try:
        await wait_until_available(database, command="migrate")
        await migrate(database, scripts, service_role=service_role, append_only=append_only, read_only=read_only)
    finally:
        await database.close()


async def wait_until_available(database: Database, *, command: str, variable: str = MIGRATION_URL) -> None:
    """Waits up to 30 s until PostgreSQL answers; `command` is what an error says to run again.

    `variable` names the setting with the address and the login.

    Raises StartRefused if PostgreSQL refuses the login, and ServerUnavailable if it does not answer in time.
    """
    for _ in range(START_ATTEMPTS):
        try:
            await database.fetch("SELECT 1")
        except Exception as error:
            if (reason := explain_refusal(error, variable)) is not None:
                raise StartRefused(reason) from error
            if not is_transient(error):
                raise
            await asyncio.sleep(0.5)
        else:
            return
    raise ServerUnavailable(f"PostgreSQL does not answer at the address in {variable}; run `{command}` again later")


async def wait_until_migrated(database: Database, scripts: Path, *, log: Logger, pause: float = 1.0) -> None:
    """Returns when the database is at the newest of `scripts`, or at a revision that a later version has added.

    Another process migrates, so this one needs no privileges but the service's. It waits without limit, and logs why
    every ten pauses. `pause` is in seconds. A login that is refused is waited for as well: the role or the database may
    be made meanwhile.
    """
    waited = 0
    while True:
        state, error = await _try_to_compare(database, scripts)
        if state in {SchemaState.CURRENT, SchemaState.NEWER}:
            return
        if waited % 10 == 0:
            log.info("waiting for the migration of the database", state=state and state.value, error=error)
        waited += 1
        await asyncio.sleep(pause)


async def _try_to_compare(database: Database, scripts: Path) -> tuple[SchemaState | None, str | None]:
    """Returns the state of the schema, or why it cannot be read."""
    try:
        return await compare_schema(database, scripts), None
    except Exception as error:
        reason = explain_refusal(error)
        if reason is None and not is_transient(error):
            raise
        return None, reason or sqlstate(error) or type(error).__name__
