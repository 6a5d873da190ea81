"""Stores a batch of records and its violations, and loads the chains that the batch continues."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import TextClause, text

from audit.domain.chains import Chain, Link
from audit.domain.records import Fault, FaultKind, ParsedRecord, RecordPosition, StreamName
from audit.domain.verification import RecordColumns
from audit.ports import StoreResult
from audit.store.columns import to_position_columns, to_stream_columns
from service_runtime.postgres.database import Connection

# A consumer that lost a partition may still store its last batch: the next owner waits for it here.
_LOCK_PARTITIONS = text(
    """
    SELECT count(pg_advisory_xact_lock(hashtextextended(name, 0)))
    FROM (SELECT name FROM unnest(CAST(:names AS text[])) AS name ORDER BY name) AS in_order
    """
)

_LAST_LINKS = text(
    """
    SELECT stream.topic, stream.subject, stream.source, link.*
    FROM unnest(CAST(:topics AS text[]), CAST(:subjects AS text[]), CAST(:sources AS text[]))
             AS stream(topic, subject, source)
    CROSS JOIN LATERAL (
        (SELECT false AS archived, sequence, event_id, prevhash, hash FROM records
         WHERE topic = stream.topic AND subject = stream.subject AND source = stream.source
         ORDER BY sequence DESC LIMIT 1)
        UNION ALL
        (SELECT true, sequence, event_id, prevhash, hash FROM archived_streams
         WHERE topic = stream.topic AND subject = stream.subject AND source = stream.source
         ORDER BY sequence DESC LIMIT 1)
    ) AS link
    """
)

_LINKS = text(
    """
    SELECT topic, subject, source, false AS archived, sequence, event_id, prevhash, hash
    FROM records
    JOIN unnest(CAST(:topics AS text[]), CAST(:subjects AS text[]), CAST(:sources AS text[]),
                CAST(:sequences AS bigint[])) AS positions(topic, subject, source, sequence)
         USING (topic, subject, source, sequence)
    ORDER BY partition, "offset"
    """
)

# Returns the records that were stored before, also those of archives: the SELECT does not see the rows that this
# statement inserts.
_INSERT_RECORDS = text(
    """
    WITH arrivals AS MATERIALIZED (
        SELECT *
        FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS integer[]), CAST(:offsets AS bigint[]),
                    CAST(:keys AS bytea[]), CAST(:headers AS bytea[]), CAST(:payloads AS bytea[]),
                    CAST(:seals AS bytea[]), CAST(:subjects AS text[]), CAST(:sources AS text[]),
                    CAST(:types AS text[]), CAST(:councils AS text[]), CAST(:sequences AS bigint[]),
                    CAST(:event_ids AS uuid[]), CAST(:prevhashes AS text[]), CAST(:hashes AS text[]))
             AS arrival(topic, partition, "offset", key, headers, payload, seal, subject, source, type, council,
                        sequence, event_id, prevhash, hash)
    ), archived AS MATERIALIZED (
        SELECT topic, partition, "offset" FROM arrivals
        WHERE EXISTS (
            SELECT 1 FROM archived_offsets AS moved
            WHERE moved.topic = arrivals.topic AND moved.partition = arrivals.partition
              AND arrivals."offset" >= moved.first_offset AND arrivals."offset" < moved.next_offset)
    ), inserted AS (
        INSERT INTO records (topic, partition, "offset", key, headers, payload, seal, subject, source, type, council,
                             sequence, event_id, prevhash, hash, taken_in_at)
        SELECT arrivals.*, CAST(:at AS timestamptz) FROM arrivals
        WHERE (topic, partition, "offset") NOT IN (SELECT * FROM archived)
        ON CONFLICT (topic, partition, "offset") DO NOTHING
    )
    SELECT topic, partition, "offset", stored.seal <> arrivals.seal AS differs
    FROM arrivals
    CROSS JOIN LATERAL (
        SELECT seal FROM records
        WHERE topic = arrivals.topic AND partition = arrivals.partition AND "offset" = arrivals."offset"
    ) AS stored
    UNION ALL SELECT topic, partition, "offset", false FROM archived
    """
)

_INSERT_VIOLATIONS = text(
    """
    INSERT INTO violations (topic, partition, "offset", kind, event_id, council, found_at)
    SELECT found.*, CAST(:at AS timestamptz)
    FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS integer[]), CAST(:offsets AS bigint[]),
                CAST(:kinds AS text[]), CAST(:event_ids AS uuid[]), CAST(:councils AS text[])) AS found
    ON CONFLICT (topic, partition, "offset", kind) DO NOTHING
    """
)


class PostgresRecordStore:
    """The record, on the connection of the batch's transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def load_chains(self, entries: Sequence[ParsedRecord]) -> Mapping[StreamName, Chain]:
        partitions = {f"{each.position.topic}/{each.position.partition}" for each in entries}
        await self._connection.execute(_LOCK_PARTITIONS, {"names": sorted(partitions)})
        streams = list({each.stream for each in entries if each.envelope is not None})
        links: dict[StreamName, list[Link]] = {stream: [] for stream in streams}
        archived: dict[StreamName, Link] = {}
        ends: dict[StreamName, int] = {}
        for stream, link, is_archived in await self._find_links(_LAST_LINKS, streams):
            ends[stream] = max(ends.get(stream, 0), link.sequence)
            if is_archived:
                archived[stream] = link
            else:
                links[stream].append(link)
        positions = list(_list_neighbours(entries, ends))
        if positions:
            sequences = [sequence for _, sequence in positions]
            for stream, link, _ in await self._find_links(
                _LINKS, [stream for stream, _ in positions], sequences=sequences
            ):
                links[stream].append(link)
        return {stream: Chain(known, archived=archived.get(stream)) for stream, known in links.items()}

    async def _find_links(
        self, statement: TextClause, streams: Sequence[StreamName], **arguments: object
    ) -> list[tuple[StreamName, Link, bool]]:
        rows = await self._connection.execute(statement, {**to_stream_columns(streams), **arguments})
        return [
            (
                StreamName(row.topic, row.subject, row.source),
                Link(row.sequence, row.event_id, row.prevhash, row.hash),
                row.archived,
            )
            for row in rows
        ]

    async def add_records(self, entries: Sequence[ParsedRecord], *, at: datetime) -> StoreResult:
        columns = [RecordColumns.from_record(each) for each in entries]
        arguments = {
            **to_position_columns(each.position for each in entries),
            "keys": [each.raw.key for each in entries],
            "headers": [each.raw.headers for each in entries],
            "payloads": [each.raw.payload for each in entries],
            "seals": [each.raw.seal for each in entries],
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
        rows = await self._connection.execute(_INSERT_RECORDS, arguments)
        if not rows:
            return StoreResult(entries, ())
        differs = {RecordPosition(row.topic, row.partition, row.offset): bool(row.differs) for row in rows}
        return StoreResult(
            new_records=[each for each in entries if each.position not in differs],
            conflicts=[each.make_fault(FaultKind.OTHER_BYTES) for each in entries if differs.get(each.position)],
        )

    async def add_violations(self, faults: Sequence[Fault], *, at: datetime) -> None:
        if not faults:
            return
        arguments = {
            **to_position_columns(each.position for each in faults),
            "kinds": [each.kind.value for each in faults],
            "event_ids": [each.event_id for each in faults],
            "councils": [each.council for each in faults],
            "at": at,
        }
        await self._connection.execute(_INSERT_VIOLATIONS, arguments)


def _list_neighbours(entries: Iterable[ParsedRecord], ends: Mapping[StreamName, int]) -> set[tuple[StreamName, int]]:
    """Returns the positions of repeated or late entries and of both neighbours of each."""
    return {
        (each.stream, each.envelope.sequence + offset)
        for each in entries
        if each.envelope is not None and each.envelope.sequence <= ends.get(each.stream, 0)
        for offset in (-1, 0, 1)
    }
