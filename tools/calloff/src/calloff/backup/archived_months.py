"""Archives of the record in a restore: topics are made from the whole record, so archived months come back first."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.store.archive import RecordsTable
from devstack.errors import RecordIncomplete
from devstack.names import AUDIT
from service_runtime.postgres.connection import DatabaseTls
from service_runtime.postgres.database import Database
from service_runtime.retention.archive_files import Manifest
from service_runtime.retention.archiver import Archiver

_ARCHIVED = text("SELECT name FROM archives WHERE kind = 'record' ORDER BY month")


async def restore_archives(database_url: str, archives: Sequence[Path]) -> None:
    """Puts archives of the record back into audit's database, newest first, as the owner of its tables.

    The next run of `archive` moves them out again, into the same files. Raises ArchiveRefused and ArchiveDamaged.
    """
    database = Database(database_url, name="calloff-restore", pool_size=1, tls=DatabaseTls(mode=None))
    archiver = Archiver(database, AUDIT, [RecordsTable()])
    try:
        for path in sorted(archives, key=lambda archive: Manifest.load(archive).month, reverse=True):
            await archiver.restore(path)
    finally:
        await database.close()


async def check_nothing_archived(audit: AsyncConnection) -> None:
    """Raises RecordIncomplete if months of the record are in archives."""
    names = (await audit.scalars(_ARCHIVED)).all()
    if names:
        message = (
            f"months of the record are in archives ({', '.join(names)}), and topics are made from the whole record"
        )
        raise RecordIncomplete(f"{message}; name each of these files with --archive")
