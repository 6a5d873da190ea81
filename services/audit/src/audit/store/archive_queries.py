"""Queries of the archives: which exist, where the chains of the record begin, and which hold a package."""

import hashlib
from collections.abc import Sequence
from typing import Final

from sqlalchemy import text

from audit.domain.archives import Archive, describe_head
from audit.domain.records import StreamName
from contracts.catalogue import PACKAGES, PARKED
from contracts.ids import CouncilKey, PackageId
from service_runtime.postgres.database import Database

FETCH_SIZE: Final = 500

_ARCHIVES = text(
    "SELECT name, month, row_count, sha256, archived_at FROM archives WHERE kind = 'record' ORDER BY month"
)
_OF_PACKAGE = text(
    """
    SELECT DISTINCT archive FROM archived_streams
    WHERE topic IN (:packages, :parked) AND subject = :subject AND council = :council ORDER BY archive
    """
)
# The order of bytes, in which other programs can sort too, whatever the collation of the database.
_HEADS = text(
    """
    SELECT DISTINCT ON (topic COLLATE "C", partition, subject COLLATE "C", source COLLATE "C")
           topic, partition, subject, source, sequence, hash
    FROM archived_streams
    ORDER BY topic COLLATE "C", partition, subject COLLATE "C", source COLLATE "C", sequence DESC
    """
)


class PostgresArchiveQueries:
    """Read-only queries, each in a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list_archives(self) -> Sequence[Archive]:
        rows = await self._database.find(_ARCHIVES)
        return [Archive(row.name, row.month, row.row_count, row.sha256, row.archived_at) for row in rows]

    async def find_archives_of_package(self, package_id: PackageId, council: CouncilKey) -> Sequence[str]:
        values = {"packages": PACKAGES, "parked": PARKED, "subject": str(package_id), "council": council}
        return [row.archive for row in await self._database.find(_OF_PACKAGE, values)]

    async def compute_heads_digest(self) -> str:
        digest = hashlib.sha256()
        async with self._database.begin_transaction() as connection:
            async for row in connection.stream(_HEADS, prefetch=FETCH_SIZE):
                stream = StreamName(row.topic, row.subject, row.source)
                digest.update(describe_head(stream, row.sequence, row.hash))
        return digest.hexdigest()
