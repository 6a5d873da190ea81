"""Outbox relay: sends outbox rows to Kafka, in order for each key, and deletes acknowledged rows.

One relay per database is active: it holds an advisory lock on a dedicated connection. Two relays that are active for a
moment, after the connection was cut, can only repeat records: first occurrences stay gapless and in order, and repeats
are byte-identical because the relay sends the bytes of the journal.

One batch per partition is in flight, accepted or refused as a whole, so no row overtakes an earlier row of
its key. A refused batch is sent again row by row; a row that is refused alone parks its key.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final

from sqlalchemy import text

from contracts.envelope import Envelope
from service_runtime.clock import Clock
from service_runtime.dead_letters.parked_keys import DeadLetters
from service_runtime.kafka.client import REFUSALS, KafkaFailure, OutgoingRecord, Partition, Producer
from service_runtime.observability.logs import Logger
from service_runtime.observability.metrics import RelayMetrics
from service_runtime.outbox.journal import decode_headers
from service_runtime.postgres.database import Connection, Database
from service_runtime.unit_of_work.streams import StreamKey
from service_runtime.unit_of_work.wakeups import POLL, Wakeup

MAX_ROWS: Final = 1_000
"""Rows that the relay reads and sends in one round."""
SEND_TIMEOUT: Final = 12.0
"""Seconds for sending a round of batches; after that the producer is replaced."""
PAUSE: Final = 0.5
"""Seconds before an interrupted relay restarts."""
LOCK: Final = "calloff relay"
"""Name of the advisory lock."""


@dataclass(frozen=True)
class Row:
    """An outbox row with the bytes of its journal row."""

    position: int
    stream: StreamKey
    headers: bytes
    payload: bytes

    def to_outgoing_record(self) -> OutgoingRecord:
        return OutgoingRecord(self.stream.topic, self.stream.key.encode(), self.payload, decode_headers(self.headers))


_TRY_LOCK = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
# Each round is one round trip: delete acknowledged rows, read the next ones. A lost delete only repeats a record.
# A key's rows before its refused row were acknowledged; if their delete was lost, they are sent again at once.
# A round reads at most `limit` outbox rows, however many there are, unless a refused key's rows have to be skipped: the
# inner LIMIT stops the scan, and NOT IN builds a hash of the acknowledged positions (<> ALL does not).
# OFFSET 0 forces a lookup by position for each row; otherwise the planner scans the journal from its beginning.
_NEXT = text(
    """
    WITH acknowledged AS (DELETE FROM outbox WHERE position = ANY(CAST(:done AS bigint[]))),
    refused AS MATERIALIZED (
        SELECT position, topic, key
        FROM outbox CROSS JOIN LATERAL (
            SELECT topic, key FROM journal WHERE journal.position = outbox.position OFFSET 0) AS journal
        WHERE refused_because IS NOT NULL
    ), waiting AS MATERIALIZED (
        SELECT position FROM outbox WHERE position NOT IN (SELECT unnest(CAST(:done AS bigint[]))) ORDER BY position
        LIMIT (SELECT CASE WHEN NOT EXISTS (SELECT 1 FROM refused) THEN CAST(:limit AS bigint) END)
    )
    SELECT position, topic, key, headers, payload
    FROM waiting CROSS JOIN LATERAL (
        SELECT topic, key, headers, payload FROM journal WHERE journal.position = waiting.position OFFSET 0) AS journal
    WHERE NOT EXISTS (
        SELECT 1 FROM refused
        WHERE refused.position <= waiting.position AND refused.topic = journal.topic AND refused.key = journal.key)
    ORDER BY position LIMIT :limit
    """
)
_REFUSE = text("UPDATE outbox SET refused_because = :because WHERE position = :position")
_DEPTH = text(
    """
    SELECT count(*) AS rows, coalesce(extract(epoch FROM CAST(:now AS timestamptz) - (
        SELECT occurred_at FROM journal WHERE position = (SELECT min(position) FROM outbox))), 0) AS age
    FROM outbox
    """
)


class Relay:
    """Sends outbox rows until it is cancelled; restarts after outages of PostgreSQL and Kafka."""

    def __init__(
        self,
        *,
        service: str,
        database: Database,
        bootstrap: str,
        clock: Clock,
        wakeup: Wakeup,
        log: Logger,
        metrics: RelayMetrics,
    ) -> None:
        self._service = service
        self._database = database
        self._bootstrap = bootstrap
        self._wakeup = wakeup
        self._log = log
        self._metrics = metrics
        self._dead_letters = DeadLetters(service, database, clock, metrics.parked, log)

    async def run(self) -> None:
        while True:
            try:
                async with self._database.open_unpooled_connection() as connection:
                    await self._run_with_lock(connection)
            except Exception as error:  # noqa: BLE001  the relay restarts after any error
                self._log.warning("relay interrupted", error=type(error).__name__)
                await asyncio.sleep(PAUSE)

    async def _run_with_lock(self, connection: Connection) -> None:
        while not (await connection.execute(_TRY_LOCK, {"name": LOCK})).scalar_one():
            await asyncio.sleep(1)
        await connection.execute(text("SET synchronous_commit = off"))
        producer = Producer(self._bootstrap, client_id=f"{self._service}-relay")
        try:
            await producer.start()
            await self._relay_until_interrupted(connection, producer)
        finally:
            await producer.close(within=3)

    async def _relay_until_interrupted(self, connection: Connection, producer: Producer) -> None:
        done: list[int] = []
        while True:
            result = await connection.execute(_NEXT, {"done": done, "limit": MAX_ROWS})
            rows = [Row(row.position, StreamKey(row.topic, row.key), row.headers, row.payload) for row in result]
            if not rows:
                done = []
                await self._wakeup.wait(POLL)
                continue
            done = await self._send(producer, rows)
            self._metrics.relayed.inc(len(done))

    async def _send(self, producer: Producer, rows: Sequence[Row]) -> list[int]:
        """Returns the positions of the acknowledged rows. Raises if the outcome of a batch is not known."""
        rows_by_partition = [(await self._choose_partition(producer, row), row) for row in rows]
        rows_by_partition.sort(key=lambda pair: (pair[0], pair[1].position))
        batches = [
            (partition, [row for _, row in pairs])
            for partition, pairs in groupby(rows_by_partition, key=lambda pair: pair[0])
        ]
        async with asyncio.timeout(SEND_TIMEOUT):
            sent = await asyncio.gather(*(self._send_batch(producer, partition, batch) for partition, batch in batches))
        return [position for positions in sent for position in positions]

    async def _choose_partition(self, producer: Producer, row: Row) -> Partition:
        return Partition(row.stream.topic, await producer.choose_partition(row.stream.topic, row.stream.key.encode()))

    async def _send_batch(self, producer: Producer, partition: Partition, rows: Sequence[Row]) -> list[int]:
        try:
            count = await producer.send(partition, [row.to_outgoing_record() for row in rows])
        except REFUSALS:
            return await self._send_singly(producer, partition, rows)
        return [row.position for row in rows[:count]]

    async def _send_singly(self, producer: Producer, partition: Partition, rows: Sequence[Row]) -> list[int]:
        """Sends rows one by one; parks the key of each refused row and sends no later row of it."""
        refused: set[StreamKey] = set()
        sent: list[int] = []
        for row in rows:
            if row.stream in refused:
                continue
            try:
                await producer.send(partition, [row.to_outgoing_record()])
            except REFUSALS as error:
                refused.add(row.stream)
                await self._park_key(row, error)
            else:
                sent.append(row.position)
        return sent

    async def _park_key(self, row: Row, error: KafkaFailure) -> None:
        because = f"Kafka refused event {row.position}: {type(error).__name__}"

        async def refuse(connection: Connection, _: datetime) -> None:
            await connection.execute(_REFUSE, {"position": row.position, "because": because})

        council = Envelope.from_headers(decode_headers(row.headers)).council
        await self._dead_letters.park(row.stream, council=council, because=because, also=refuse)


async def measure_outbox(database: Database, clock: Clock) -> tuple[int, float]:
    """Returns the number of outbox rows, and the age of the oldest in seconds."""
    (row,) = await database.find(_DEPTH, {"now": clock.now()})
    return row.rows, float(row.age)


async def is_outbox_empty(database: Database) -> bool:
    """Returns True if no row is left to send; rows held back by a refused row of their key do not count."""
    async with database.begin_transaction() as connection:
        rows = await connection.execute(_NEXT, {"done": [], "limit": 1})
        return rows.first() is None
