"""Lanes: the records of one key go one after the other, different keys side by side, and offsets wait for both.

Offsets are committed as the lowest unfinished one of each partition, so that whoever takes a partition over starts at
what was not finished; what was finished beyond it comes again and is told apart by the inbox.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from typing import Final

from service_runtime.kafka import KafkaRecord, Partition

SIDE_BY_SIDE: Final = 8
"""Keys that are worked on at once; each needs a database connection."""


class Offsets:
    """Which offsets of each partition are unfinished, and so where a new owner would have to start."""

    def __init__(self) -> None:
        self._unfinished: dict[Partition, set[int]] = defaultdict(set)
        self._next: dict[Partition, int] = {}

    def begin(self, partition: Partition, offset: int) -> None:
        self._unfinished[partition].add(offset)
        self._next[partition] = offset + 1

    def finish(self, partition: Partition, offset: int) -> None:
        self._unfinished[partition].discard(offset)

    def to_commit(self) -> dict[Partition, int]:
        """For each partition the lowest unfinished offset, or the one after the last when all are finished."""
        return {
            partition: min(self._unfinished[partition], default=following)
            for partition, following in self._next.items()
        }

    def forget(self, partitions: set[Partition]) -> None:
        """Partitions that belong to somebody else now."""
        for partition in partitions:
            self._unfinished.pop(partition, None)
            self._next.pop(partition, None)

    @property
    def unfinished(self) -> int:
        return sum(len(offsets) for offsets in self._unfinished.values())


class Lanes:
    """Hands records to `handle`, serially for each key, at most `SIDE_BY_SIDE` keys at once."""

    def __init__(self, handle: Callable[[KafkaRecord], Awaitable[None]]) -> None:
        self._handle = handle
        self._waiting: dict[tuple[str, bytes], deque[KafkaRecord]] = {}
        self._busy: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(SIDE_BY_SIDE)
        self._moved = asyncio.Event()
        self._stopped = False
        self._broken: BaseException | None = None
        self.offsets = Offsets()

    def put(self, record: KafkaRecord) -> None:
        """Queues a record behind those of its key."""
        self.offsets.begin(_partition(record), record.offset)
        lane = (record.topic, record.key or b"")
        if lane in self._waiting:
            self._waiting[lane].append(record)
            return
        self._waiting[lane] = deque((record,))
        task = asyncio.create_task(self._drive(lane))
        self._busy.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, lane: "asyncio.Task[None]") -> None:
        """A lane that broke must end its member: going on would pass over the record it stands at."""
        self._busy.discard(lane)
        if not lane.cancelled() and (error := lane.exception()) is not None:
            self._broken = error
            self._moved.set()

    async def _drive(self, lane: tuple[str, bytes]) -> None:
        queue = self._waiting[lane]
        try:
            while queue:
                async with self._slots:
                    await self._handle(queue[0])
                record = queue.popleft()
                self.offsets.finish(_partition(record), record.offset)
                self._moved.set()
        finally:
            del self._waiting[lane]

    async def below(self, limit: int) -> None:
        """Waits until fewer than `limit` records are unfinished, or the lanes are stopped. Raises what broke a lane."""
        while self._broken is None and not self._stopped and self.offsets.unfinished >= limit:
            self._moved.clear()
            await self._moved.wait()
        if self._broken is not None:
            raise self._broken

    async def stop(self, *, within: float = 0) -> None:
        """Lets the handlers that run finish for `within` seconds, then cancels them; their records come again."""
        if self._busy and within:
            await asyncio.wait(self._busy, timeout=within)
        for task in self._busy:
            task.cancel()
        await asyncio.gather(*self._busy, return_exceptions=True)
        self._stopped = True
        self._moved.set()


def _partition(record: KafkaRecord) -> Partition:
    return Partition(record.topic, record.partition)
