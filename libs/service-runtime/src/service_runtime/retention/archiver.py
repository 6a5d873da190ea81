"""Archiver: moves whole months of a table into files, oldest first, and restores them, newest first.

A month is moved in one transaction: its file is written and flushed to the disk, the month is listed in `archives`,
and its rows are deleted. A process that dies on the way has changed nothing in the database; the next run writes the
same file again.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import text

from service_runtime.postgres.database import Connection, Database
from service_runtime.postgres.errors import StatementRefused
from service_runtime.retention.archive_files import (
    ArchiveDamaged,
    ArchiveRefused,
    Manifest,
    open_archive,
    read_rows,
    write_archive,
)
from service_runtime.retention.archived_table import ArchivedTable
from service_runtime.retention.months import add_months, begin_of, month_of

_INSUFFICIENT_PRIVILEGE: Final = "42501"
# Only the owner of the tables gets this lock, and one archiver at a time; it keeps no reader waiting.
_LOCK = text("LOCK TABLE archives IN SHARE ROW EXCLUSIVE MODE")
# Longer than a month's file takes to reach its disk and to be read again.
_STAY_OPEN = text("SET LOCAL idle_in_transaction_session_timeout = '10min'")
_NEWEST = text("SELECT name, month, sha256 FROM archives WHERE kind = :kind ORDER BY month DESC LIMIT 1")
_INSERT = text(
    """
    INSERT INTO archives (name, kind, month, row_count, sha256, archived_at)
    VALUES (:name, :kind, :month, :row_count, :sha256, :at)
    """
)
_DELETE = text("DELETE FROM archives WHERE name = :name")


class Archiver:
    """Archives the tables of one service; `database` is connected as the owner of the tables."""

    def __init__(self, database: Database, service: str, tables: Sequence[ArchivedTable]) -> None:
        self._database = database
        self._service = service
        self._tables = tables

    async def archive(self, folder: Path, *, keep_months: int, now: datetime) -> list[Manifest]:
        """Moves all months into `folder` that are older than the current one and the `keep_months` before it.

        Raises ArchiveRefused; months moved before that stay moved.
        """
        until = add_months(month_of(now), -keep_months)
        moved: list[Manifest] = []
        for table in self._tables:
            while (manifest := await self._archive_month(table, folder, until=until, now=now)) is not None:
                moved.append(manifest)
        return moved

    async def _archive_month(
        self, table: ArchivedTable, folder: Path, *, until: date, now: datetime
    ) -> Manifest | None:
        """Moves the oldest month, if it is before `until`; returns None if there is none."""
        async with self._begin() as connection:
            month = await _find_month(connection, table)
            if month is None or month >= until:
                return None
            return await self._move(connection, table, folder, month=month, now=now)

    async def _move(
        self, connection: Connection, table: ArchivedTable, folder: Path, *, month: date, now: datetime
    ) -> Manifest | None:
        extent = await table.find_extent(connection, before=begin_of(add_months(month, 1)))
        if extent is None:
            return None
        manifest = await write_archive(
            folder,
            table.stream_rows(connection, extent),
            service=self._service,
            kind=table.kind,
            month=f"{month:%Y-%m}",
            extent=extent.ranges,
        )
        open_archive(folder / manifest.name)
        values = {"kind": table.kind, "month": month, "row_count": manifest.row_count, "sha256": manifest.sha256}
        await connection.execute(_INSERT, {"name": manifest.name, **values, "at": now})
        await table.register(connection, manifest.name, extent)
        deleted = await table.delete_rows(connection, extent)
        if deleted != manifest.row_count:
            raise ArchiveRefused(f"{manifest.name} has {manifest.row_count} rows, but the table has {deleted}")
        return manifest

    async def restore(self, path: Path) -> Manifest:
        """Puts the rows of the newest archive back into its table. Raises ArchiveRefused and ArchiveDamaged."""
        manifest = open_archive(path)
        table = next((table for table in self._tables if table.kind == manifest.kind), None)
        if table is None or manifest.service != self._service:
            raise ArchiveRefused(f"{path.name} is of {manifest.service}'s {manifest.kind}; restore it there")
        async with self._begin() as connection:
            await _check_newest(connection, manifest)
            inserted = await table.insert_rows(connection, read_rows(path))
            if inserted != manifest.row_count:
                raise ArchiveDamaged(f"{path} has {inserted} rows, not {manifest.row_count} as its manifest says")
            await table.unregister(connection, manifest.name)
            await connection.execute(_DELETE, {"name": manifest.name})
        return manifest

    @asynccontextmanager
    async def _begin(self) -> AsyncGenerator[Connection]:
        """Begins a transaction that no other archiver runs beside. Raises ArchiveRefused for any role but the owner."""
        try:
            async with self._database.begin_transaction() as connection:
                await connection.execute(_LOCK)
                await connection.execute(_STAY_OPEN)
                yield connection
        except StatementRefused as error:
            if error.sqlstate != _INSUFFICIENT_PRIVILEGE:
                raise
            message = "only the owner of the tables may archive; set CALLOFF_MIGRATION_DATABASE_URL"
            raise ArchiveRefused(message) from error


async def _find_month(connection: Connection, table: ArchivedTable) -> date | None:
    """Returns the month of the oldest row, or the one after the last archived month if that is later."""
    oldest = await table.find_oldest(connection)
    if oldest is None:
        return None
    archived = (await connection.execute(_NEWEST, {"kind": table.kind})).all()
    return max(month_of(oldest), add_months(archived[0].month, 1)) if archived else month_of(oldest)


async def _check_newest(connection: Connection, manifest: Manifest) -> None:
    archived = (await connection.execute(_NEWEST, {"kind": manifest.kind})).all()
    if not archived:
        raise ArchiveRefused(f"the database lists no archive of {manifest.kind}: these rows are in their table")
    newest = archived[0]
    if newest.name != manifest.name:
        raise ArchiveRefused(f"restore {newest.name} first: the newest archive is restored before older ones")
    if newest.sha256 != manifest.sha256:
        raise ArchiveDamaged(f"{manifest.name} is not the file that was written when its month was archived")
