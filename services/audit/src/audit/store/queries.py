"""Queries of the record: by package, by subject, by position, and all of it."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import TextClause, text

from audit.domain.chains import Link
from audit.domain.records import Fault, FaultKind, RawRecord, RecordPosition, StreamName, StreamPosition
from audit.domain.verification import RecordColumns, StoredRecord
from audit.ports import Violation
from audit.store.columns import to_stream_columns
from contracts.catalogue import PACKAGES, PARKED
from contracts.events.providers import EligibilityChanged
from contracts.events.searches import PackagePlaced
from contracts.ids import CouncilKey, PackageId
from service_runtime.postgres.database import Database

FETCH_SIZE: Final = 500
"""Rows fetched at a time when the whole record is read."""

_COLUMNS: Final = """
    topic, partition, "offset", key, headers, payload, seal, subject, source, type, council, sequence, event_id,
    prevhash, hash
"""

_WITH_ARCHIVED: Final = f"""
    SELECT {_COLUMNS}, archived_sequence, archived_event_id, archived_prevhash, archived_hash
    FROM records LEFT JOIN LATERAL (
        SELECT sequence AS archived_sequence, event_id AS archived_event_id, prevhash AS archived_prevhash,
               hash AS archived_hash
        FROM archived_streams AS archived
        WHERE archived.topic = records.topic AND archived.subject = records.subject
          AND archived.source = records.source
        ORDER BY archived.sequence DESC LIMIT 1) AS archived ON true
