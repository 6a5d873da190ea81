"""Audit's tables, and how records get into and out of them.

`records` holds what came, byte for byte; the columns beside the bytes only help to find a row, and verification does
not believe them. Both tables refuse UPDATE, DELETE and TRUNCATE.
"""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import TextClause, text

from audit.domain.chains import Chain, Link
from audit.domain.records import Arrived, Fault, FaultKind, Place, Position, Recorded, StreamName
from audit.domain.verification import Columns, Stored
from audit.ports import Kept, Violation
from contracts.catalogue import PACKAGES, PARKED
from contracts.ids import CouncilKey, PackageId
from service_runtime.database import Connection, Database
from service_runtime.observability.measures import Level, Standing

AT_ONCE: Final = 500
"""Rows that a reader of the whole record holds at a time."""

TABLES: Final = """
CREATE TABLE records (
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    key bytea,
    headers bytea NOT NULL,
    payload bytea,
    seal bytea NOT NULL,
    subject text NOT NULL,
    source text NOT NULL,
    type text NOT NULL,
    council text NOT NULL,
    sequence bigint NOT NULL,
    event_id uuid,
    prevhash text NOT NULL,
    hash text NOT NULL,
    taken_in_at timestamptz NOT NULL,
    PRIMARY KEY (topic, partition, "offset")
);
CREATE INDEX records_by_stream ON records (topic, subject, source, sequence, "offset");

CREATE TABLE violations (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    kind text NOT NULL,
    event_id uuid,
    council text NOT NULL,
    found_at timestamptz NOT NULL,
    UNIQUE (topic, partition, "offset", kind)
);
CREATE INDEX violations_by_council ON violations (council, found_at DESC, id DESC);

CREATE FUNCTION the_record_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the record is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER records_are_append_only BEFORE UPDATE OR DELETE ON records
    FOR EACH ROW EXECUTE FUNCTION the_record_is_append_only();
CREATE TRIGGER records_are_never_emptied BEFORE TRUNCATE ON records
    FOR EACH STATEMENT EXECUTE FUNCTION the_record_is_append_only();
CREATE TRIGGER violations_are_append_only BEFORE UPDATE OR DELETE ON violations
    FOR EACH ROW EXECUTE FUNCTION the_record_is_append_only();
CREATE TRIGGER violations_are_never_emptied BEFORE TRUNCATE ON violations
    FOR EACH STATEMENT EXECUTE FUNCTION the_record_is_append_only();
"""

# A member that lost a partition may still be at its last batch: the next owner waits for it here.
_LOCK_PARTITIONS = text(
    """
    SELECT count(pg_advisory_xact_lock(hashtextextended(name, 0)))
    FROM (SELECT name FROM unnest(CAST(:names AS text[])) AS name ORDER BY name) AS in_order
    """
)

_ENDS = text(
    """
    SELECT stream.topic, stream.subject, stream.source, link.sequence, link.event_id, link.prevhash, link.hash
    FROM unnest(CAST(:topics AS text[]), CAST(:subjects AS text[]), CAST(:sources AS text[]))
             AS stream(topic, subject, source)
    CROSS JOIN LATERAL (
        SELECT sequence, event_id, prevhash, hash FROM records
        WHERE topic = stream.topic AND subject = stream.subject AND source = stream.source
        ORDER BY sequence DESC LIMIT 1
    ) AS link
    """
)

_LINKS = text(
    """
    SELECT topic, subject, source, sequence, event_id, prevhash, hash
    FROM records
    JOIN unnest(CAST(:topics AS text[]), CAST(:subjects AS text[]), CAST(:sources AS text[]),
                CAST(:sequences AS bigint[])) AS wanted(topic, subject, source, sequence)
         USING (topic, subject, source, sequence)
    ORDER BY partition, "offset"
    """
)

_KEEP = text(
    """
    INSERT INTO records (topic, partition, "offset", key, headers, payload, seal, subject, source, type, council,
                         sequence, event_id, prevhash, hash, taken_in_at)
    SELECT came.*, CAST(:at AS timestamptz)
    FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS integer[]), CAST(:offsets AS bigint[]),
                CAST(:keys AS bytea[]), CAST(:headers AS bytea[]), CAST(:payloads AS bytea[]),
                CAST(:seals AS bytea[]), CAST(:subjects AS text[]), CAST(:sources AS text[]), CAST(:types AS text[]),
                CAST(:councils AS text[]), CAST(:sequences AS bigint[]), CAST(:event_ids AS uuid[]),
                CAST(:prevhashes AS text[]), CAST(:hashes AS text[])) AS came
    ON CONFLICT (topic, partition, "offset") DO NOTHING
    RETURNING topic, partition, "offset"
    """
)

_CLASHES = text(
    """
    SELECT topic, partition, "offset"
    FROM records
    JOIN unnest(CAST(:topics AS text[]), CAST(:partitions AS integer[]), CAST(:offsets AS bigint[]),
                CAST(:seals AS bytea[])) AS came(topic, partition, "offset", seal)
         USING (topic, partition, "offset")
    WHERE records.seal <> came.seal
    """
)

