"""Outbox relay: sends outbox rows to Kafka, in order for each key, and deletes acknowledged rows.

A process hands over what it has committed, so the relay usually reads the outbox only to find rows of other processes.
The outbox remains the record of what is unsent: after a start or any failure, the relay reads it first.

One relay per database is active: it holds an advisory lock on a dedicated connection. The server ends that connection
when it has been idle for LOCK_TIMEOUT, so that another process takes over from one that is frozen. A process without
the lock notifies the one that holds it. Two relays that are active for a moment can only repeat records: first
occurrences stay gapless and in order, and repeats are byte-identical because the relay sends the bytes of the journal.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import text

from contracts.envelope import Envelope
from service_runtime.clock import Clock
from service_runtime.dead_letters.parked_keys import DeadLetters
from service_runtime.kafka.client import KafkaFailure, Producer
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.observability.logs import Logger
from service_runtime.observability.metrics import RelayMetrics
from service_runtime.outbox.outbox_table import OutboxRow
from service_runtime.outbox.partition_queues import PartitionQueues
from service_runtime.outbox.positions import OutboxPositions
from service_runtime.outbox.row_source import RowSource
from service_runtime.postgres.database import Connection, Database
from service_runtime.unit_of_work.wakeups import Wakeup

PAUSE: Final = 0.5
"""Seconds before an interrupted relay restarts."""
LOCK: Final = "calloff relay"
"""Name of the advisory lock."""
LOCK_TIMEOUT: Final = 5.0
"""Seconds after which a relay that reads no more loses the lock; it reads ten times as often."""
LOCK_POLL: Final = 0.5
"""Seconds between two attempts to take the lock."""
_LONGEST_WAIT: Final = 3_600
"""Seconds that the relay waits for one notification; it reads the outbox much more often than that."""

_TRY_LOCK = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
_HOLD_LOCK: Final = f"""
    SET synchronous_commit = off;
    SET idle_session_timeout = '{LOCK_TIMEOUT:.0f}s';
    SET tcp_keepalives_idle = 2;
    SET tcp_keepalives_interval = 1;
    SET tcp_keepalives_count = 3
"""
_REFUSE = text("UPDATE outbox SET refused_because = :because WHERE position = :position")


class Relay:
    """Sends outbox rows until it is cancelled; restarts after outages of PostgreSQL and Kafka."""

    def __init__(
        self,
        *,
        service: str,
        database: Database,
        kafka: KafkaConnection,
        clock: Clock,
        wakeup: Wakeup,
        log: Logger,
        metrics: RelayMetrics,
        notify_peers: Callable[[], None] = lambda: None,
    ) -> None:
        """`notify_peers` makes the relay that holds the lock, in another process, read the outbox."""
        self._notify_peers = notify_peers
        self._service = service
        self._database = database
        self._kafka = kafka
        self._wakeup = wakeup
        self._log = log
        self._metrics = metrics
        self._dead_letters = DeadLetters(service, database, clock, metrics.parked, log)
        self._positions = OutboxPositions()
        self._source: RowSource | None = None

    def hand_over(self, rows: Sequence[OutboxRow], *, may_have_earlier: bool = False) -> None:
        """Takes rows that this process has committed, in commit order for each key; never blocks, never raises.

        `may_have_earlier`: rows of one of these keys that this relay does not know may be in the outbox, because
        another process committed them, or this process did before it loaded the key. The relay then reads the outbox
        before it sends them. A relay without the lock notifies the one that holds it, which reads the rows.
        """
        if self._source is not None:
            self._source.hand_over(rows, may_have_earlier=may_have_earlier)
        else:
            self._notify_peers()

    def take_acknowledged(self) -> list[int]:
        """Removes and returns positions that Kafka has acknowledged, for the caller to delete with its next statement.

        The caller passes them to `return_acknowledged` if it is not certain that its statement was committed.
        """
        return self._positions.take_acknowledged()

    def return_acknowledged(self, positions: Sequence[int]) -> None:
        """Puts positions back whose deletion failed; the relay deletes them or the next caller takes them."""
        self._positions.return_acknowledged(positions)
        if self._source is not None:
            self._source.notice_progress()

    def notify(self) -> None:
        """Makes the relay read the outbox: something was committed that may not have been handed over."""
        if self._source is not None:
            self._source.request_read()
        else:
            self._notify_peers()

    def read_for_peer(self) -> None:
        """Makes the relay read the outbox if it holds the lock: another process has committed rows."""
        if self._source is not None:
            self._source.request_read()

    @property
    def is_direct(self) -> bool:
        """True if rows that are handed over are sent without reading the outbox."""
        return self._source is not None and self._source.is_direct

    async def run(self) -> None:
        """Runs until it is cancelled; restarts after any error."""
        while True:
            try:
                async with self._database.open_unpooled_connection() as connection:
                    await self._run_with_lock(connection)
            except Exception as error:  # noqa: BLE001  the relay restarts after any error
                self._log.warning("relay interrupted", error=type(error).__name__)
                await asyncio.sleep(PAUSE)

    async def _run_with_lock(self, connection: Connection) -> None:
        while not (await connection.execute(_TRY_LOCK, {"name": LOCK})).scalar_one():
            await asyncio.sleep(LOCK_POLL)
        await connection.run(_HOLD_LOCK)
        producer = Producer(self._kafka, client_id=f"{self._service}-relay")
        try:
            await producer.start()
            await self._relay_until_interrupted(connection, producer)
        finally:
            await producer.close(within=3)

    async def _relay_until_interrupted(self, connection: Connection, producer: Producer) -> None:
        """Relays until a part fails, whose error it raises, or until this task is cancelled.

        The parts have a task of their own: a task group whose part fails while it is cancelled raises that failure, and
        the cancellation would be lost.
        """
        relaying = asyncio.create_task(self._run_parts(connection, producer))
        try:
            await asyncio.wait({relaying})
        finally:
            relaying.cancel()
            await asyncio.gather(relaying, return_exceptions=True)
        relaying.result()

    async def _run_parts(self, connection: Connection, producer: Producer) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                queues = PartitionQueues(
                    producer, tasks, self._positions, on_refusal=self._park_key, on_progress=self._count_acknowledged
                )
                source = self._source = RowSource(connection, queues, self._positions)
                for part in (source.read_when_due(), source.queue_handed_rows(), self._pass_on_notifications(source)):
                    tasks.create_task(part)
        except ExceptionGroup as group:
            raise group.exceptions[0] from None  # the error of the first task that failed
        finally:
            self._source = None
            self._positions.drop_unacknowledged()

    async def _pass_on_notifications(self, source: RowSource) -> None:
        while True:
            await self._wakeup.wait(_LONGEST_WAIT)
            source.request_read()

    def _count_acknowledged(self, count: int) -> None:
        self._metrics.relayed.inc(count)
        if self._source is not None:
            self._source.notice_progress()

    async def _park_key(self, row: OutboxRow, error: KafkaFailure) -> None:
        because = f"Kafka refused event {row.position}: {type(error).__name__}"

        async def refuse(connection: Connection, _: datetime) -> None:
            await connection.execute(_REFUSE, {"position": row.position, "because": because})

        council = Envelope.from_headers(row.headers).council
        await self._dead_letters.park(row.stream, council=council, because=because, also=refuse)
        self.notify()  # the event KeyParked is in the outbox