"""  # noqa: S608  the columns are constants

_BY_PACKAGE = text(
    f"""
    {_WITH_ARCHIVED}
    WHERE topic IN (:packages, :parked) AND subject = :subject
    ORDER BY topic, partition, "offset"
    """
)

_BY_SUBJECTS = text(
    f"""
    SELECT {_COLUMNS} FROM records
    WHERE topic = :topic AND subject = ANY(CAST(:subjects AS text[])) AND type = ANY(CAST(:types AS text[]))
    ORDER BY subject, partition, "offset"
    """  # noqa: S608  the columns are constants
)

_BY_POSITIONS = text(
    f"""
    SELECT {_COLUMNS} FROM records
    JOIN unnest(CAST(:topics AS text[]), CAST(:subjects AS text[]), CAST(:sources AS text[]),
                CAST(:sequences AS bigint[])) AS positions(topic, subject, source, sequence)
         USING (topic, subject, source, sequence)
    ORDER BY topic, subject, source, sequence, partition, "offset"
    """  # noqa: S608  the columns are constants
)

# The index needs the type as a constant.
HOLDERS: Final = text(
    f"""
    SELECT DISTINCT subject FROM records
    WHERE type = '{EligibilityChanged.get_type_name()}' AND council = :council
      AND EXISTS (SELECT 1 FROM unnest(CAST(:fragments AS bytea[])) AS fragment WHERE position(fragment IN payload) > 0)
    ORDER BY subject
    """  # noqa: S608  the type is a constant
)

PLACEMENTS: Final = text(
    f"""
    SELECT {_COLUMNS} FROM records
    WHERE type = '{PackagePlaced.get_type_name()}' AND council = :council
      AND position(CAST(:fragment AS bytea) IN payload) > 0
    ORDER BY topic, partition, "offset"
    """  # noqa: S608  the columns and the type are constants
)

_AFTER_STREAM = text(
    f"""
    {_WITH_ARCHIVED}
    WHERE (topic, subject, source) > (:topic, :subject, :source)
    ORDER BY topic, subject, source, partition, "offset"
    """
)

_FROM_START = text(
    f"""
    {_WITH_ARCHIVED}
    ORDER BY topic, subject, source, partition, "offset"
    """
)

# A record that could not be stored is a violation already, and its position is among the unreadable records.
_MISSING = text(
    """
    SELECT topic, partition, "offset", event_id, council
    FROM (
        SELECT topic, partition, "offset", event_id, council,
               coalesce(lag("offset") OVER (PARTITION BY topic, partition ORDER BY "offset"), archived_to) AS before
        FROM records LEFT JOIN (
            SELECT topic, partition, max(next_offset) - 1 AS archived_to FROM archived_offsets
            GROUP BY topic, partition) AS archived USING (topic, partition)
    ) AS neighbours
    WHERE "offset" <> before + 1
      AND "offset" - before - 1 > (
          SELECT count(DISTINCT unreadable."offset") FROM unreadable_records AS unreadable
          WHERE unreadable.topic = neighbours.topic AND unreadable.partition = neighbours.partition
            AND unreadable."offset" > before AND unreadable."offset" < neighbours."offset")
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
    """Read-only queries, each in a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find_by_package(self, package_id: PackageId) -> Sequence[StoredRecord]:
        return await self._find_records(
            _BY_PACKAGE, {"packages": PACKAGES, "parked": PARKED, "subject": str(package_id)}
        )

    async def find_by_subjects(
        self, topic: str, subjects: Sequence[str], types: Sequence[str]
    ) -> Sequence[StoredRecord]:
        return await self._find_records(
            _BY_SUBJECTS, {"topic": topic, "subjects": list(subjects), "types": list(types)}
        )

    async def find_by_positions(self, positions: Sequence[StreamPosition]) -> Sequence[StoredRecord]:
        arguments = {
            **to_stream_columns(position.stream for position in positions),
            "sequences": [position.sequence for position in positions],
        }
        return await self._find_records(_BY_POSITIONS, arguments)

    async def find_holders(self, council: CouncilKey, fragments: Sequence[bytes]) -> Sequence[str]:
        rows = await self._database.find(HOLDERS, {"council": council, "fragments": list(fragments)})
        return [row.subject for row in rows]

    async def find_placements(self, council: CouncilKey, fragment: bytes) -> Sequence[StoredRecord]:
        return await self._find_records(PLACEMENTS, {"council": council, "fragment": fragment})

    async def _find_records(self, statement: TextClause, arguments: Mapping[str, object]) -> Sequence[StoredRecord]:
        return [_to_stored_record(row) for row in await self._database.find(statement, arguments)]

    async def list_violations(
        self, council: CouncilKey, *, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[Violation]:
        found_before, id_before = after or _LATEST
        arguments = {"council": council, "found_before": found_before, "id_before": id_before, "limit": limit}
        rows = await self._database.find(_VIOLATIONS, arguments)
        return [Violation(row.id, _to_fault(row, FaultKind(row.kind)), row.found_at) for row in rows]

    async def stream_records(self, after: StreamName | None) -> AsyncGenerator[StoredRecord]:
        async with self._database.begin_transaction() as connection:
            statement, arguments = (
                (_FROM_START, {})
                if after is None
                else (_AFTER_STREAM, {"topic": after.topic, "subject": after.subject, "source": after.source})
            )
            async for row in connection.stream(statement, arguments, prefetch=FETCH_SIZE):
                yield _to_stored_record(row)

    async def find_missing(self, *, limit: int) -> Sequence[Fault]:
        return [_to_fault(row, FaultKind.MISSING) for row in await self._database.find(_MISSING, {"limit": limit})]


def _to_stored_record(row: Any) -> StoredRecord:  # a row's attributes are its columns
    columns = RecordColumns(
        subject=row.subject,
        source=row.source,
        type=row.type,
        council=row.council,
        sequence=row.sequence,
        event_id=row.event_id,
        prevhash=row.prevhash,
        hash=row.hash,
    )
    position = RecordPosition(row.topic, row.partition, row.offset)
    arrived = RawRecord(position, key=row.key, headers=row.headers, payload=row.payload)
    return StoredRecord(arrived, columns, row.seal, _find_archived_link(row))


def _find_archived_link(row: Any) -> Link | None:  # a row's attributes are its columns
    sequence = row.get("archived_sequence")
    if sequence is None:
        return None
    return Link(sequence, row.archived_event_id, row.archived_prevhash, row.archived_hash)


def _to_fault(row: Any, kind: FaultKind) -> Fault:  # a row's attributes are its columns
    return Fault(kind, RecordPosition(row.topic, row.partition, row.offset), row.event_id, row.council)
