"""Snapshots of all databases at one instant, although each database is a server of its own.

While the journal of every database is locked against writing, no event is committed anywhere; then a snapshot of each
database is exported, and the locks end. An effect commits after the event that caused it, so every event whose effect
is in one snapshot is in its producer's snapshot, whatever the order in which the snapshots are taken.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from calloff.backup.addresses import DatabaseAddress, Databases
from calloff.backup.concurrently import run_all
from devstack.errors import BackUpFailed

_LOCK_TIMEOUT_MS: Final = 1_500
"""Longer than a vacuum of the journal keeps its lock when another waits (`deadlock_timeout`, 1 s)."""
_ATTEMPTS: Final = 20
_PAUSE: Final = 1.0
"""Seconds between two attempts, in which the services work on."""
_NOT_AVAILABLE, _NO_TABLE, _NO_PRIVILEGE = "55P03", "42P01", "42501"

_LOCK_JOURNAL: Final = text("LOCK TABLE journal IN SHARE MODE")
_SET_LOCK_TIMEOUT: Final = text(f"SET LOCAL lock_timeout = {_LOCK_TIMEOUT_MS}")
_STAY_OPEN: Final = text("SET LOCAL idle_in_transaction_session_timeout = 0")
_EXPORT_SNAPSHOT: Final = text(
    """
    SELECT pg_export_snapshot() AS name, clock_timestamp() AS taken_at,
           CAST(current_setting('server_version_num') AS integer) / 10000 AS server
    """
)


@dataclass(frozen=True)
class Snapshot:
    """A snapshot that other connections can use while the one that exported it is open."""

    address: DatabaseAddress
    connection: AsyncConnection
    name: str
    taken_at: datetime
    server: int
    """The server's major version."""


class _JournalBusy(Exception):
    """A transaction has written to a journal for longer than the others may be kept waiting."""


@asynccontextmanager
async def open_snapshots(databases: Databases) -> AsyncGenerator[list[Snapshot]]:
    """Snapshots of one instant, held open within the context. Raises BackUpFailed."""
    for attempt in range(1, _ATTEMPTS + 1):
        async with AsyncExitStack() as held:
            try:
                snapshots = await _take_snapshots(databases, held)
            except _JournalBusy as busy:
                if attempt == _ATTEMPTS:
                    message = (
                        f"{busy} in {_ATTEMPTS} attempts; end the long transaction or the maintenance of this table"
                    )
                    raise BackUpFailed(message) from None
            else:
                yield snapshots
                return
        await asyncio.sleep(_PAUSE)


async def _take_snapshots(databases: Databases, held: AsyncExitStack) -> list[Snapshot]:
    """Raises _JournalBusy."""
    connections = {
        name: await held.enter_async_context(address.connect("REPEATABLE READ")) for name, address in databases.items()
    }
    async with AsyncExitStack() as locked:
        lockers = [(each, await locked.enter_async_context(each.connect())) for each in databases.values()]
        await run_all(*[_lock_journal(address, connection) for address, connection in lockers])
        return await run_all(*[_export(databases[name], connection) for name, connection in connections.items()])


async def _lock_journal(address: DatabaseAddress, connection: AsyncConnection) -> None:
    await connection.execute(_SET_LOCK_TIMEOUT)
    try:
        await connection.execute(_LOCK_JOURNAL)
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        if state == _NOT_AVAILABLE:
            raise _JournalBusy(f"the journal of {address.service} could not be locked") from None
        if state == _NO_TABLE:
            message = f"the database of {address.service} at {address.place} has no journal; is the address right?"
            raise BackUpFailed(message) from None
        if state == _NO_PRIVILEGE:
            message = f"the role for {address.service} may not lock the journal; use the role that owns the tables"
            raise BackUpFailed(message) from None
        raise


async def _export(address: DatabaseAddress, connection: AsyncConnection) -> Snapshot:
    await connection.execute(_STAY_OPEN)
    row = (await connection.execute(_EXPORT_SNAPSHOT)).one()
    return Snapshot(address, connection, row.name, row.taken_at, row.server)
