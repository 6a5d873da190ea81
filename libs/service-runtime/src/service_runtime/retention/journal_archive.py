"""The journal as an archived table: its months are ranges of positions."""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from service_runtime.postgres.database import Connection
from service_runtime.retention.archive_files import ArchiveRefused, decode_bytes, split_rows
from service_runtime.retention.archived_table import Extent

POSITIONS: Final = "positions"
BATCH_SIZE: Final = 2_000
"""Positions of one statement that searches or deletes, so that none runs long."""
INSERT_SIZE: Final = 500

_OLDEST = text("SELECT occurred_at FROM journal ORDER BY position LIMIT 1")
_ENDS = text("SELECT min(position) AS first, max(position) + 1 AS following FROM journal")
_FIRST_SINCE = text(
    """
    SELECT min(position) AS position FROM journal
    WHERE position >= :first AND position < :following AND occurred_at >= :before
    """
)
_UNSENT = text("SELECT count(*) AS number FROM outbox WHERE position < :following")
_ROWS = text(
    """
    SELECT position, id, topic, key, version, type, occurred_at, actor, cause, headers, payload, hash
    FROM journal WHERE position >= :first AND position < :following ORDER BY position
    """
)
_REGISTER = text("UPDATE archives SET first_position = :first, last_position = :following - 1 WHERE name = :name")
_DELETE = text("DELETE FROM journal WHERE position >= :first AND position < :following")
_INSERT = text(
    """
    INSERT INTO journal (position, id, topic, key, version, type, occurred_at, actor, cause, headers, payload, hash)
    OVERRIDING SYSTEM VALUE
    SELECT * FROM unnest(
        CAST(:positions AS bigint[]), CAST(:ids AS uuid[]), CAST(:topics AS text[]), CAST(:keys AS text[]),
        CAST(:versions AS bigint[]), CAST(:types AS text[]), CAST(:times AS timestamptz[]), CAST(:actors AS text[]),
        CAST(:causes AS text[]), CAST(:headers AS bytea[]), CAST(:payloads AS bytea[]), CAST(:hashes AS text[]))
    """
)


class JournalTable:
    """The journal of a service."""

    @property
    def kind(self) -> str:
        return "journal"

    async def find_oldest(self, connection: Connection) -> datetime | None:
        rows = (await connection.execute(_OLDEST)).all()
        return rows[0].occurred_at if rows else None

    async def find_extent(self, connection: Connection, *, before: datetime) -> Extent | None:
        (ends,) = (await connection.execute(_ENDS)).all()
        following = await _find_following(connection, ends.first, ends.following, before=before)
        if following is None or following == ends.first:
            return None
        (unsent,) = (await connection.execute(_UNSENT, {"following": following})).all()
        if unsent.number:
            message = f"{unsent.number} events up to position {following - 1} of the journal wait to be sent"
            raise ArchiveRefused(f"{message}; `calloff parked list` shows why")
        return Extent({POSITIONS: (ends.first, following)})

    async def stream_rows(self, connection: Connection, extent: Extent) -> AsyncGenerator[Mapping[str, Any]]:
        async for row in connection.stream(_ROWS, _to_range(extent), prefetch=INSERT_SIZE):
            yield dict(row.items())

    async def register(self, connection: Connection, name: str, extent: Extent) -> None:
        await connection.execute(_REGISTER, {"name": name, **_to_range(extent)})

    async def delete_rows(self, connection: Connection, extent: Extent) -> int:
        first, following = extent.ranges[POSITIONS]
        return sum(
            [
                await connection.run_counted(_DELETE, {"first": at, "following": min(at + BATCH_SIZE, following)})
                for at in range(first, following, BATCH_SIZE)
            ]
        )

    async def insert_rows(self, connection: Connection, rows: Iterable[Mapping[str, Any]]) -> int:
        return sum([await connection.run_counted(_INSERT, _to_columns(some)) for some in split_rows(rows, INSERT_SIZE)])

    async def unregister(self, connection: Connection, name: str) -> None:
        """The range is part of the row of `archives`."""


async def _find_following(
    connection: Connection, first: int | None, following: int | None, *, before: datetime
) -> int | None:
    """Returns the position of the first row from `before` on, or `following` without one; None for an empty journal.

    That row ends the range, though clocks that differ may have given a later row an earlier time.
    """
    if first is None or following is None:
        return None
    for at in range(first, following, BATCH_SIZE):
        values = {"first": at, "following": at + BATCH_SIZE, "before": before}
        (row,) = (await connection.execute(_FIRST_SINCE, values)).all()
        if row.position is not None:
            return int(row.position)
    return following


def _to_range(extent: Extent) -> dict[str, object]:
    first, following = extent.ranges[POSITIONS]
    return {"first": first, "following": following}


def _to_columns(some: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    return {
        "positions": [row["position"] for row in some],
        "ids": [UUID(row["id"]) for row in some],
        "topics": [row["topic"] for row in some],
        "keys": [row["key"] for row in some],
        "versions": [row["version"] for row in some],
        "types": [row["type"] for row in some],
        "times": [datetime.fromisoformat(row["occurred_at"]) for row in some],
        "actors": [row["actor"] for row in some],
        "causes": [row["cause"] for row in some],
        "headers": [decode_bytes(row["headers"]) for row in some],
        "payloads": [decode_bytes(row["payload"]) for row in some],
        "hashes": [row["hash"] for row in some],
    }
