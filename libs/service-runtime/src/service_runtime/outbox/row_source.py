"""Row sources: what feeds the partition queues: rows read from the outbox, and rows handed over after their commit.

Reading: rows come from the outbox. Rows handed over wait; each read drops those that wait, because it returns them
itself. Direct: rows handed over are queued at once. The relay is direct after a read during which no other read was
requested and which returned every row that it did not know: at that instant every row of the outbox was known or behind
a refused row of its key, and later rows were either handed over since that read began or are found by the next read.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from service_runtime.outbox.outbox_table import MAX_ROWS, OutboxRow, OutboxSnapshot, read_outbox
from service_runtime.outbox.partition_queues import PartitionQueues
from service_runtime.outbox.positions import OutboxPositions
from service_runtime.postgres.database import Connection
from service_runtime.unit_of_work.wakeups import Wakeup

POLL: Final = 0.5
"""Seconds between reads in direct mode. Another process that commits rows requests a read, which may be lost."""
KEEP_ALIVE: Final = 1.0
"""Seconds after which a connection that reads nothing, because Kafka is behind, is used to keep the lock."""
QUIET: Final = 0.02
"""Seconds without a row to send after which the relay deletes acknowledged rows itself."""
MAX_IN_MEMORY: Final = 10_000
"""Rows handed over or being sent that are kept in memory; further rows are read from the outbox later."""


class RowSource:
    """Feeds partition queues while this process holds the relay's lock."""

    def __init__(self, connection: Connection, queues: PartitionQueues, positions: OutboxPositions) -> None:
        self._connection = connection
        self._queues = queues
        self._positions = positions
        self._handed: list[OutboxRow] = []
        self._handed_any = asyncio.Event()
        self._attention = Wakeup()
        self._direct = False
        self._read_requested = True

    @property
    def is_direct(self) -> bool:
        return self._direct

    def hand_over(self, rows: Sequence[OutboxRow], *, may_have_earlier: bool) -> None:
        """Takes committed rows, in commit order for each key; see `Relay.hand_over`."""
        in_memory = len(self._handed) + self._positions.unacknowledged_count
        if may_have_earlier or in_memory + len(rows) > MAX_IN_MEMORY:
            self.request_read()
            return
        self._handed.extend(rows)
        self._handed_any.set()

    def request_read(self) -> None:
        """Ends direct mode: rows are read from the outbox before any row handed over is sent."""
        self._direct = False
        self._read_requested = True
        self._attention.notify()

    def notice_progress(self) -> None:
        """Called when rows were acknowledged or a queue is empty."""
        if self._read_requested or self._queues.is_idle:
            self._attention.notify()

    async def queue_handed_rows(self) -> None:
        """Queues rows handed over, in direct mode, until it is cancelled."""
        while True:
            await self._handed_any.wait()
            self._handed_any.clear()
            while not self._queues.are_chosen(self._handed):
                await self._queues.choose_partitions(tuple(self._handed))
            if self._direct:  # no await from here, so that no read comes between
                self._queues.add(row for row in self._handed if not self._positions.was_read(row.position))
                self._handed.clear()

    async def read_when_due(self) -> None:
        """Reads the outbox when requested, at each poll and to delete acknowledged rows, until it is cancelled."""
        while True:
            await self._read()
            await self._wait_until_due()

    async def _read(self) -> None:
        if not self._direct:
            self._handed.clear()  # committed before this read, which therefore returns them
        self._read_requested = False
        snapshot = await self._read_snapshot()
        while not self._queues.are_chosen(snapshot.unsent):
            await self._queues.choose_partitions(snapshot.unsent)
        self._queue_read_rows(snapshot)

    async def _read_snapshot(self) -> OutboxSnapshot:
        """Deletes the acknowledged rows and reads rows that are not known. Raises the database's errors."""
        self._queues.refused.begin_read()
        known, taken = self._positions.list_known(), self._positions.list_taken()
        succeeded = False
        try:
            acknowledged = self._positions.begin_deletion()
            snapshot = await read_outbox(self._connection, acknowledged=acknowledged, known=known, taken=taken)
            succeeded = True
        finally:
            self._positions.end_deletion(succeeded=succeeded)
        self._positions.update_taken(taken, snapshot.taken)
        return snapshot

    def _queue_read_rows(self, snapshot: OutboxSnapshot) -> None:
        """Queues the rows of a read before any row handed over since, and requests a read if there may be more."""
        released = self._queues.refused.end_read(snapshot.refused)
        self._queues.add(snapshot.unsent)
        for row in snapshot.unsent:
            self._positions.remember_read(row.position)
        if released or len(snapshot.unsent) == MAX_ROWS:
            self.request_read()
        elif not self._read_requested:
            self._direct = True
            self._handed_any.set()

    async def _wait_until_due(self) -> None:
        """Returns when a read is requested or due, and the queues have room for its rows."""
        clock = asyncio.get_running_loop()
        used_at = clock.time()
        poll_at = used_at + POLL
        while True:
            due = self._find_due_time(poll_at)
            now = clock.time()
            if now >= due and self._positions.unacknowledged_count < MAX_ROWS:
                return
            if now >= used_at + KEEP_ALIVE:
                await self._connection.run("SELECT 1")  # the server ends an idle session, and with it the lock
                used_at = clock.time()
            await self._attention.wait(min(due - now, KEEP_ALIVE) if due > now else POLL)

    def _find_due_time(self, poll_at: float) -> float:
        if self._read_requested:
            return 0
        if self._queues.is_idle and self._positions.has_acknowledged():
            return min(poll_at, self._queues.idle_since + QUIET)
        return poll_at
