"""The record as an archived table: its months are ranges of offsets in the partitions of the topics about packages.

Other topics (providers, frameworks, rates) stay: reports about packages of today need their oldest events.
"""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from contracts.catalogue import PACKAGES, PARKED
from service_runtime.postgres.database import Connection
from service_runtime.retention.archive_files import decode_bytes, split_rows
from service_runtime.retention.archived_table import Extent

ARCHIVED_TOPICS: Final = (PACKAGES, PARKED)
BATCH_SIZE: Final = 2_000
"""Offsets of one statement that searches or deletes, so that none runs long."""
INSERT_SIZE: Final = 500

# Goes from partition to partition by the primary key; a GROUP BY would read all of the index.
_PARTITIONS = text(
    """
    WITH RECURSIVE partitions AS (
        SELECT min(partition) AS partition FROM records WHERE topic = :topic
        UNION ALL
        SELECT (SELECT min(partition) FROM records WHERE topic = :topic AND partition > partitions.partition)
        FROM partitions WHERE partition IS NOT NULL
    )
    SELECT partition, ends.first, ends.following
    FROM partitions CROSS JOIN LATERAL (
        SELECT min("offset") AS first, max("offset") + 1 AS following FROM records
        WHERE records.topic = :topic AND records.partition = partitions.partition) AS ends
    WHERE partition IS NOT NULL
    """
)
_STORED_AT = text(
    """
    SELECT min(taken_in_at) AS oldest
    FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS integer[]), CAST(:offsets AS bigint[]))
             AS first(topic, partition, "offset")
    JOIN records USING (topic, partition, "offset")
    """
)
_FIRST_SINCE = text(
    """
    SELECT min("offset") AS found FROM records
    WHERE topic = :topic AND partition = :partition AND "offset" >= :first AND "offset" < :following
      AND taken_in_at >= :before
    """
)
_ROWS = text(
    """
    SELECT topic, partition, "offset", key, headers, payload, seal, subject, source, type, council, sequence, event_id,
           prevhash, hash, taken_in_at
    FROM records WHERE topic = :topic AND partition = :partition AND "offset" >= :first AND "offset" < :following
    ORDER BY "offset"
    """
)
_ADD_OFFSETS = text(
    """
    INSERT INTO archived_offsets (topic, partition, first_offset, next_offset, archive)
    VALUES (:topic, :partition, :first, :following, :name)
    """
)
# The first record at a place in a stream counts, as it does for chains.
_ADD_STREAMS = text(
    """
    INSERT INTO archived_streams (topic, partition, subject, source, council, sequence, event_id, prevhash, hash,
                                  archive)
    SELECT DISTINCT ON (subject, source)
           topic, partition, subject, source, council, sequence, event_id, prevhash, hash, :name
    FROM records
    WHERE topic = :topic AND partition = :partition AND "offset" >= :first AND "offset" < :following
      AND event_id IS NOT NULL
    ORDER BY subject, source, sequence DESC, "offset"
    ON CONFLICT (topic, subject, source, sequence) DO NOTHING
    """
)
_DELETE = text(
    """
    DELETE FROM records
    WHERE topic = :topic AND partition = :partition AND "offset" >= :first AND "offset" < :following
    """
)
_INSERT = text(
    """
    INSERT INTO records (topic, partition, "offset", key, headers, payload, seal, subject, source, type, council,
                         sequence, event_id, prevhash, hash, taken_in_at)
    SELECT * FROM unnest(
        CAST(:topics AS text[]), CAST(:partitions AS integer[]), CAST(:offsets AS bigint[]), CAST(:keys AS bytea[]),
        CAST(:headers AS bytea[]), CAST(:payloads AS bytea[]), CAST(:seals AS bytea[]), CAST(:subjects AS text[]),
        CAST(:sources AS text[]), CAST(:types AS text[]), CAST(:councils AS text[]), CAST(:sequences AS bigint[]),
        CAST(:event_ids AS uuid[]), CAST(:prevhashes AS text[]), CAST(:hashes AS text[]),
        CAST(:times AS timestamptz[]))
    """
)
_REMOVE_OFFSETS = text("DELETE FROM archived_offsets WHERE archive = :name")
_REMOVE_STREAMS = text("DELETE FROM archived_streams WHERE archive = :name")


