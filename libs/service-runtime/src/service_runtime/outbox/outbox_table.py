"""Outbox table: reads rows with the bytes of their journal rows, deletes acknowledged rows, measures the outbox."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from contracts.envelope import Headers
from service_runtime.clock import Clock
from service_runtime.kafka.client import OutgoingRecord
from service_runtime.outbox.journal import decode_headers
from service_runtime.postgres.database import Connection, Database
from service_runtime.unit_of_work.streams import StreamKey

MAX_ROWS: Final = 1_000
"""Rows that one read returns at most, and that one batch holds at most."""

# One round trip: delete acknowledged rows, read the next ones, and see which keys are refused. A lost delete only
# repeats records. A key's rows before its refused row were acknowledged; if their delete was lost, they are sent again.
# A read visits `limit` rows and the known ones, however many there are, unless a refused key's rows have to be skipped:
# the inner LIMIT stops the scan, and NOT IN builds a hash of the known positions (<> ALL does not).
# OFFSET 0 forces a lookup by position for each row; otherwise the planner scans the journal from its beginning.
_READ = text(
    """
    WITH deleted AS (DELETE FROM outbox WHERE position = ANY(CAST(:acknowledged AS bigint[]))),
    refused AS MATERIALIZED (
        SELECT position, topic, key
        FROM outbox CROSS JOIN LATERAL (
            SELECT topic, key FROM journal WHERE journal.position = outbox.position OFFSET 0) AS journal
        WHERE refused_because IS NOT NULL
    ), waiting AS MATERIALIZED (
        SELECT position FROM outbox WHERE position NOT IN (SELECT unnest(CAST(:known AS bigint[]))) ORDER BY position
        LIMIT (SELECT CASE WHEN NOT EXISTS (SELECT 1 FROM refused) THEN CAST(:limit AS bigint) END)
    ), unsent AS (
        SELECT position, topic, key, headers, payload
        FROM waiting CROSS JOIN LATERAL (
            SELECT topic, key, headers, payload FROM journal
            WHERE journal.position = waiting.position OFFSET 0) AS journal
        WHERE NOT EXISTS (
            SELECT 1 FROM refused
            WHERE refused.position <= waiting.position AND refused.topic = journal.topic AND refused.key = journal.key)
        ORDER BY position LIMIT :limit
    )
    SELECT 'unsent' AS kind, position, topic, key, headers, payload FROM unsent
    UNION ALL SELECT 'refused', position, topic, key, NULL, NULL FROM refused
    UNION ALL SELECT 'taken', position, NULL, NULL, NULL, NULL FROM outbox
              WHERE position = ANY(CAST(:taken AS bigint[]))
    """
)
_LAST = text("SELECT coalesce(max(position), 0) AS position FROM outbox")
_DEPTH = text(
    """
    SELECT count(*) AS rows, coalesce(extract(epoch FROM CAST(:now AS timestamptz) - (
        SELECT occurred_at FROM journal WHERE position = (SELECT min(position) FROM outbox))), 0) AS age
    FROM outbox
    """
)


@dataclass(frozen=True)
class OutboxRow:
    """An outbox row with the bytes of its journal row."""

    position: int
    stream: StreamKey
    headers: Headers
    payload: bytes

    def to_outgoing_record(self) -> OutgoingRecord:
        return OutgoingRecord(self.stream.topic, self.stream.key.encode(), self.payload, self.headers)


@dataclass(frozen=True)
class OutboxSnapshot:
    """The result of one read."""

    unsent: list[OutboxRow]
    """Rows in order of position, without the known rows and those from a refused row of their key on."""
    refused: set[StreamKey]
    """Keys of all rows that Kafka has refused."""
    taken: set[int]
    """Those of the given positions that are still in the outbox."""


async def read_outbox(
    connection: Connection,
    *,
    acknowledged: Collection[int] = (),
    known: Collection[int] = (),
    taken: Collection[int] = (),
    limit: int = MAX_ROWS,
) -> OutboxSnapshot:
    """Deletes the `acknowledged` positions and reads at most `limit` rows that are not among the `known` positions.

    `known` includes `acknowledged`, because the read does not see the deletion. Raises the database's errors.
    """
    values = {"acknowledged": list(acknowledged), "known": list(known), "taken": list(taken), "limit": limit}
    snapshot = OutboxSnapshot([], set(), set())
    for kind, position, topic, key, headers, payload in await connection.execute(_READ, values):
        if kind == "taken":
            snapshot.taken.add(position)
        elif kind == "refused":
            snapshot.refused.add(StreamKey(topic, key))
        else:
            snapshot.unsent.append(OutboxRow(position, StreamKey(topic, key), decode_headers(headers), payload))
    snapshot.unsent.sort(key=lambda row: row.position)
    return snapshot


async def measure_outbox(database: Database, clock: Clock) -> tuple[int, float]:
    """Returns the number of outbox rows, and the age of the oldest in seconds."""
    (row,) = await database.find(_DEPTH, {"now": clock.now()})
    return row.rows, float(row.age)


async def find_last_position(database: Database) -> int:
    """Returns the position of the newest outbox row; 0 if there is none."""
    (row,) = await database.find(_LAST)
    return row.position


async def is_outbox_empty(database: Database, *, up_to: int | None = None) -> bool:
    """Returns True if no row, or none at a position `up_to` this one, is left to send.

    Rows held back by a refused row of their key do not count.
    """
    async with database.open_read_connection() as connection:
        unsent = (await read_outbox(connection, limit=1)).unsent
    return not unsent or (up_to is not None and unsent[0].position > up_to)
