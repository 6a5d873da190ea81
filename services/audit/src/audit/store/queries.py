"""Reading the record: of a package, of its neighbours, and all of it."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import TextClause, text

from audit.domain.records import Arrived, Fault, FaultKind, Place, Position, StreamName
from audit.domain.verification import Columns, Stored
from audit.ports import Violation
from audit.store.columns import stream_columns
from contracts.catalogue import PACKAGES, PARKED
from contracts.ids import CouncilKey, PackageId
from service_runtime.postgres.database import Database

AT_ONCE: Final = 500
"""Rows that a reader of the whole record holds at a time."""

_COLUMNS: Final = """
    topic, partition, "offset", key, headers, payload, seal, subject, source, type, council, sequence, event_id,
    prevhash, hash
"""

_OF_PACKAGE = text(
    f"""
    SELECT {_COLUMNS} FROM records
    WHERE topic IN (:packages, :parked) AND subject = :subject
    ORDER BY topic, partition, "offset"
    """  # noqa: S608  the columns are constants
)

_OF_SUBJECTS = text(
    f"""
    SELECT {_COLUMNS} FROM records
    WHERE topic = :topic AND subject = ANY(CAST(:subjects AS text[])) AND type = ANY(CAST(:types AS text[]))
    ORDER BY subject, partition, "offset"
    """  # noqa: S608  the columns are constants
)

_AT_PLACES = text(
    f"""
    SELECT {_COLUMNS} FROM records
    JOIN unnest(CAST(:topics AS text[]), CAST(:subjects AS text[]), CAST(:sources AS text[]),
                CAST(:sequences AS bigint[])) AS wanted(topic, subject, source, sequence)
         USING (topic, subject, source, sequence)
    ORDER BY topic, subject, source, sequence, partition, "offset"
    """  # noqa: S608  the columns are constants
)

_BY_STREAM = text(
    f"""
    SELECT {_COLUMNS} FROM records
    WHERE (topic, subject, source) > (:topic, :subject, :source)
    ORDER BY topic, subject, source, partition, "offset"
    """  # noqa: S608  the columns are constants
)

_FROM_THE_FIRST = text(
    f"""
    SELECT {_COLUMNS} FROM records
    ORDER BY topic, subject, source, partition, "offset"
    """  # noqa: S608  the columns are constants
)

_MISSING = text(
    """
    SELECT topic, partition, "offset", event_id, council
    FROM (
        SELECT topic, partition, "offset", event_id, council,
               lag("offset") OVER (PARTITION BY topic, partition ORDER BY "offset") AS before
        FROM records
    ) AS kept
    WHERE "offset" <> before + 1
    ORDER BY topic, partition, "offset"
    LIMIT :limit
    """
)

_VIOLATIONS = text(
    """
    SELECT id, topic, partition, "offset", kind, event_id, council, found_at
    FROM violations
    WHERE council IN (:council, '')
      AND (found_at, id) < (CAST(:found_before AS timestamptz), CAST(:id_before AS uuid))
    ORDER BY found_at DESC, id DESC
    LIMIT :limit
    """
)
_LATEST: Final = (datetime.fromisoformat("9999-12-31T00:00:00+00:00"), UUID(int=2**128 - 1))


class PostgresRecordQueries:
    """Reading, each question in a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_package(self, package_id: PackageId) -> Sequence[Stored]:
        return await self._stored(_OF_PACKAGE, {"packages": PACKAGES, "parked": PARKED, "subject": str(package_id)})

    async def of_subjects(self, topic: str, subjects: Sequence[str], types: Sequence[str]) -> Sequence[Stored]:
        return await self._stored(_OF_SUBJECTS, {"topic": topic, "subjects": list(subjects), "types": list(types)})

    async def at_places(self, places: Sequence[Place]) -> Sequence[Stored]:
        arguments = {
            **stream_columns(each.stream for each in places),
            "sequences": [each.sequence for each in places],
        }
        return await self._stored(_AT_PLACES, arguments)

    async def _stored(self, statement: TextClause, arguments: Mapping[str, object]) -> Sequence[Stored]:
        return [_stored(row) for row in await self._database.find(statement, arguments)]

    async def violations(
        self, council: CouncilKey, *, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[Violation]:
        found_before, id_before = after or _LATEST
        arguments = {"council": council, "found_before": found_before, "id_before": id_before, "limit": limit}
        rows = await self._database.find(_VIOLATIONS, arguments)
        return [Violation(row.id, _fault(row, FaultKind(row.kind)), row.found_at) for row in rows]

    async def by_stream(self, after: StreamName | None) -> AsyncGenerator[Stored]:
        async with self._database.transaction() as connection:
            asked, arguments = (
                (_FROM_THE_FIRST, {})
                if after is None
                else (_BY_STREAM, {"topic": after.topic, "subject": after.subject, "source": after.source})
            )
            async for row in connection.stream(asked, arguments, at_once=AT_ONCE):
                yield _stored(row)

    async def missing(self, *, limit: int) -> Sequence[Fault]:
        return [_fault(row, FaultKind.MISSING) for row in await self._database.find(_MISSING, {"limit": limit})]


def _stored(row: Any) -> Stored:  # a row's attributes are its columns
    columns = Columns(
        subject=row.subject,
        source=row.source,
        type=row.type,
        council=row.council,
        sequence=row.sequence,
        event_id=row.event_id,
        prevhash=row.prevhash,
        hash=row.hash,
    )
    position = Position(row.topic, row.partition, row.offset)
    arrived = Arrived(position, key=row.key, headers=row.headers, payload=row.payload)
    return Stored(arrived, columns, row.seal)


def _fault(row: Any, kind: FaultKind) -> Fault:  # a row's attributes are its columns
    return Fault(kind, Position(row.topic, row.partition, row.offset), row.event_id, row.council)