class RecordsTable:
    """The record of the topics about packages."""

    @property
    def kind(self) -> str:
        return "record"

    async def find_oldest(self, connection: Connection) -> datetime | None:
        parts = await _find_partitions(connection)
        positions = {
            "topics": [part["topic"] for part in parts],
            "partitions": [part["partition"] for part in parts],
            "offsets": [part["first"] for part in parts],
        }
        (row,) = (await connection.execute(_STORED_AT, positions)).all()
        return row.oldest

    async def find_extent(self, connection: Connection, *, before: datetime) -> Extent | None:
        ranges: dict[str, tuple[int, int]] = {}
        for part in await _find_partitions(connection):
            following = await _find_following(connection, part, before=before)
            if following > part["first"]:
                ranges[f"{part['topic']}/{part['partition']}"] = (part["first"], following)
        return Extent(ranges) if ranges else None

    async def stream_rows(self, connection: Connection, extent: Extent) -> AsyncGenerator[Mapping[str, Any]]:
        for part in _list_parts(extent):
            async for row in connection.stream(_ROWS, part, prefetch=INSERT_SIZE):
                yield {**row, "seal": row.seal.hex()}

    async def register(self, connection: Connection, name: str, extent: Extent) -> None:
        for part in _list_parts(extent):
            await connection.execute(_ADD_OFFSETS, {**part, "name": name})
            await connection.execute(_ADD_STREAMS, {**part, "name": name})

    async def delete_rows(self, connection: Connection, extent: Extent) -> int:
        deleted = 0
        for part in _list_parts(extent):
            first, following = extent.ranges[f"{part['topic']}/{part['partition']}"]
            for at in range(first, following, BATCH_SIZE):
                values = {**part, "first": at, "following": min(at + BATCH_SIZE, following)}
                deleted += await connection.run_counted(_DELETE, values)
        return deleted

    async def insert_rows(self, connection: Connection, rows: Iterable[Mapping[str, Any]]) -> int:
        return sum([await connection.run_counted(_INSERT, _to_columns(some)) for some in split_rows(rows, INSERT_SIZE)])

    async def unregister(self, connection: Connection, name: str) -> None:
        await connection.execute(_REMOVE_STREAMS, {"name": name})
        await connection.execute(_REMOVE_OFFSETS, {"name": name})


async def _find_partitions(connection: Connection) -> list[dict[str, Any]]:
    """Returns topic, partition, first offset and the offset after the last, in order of topic and partition."""
    found: list[dict[str, Any]] = []
    for topic in sorted(ARCHIVED_TOPICS):
        rows = (await connection.execute(_PARTITIONS, {"topic": topic})).all()
        found.extend({"topic": topic, **row} for row in rows)
    return found


async def _find_following(connection: Connection, part: Mapping[str, Any], *, before: datetime) -> int:
    """Returns the offset of the first record from `before` on, or the one after the last record.

    That record ends the range, though clocks that differ may have given a later one an earlier time.
    """
    for at in range(part["first"], part["following"], BATCH_SIZE):
        values = {**part, "first": at, "following": at + BATCH_SIZE, "before": before}
        (row,) = (await connection.execute(_FIRST_SINCE, values)).all()
        if row.found is not None:
            return int(row.found)
    return int(part["following"])


def _list_parts(extent: Extent) -> list[dict[str, object]]:
    """Returns the range of each partition as values of statements, in the order of topic and partition."""
    parts: list[tuple[str, int, tuple[int, int]]] = []
    for name, offsets in extent.ranges.items():
        topic, _, partition = name.rpartition("/")
        parts.append((topic, int(partition), offsets))
    return [
        {"topic": topic, "partition": partition, "first": first, "following": following}
        for topic, partition, (first, following) in sorted(parts)
    ]


def _to_columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    return {
        "topics": [row["topic"] for row in rows],
        "partitions": [row["partition"] for row in rows],
        "offsets": [row["offset"] for row in rows],
        "keys": [decode_bytes(row["key"]) for row in rows],
        "headers": [decode_bytes(row["headers"]) for row in rows],
        "payloads": [decode_bytes(row["payload"]) for row in rows],
        "seals": [bytes.fromhex(row["seal"]) for row in rows],
        "subjects": [row["subject"] for row in rows],
        "sources": [row["source"] for row in rows],
        "types": [row["type"] for row in rows],
        "councils": [row["council"] for row in rows],
        "sequences": [row["sequence"] for row in rows],
        "event_ids": [None if row["event_id"] is None else UUID(row["event_id"]) for row in rows],
        "prevhashes": [row["prevhash"] for row in rows],
        "hashes": [row["hash"] for row in rows],
        "times": [datetime.fromisoformat(row["taken_in_at"]) for row in rows],
    }