_NOTE = text(
    """
    INSERT INTO violations (topic, partition, "offset", kind, event_id, council, found_at)
    SELECT found.*, CAST(:at AS timestamptz)
    FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS integer[]), CAST(:offsets AS bigint[]),
                CAST(:kinds AS text[]), CAST(:event_ids AS uuid[]), CAST(:councils AS text[])) AS found
    ON CONFLICT (topic, partition, "offset", kind) DO NOTHING
    """
)


class PostgresRecord:
    """The record, on the connection of the batch's transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def chains_of(self, entries: Sequence[Recorded]) -> Mapping[StreamName, Chain]:
        names = {f"{each.position.topic}/{each.position.partition}" for each in entries}
        await self._connection.execute(_LOCK_PARTITIONS, {"names": sorted(names)})
        streams = sorted({each.stream for each in entries if each.envelope is not None})
        links: dict[StreamName, list[Link]] = {stream: [] for stream in streams}
        for stream, link in await self._links(_ENDS, streams):
            links[stream].append(link)
        ends = {stream: found[0].sequence for stream, found in links.items() if found}
        again = sorted(_neighbours(entries, ends))
        if again:
            sequences = [sequence for _, sequence in again]
            for stream, link in await self._links(_LINKS, [stream for stream, _ in again], sequences=sequences):
                links[stream].append(link)
        return {stream: Chain(found) for stream, found in links.items()}

    async def _links(
        self, statement: TextClause, streams: Sequence[StreamName], **more: object
    ) -> list[tuple[StreamName, Link]]:
        rows = await self._connection.execute(statement, {**_streams(streams), **more})
        return [
            (StreamName(row.topic, row.subject, row.source), Link(row.sequence, row.event_id, row.prevhash, row.hash))
            for row in rows
        ]

    async def keep(self, entries: Sequence[Recorded], *, at: datetime) -> Kept:
        columns = [Columns.of(each) for each in entries]
        arguments = {
            **_positions(each.position for each in entries),
            "keys": [each.arrived.key for each in entries],
            "headers": [each.arrived.headers for each in entries],
            "payloads": [each.arrived.payload for each in entries],
            "seals": [each.arrived.seal for each in entries],
            "subjects": [each.subject for each in columns],
            "sources": [each.source for each in columns],
            "types": [each.type for each in columns],
            "councils": [each.council for each in columns],
            "sequences": [each.sequence for each in columns],
            "event_ids": [each.event_id for each in columns],
            "prevhashes": [each.prevhash for each in columns],
            "hashes": [each.hash for each in columns],
            "at": at,
        }
        rows = await self._connection.execute(_KEEP, arguments)
        new = {Position(row.topic, row.partition, row.offset) for row in rows}
        fresh = [each for each in entries if each.position in new]
        return Kept(fresh, await self._clashes([each for each in entries if each.position not in new]))

    async def _clashes(self, known: Sequence[Recorded]) -> list[Fault]:
        if not known:
            return []
        arguments = {**_positions(each.position for each in known), "seals": [each.arrived.seal for each in known]}
        rows = await self._connection.execute(_CLASHES, arguments)
        at = {Position(row.topic, row.partition, row.offset) for row in rows}
        return [each.fault(FaultKind.OTHER_BYTES) for each in known if each.position in at]

    async def note(self, faults: Sequence[Fault], *, at: datetime) -> None:
        if not faults:
            return
        arguments = {
            **_positions(each.position for each in faults),
            "kinds": [each.kind.value for each in faults],
            "event_ids": [each.event_id for each in faults],
            "councils": [each.council for each in faults],
            "at": at,
        }
        await self._connection.execute(_NOTE, arguments)


def _neighbours(entries: Iterable[Recorded], ends: Mapping[StreamName, int]) -> set[tuple[StreamName, int]]:
    """Which places are needed to judge what comes at or before the end of its stream: its own, and both beside it."""
    return {
        (each.stream, each.envelope.sequence + beside)
        for each in entries
        if each.envelope is not None and each.envelope.sequence <= ends.get(each.stream, 0)
        for beside in (-1, 0, 1)
    }


def _streams(streams: Iterable[StreamName]) -> dict[str, object]:
    ordered = list(streams)
    return {
        "topics": [each.topic for each in ordered],
        "subjects": [each.subject for each in ordered],
        "sources": [each.source for each in ordered],
    }


def _positions(positions: Iterable[Position]) -> dict[str, object]:
    ordered = list(positions)
    return {
        "topics": [each.topic for each in ordered],
        "partitions": [each.partition for each in ordered],
        "offsets": [each.offset for each in ordered],
    }


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
            **_streams(each.stream for each in places),
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


_FAULTS: Final = text("SELECT count(*) FROM violations")


async def _faults(connection: Connection, _: datetime) -> Sequence[Level]:
    return [Level((await connection.execute(_FAULTS)).scalar_one())]


STANDINGS: Final = (Standing("calloff_record_faults", "Faults that were found in chains and hashes", _faults),)
