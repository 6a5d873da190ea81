"""Partition queues: rows that wait for Kafka, in order, with one batch in flight for each partition.

A batch is accepted or refused as a whole, so no row overtakes an earlier row of its key. A refused batch is sent again
row by row; a row that is refused alone is reported, and no later row of its key is sent. Partitions do not wait for
each other.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final, Protocol

from service_runtime.kafka.client import REFUSALS, KafkaFailure, OutgoingRecord, Partition
from service_runtime.outbox.outbox_table import MAX_ROWS, OutboxRow
from service_runtime.outbox.positions import OutboxPositions
from service_runtime.outbox.refused_keys import RefusedKeys

SEND_TIMEOUT: Final = 12.0
"""Seconds for sending one batch; after that the producer is replaced."""
_MAX_CHOSEN: Final = 50_000
"""Keys of a topic whose partition is kept: more than the rows that are added at once."""


class BatchProducer(Protocol):
    """What is needed of a Kafka producer."""

    async def choose_partition(self, topic: str, key: bytes) -> int: ...
    async def send(self, partition: Partition, records: Sequence[OutgoingRecord]) -> int: ...


class PartitionQueues:
    """Sends rows to Kafka in order within each partition; an error other than a refusal ends the task group."""

    def __init__(
        self,
        producer: BatchProducer,
        tasks: asyncio.TaskGroup,
        positions: OutboxPositions,
        *,
        on_refusal: Callable[[OutboxRow, KafkaFailure], Awaitable[None]],
        on_progress: Callable[[int], None],
    ) -> None:
        """`on_refusal` parks the key of a refused row; `on_progress` gets the number of rows just acknowledged."""
        self.refused = RefusedKeys()
        self.idle_since = asyncio.get_running_loop().time()
        self._producer = producer
        self._tasks = tasks
        self._positions = positions
        self._on_refusal = on_refusal
        self._on_progress = on_progress
        self._chosen: defaultdict[str, dict[str, Partition]] = defaultdict(dict)
        self._queues: defaultdict[Partition, deque[OutboxRow]] = defaultdict(deque)
        self._busy: set[Partition] = set()

    @property
    def is_idle(self) -> bool:
        return not self._busy

    def are_chosen(self, rows: Iterable[OutboxRow]) -> bool:
        """Returns True if `choose_partitions` has chosen the partitions of all `rows`."""
        return all(row.stream.key in self._chosen[row.stream.topic] for row in rows)

    async def choose_partitions(self, rows: Iterable[OutboxRow]) -> None:
        """Chooses the partitions of `rows`. Waits for Kafka if it does not know a topic yet."""
        for row in rows:
            topic, key = row.stream.topic, row.stream.key
            chosen = self._chosen[topic]
            if key not in chosen:
                if len(chosen) >= _MAX_CHOSEN:
                    chosen.clear()
                chosen[key] = Partition(topic, await self._producer.choose_partition(topic, key.encode()))

    def add(self, rows: Iterable[OutboxRow]) -> None:
        """Adds rows with chosen partitions, without those that are known or whose key is refused."""
        for row in rows:
            if (self.refused and row.stream in self.refused) or self._positions.is_known(row.position):
                continue
            self._positions.add_unacknowledged(row.position)
            self._enqueue(row)

    def _enqueue(self, row: OutboxRow) -> None:
        partition = self._chosen[row.stream.topic][row.stream.key]
        queue = self._queues[partition]
        queue.append(row)
        if partition not in self._busy:
            self._busy.add(partition)
            self._tasks.create_task(self._send_queue(partition, queue))

    async def _send_queue(self, partition: Partition, queue: deque[OutboxRow]) -> None:
        while batch := self._take_batch(queue):
            try:
                count = await self._send(partition, batch)
            except REFUSALS:
                await self._send_singly(partition, batch)
            else:
                self._acknowledge(batch[:count])
                queue.extendleft(reversed(batch[count:]))
        self._busy.discard(partition)
        if self.is_idle:
            self.idle_since = asyncio.get_running_loop().time()
        self._on_progress(0)

    def _take_batch(self, queue: deque[OutboxRow]) -> list[OutboxRow]:
        batch: list[OutboxRow] = []
        while queue and len(batch) < MAX_ROWS:
            row = queue.popleft()
            if self.refused and row.stream in self.refused:
                self._positions.drop(row.position)
            else:
                batch.append(row)
        return batch

    async def _send(self, partition: Partition, rows: Sequence[OutboxRow]) -> int:
        async with asyncio.timeout(SEND_TIMEOUT):
            return await self._producer.send(partition, [row.to_outgoing_record() for row in rows])

    async def _send_singly(self, partition: Partition, rows: Sequence[OutboxRow]) -> None:
        for row in rows:
            if row.stream in self.refused:
                self._positions.drop(row.position)
                continue
            try:
                await self._send(partition, [row])
            except REFUSALS as error:
                await self._refuse(row, error)
            else:
                self._acknowledge([row])

    async def _refuse(self, row: OutboxRow, error: KafkaFailure) -> None:
        self.refused.refuse(row.stream)
        await self._on_refusal(row, error)
        self.refused.end_refusal(row.stream)
        self._positions.drop(row.position)

    def _acknowledge(self, rows: Sequence[OutboxRow]) -> None:
        self._positions.acknowledge(row.position for row in rows)
        self._on_progress(len(rows))
