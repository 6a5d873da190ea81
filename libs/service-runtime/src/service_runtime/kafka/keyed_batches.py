"""Keyed batches: items of one key are handled in order, different keys concurrently, waiting items in one batch.

Under low load each item is handled immediately and singly. Items that arrive while their key or all workers are busy
form batches, each of which takes one transaction instead of one for each item.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Final, Generic, TypeVar

ItemT = TypeVar("ItemT")

MAX_CONCURRENCY: Final = 8
"""Default number of concurrent batches; each needs a database connection."""
MAX_BATCH_SIZE: Final = 16
"""Items in a batch. All keys of a batch stay locked until its last item is handled."""


class KeyedBatcher(Generic[ItemT]):
    """Passes batches of items to `handle`, items of one key in order; calls `on_finished` for each handled item.

    If `handle` raises, the batcher is broken: `wait_until_below` raises the error.
    """

    def __init__(
        self,
        handle: Callable[[Sequence[ItemT]], Awaitable[None]],
        *,
        key_of: Callable[[ItemT], Hashable],
        on_finished: Callable[[ItemT], None],
        max_concurrency: int = MAX_CONCURRENCY,
    ) -> None:
        self._handle = handle
        self._key_of = key_of
        self._on_finished = on_finished
        self._max_concurrency = max_concurrency
        self._waiting: dict[Hashable, deque[ItemT]] = {}
        self._ready: deque[Hashable] = deque()
        self._busy: set[asyncio.Task[None]] = set()
        self._workers = 0
        self._progressed = asyncio.Event()
        self._stopping = False
        self._stopped = False
        self._broken: BaseException | None = None
        self.unfinished = 0

    def put(self, item: ItemT) -> None:
        """Queues an item behind the earlier items of its key."""
        self.unfinished += 1
        key = self._key_of(item)
        if key in self._waiting:
            self._waiting[key].append(item)
            return
        self._waiting[key] = deque((item,))
        self._ready.append(key)
        if self._workers < self._max_concurrency:
            self._workers += 1
            task = asyncio.create_task(self._run_worker())
            self._busy.add(task)
            task.add_done_callback(self._handle_task_end)

    def _handle_task_end(self, task: "asyncio.Task[None]") -> None:
        """Marks the batcher as broken after a worker's error: continuing would skip the items of its batch."""
        self._busy.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._broken = error
            self._progressed.set()

    async def _run_worker(self) -> None:
        try:
            while self._ready and not self._stopping:
                keys, batch = self._take_batch()
                await self._handle(batch)
                for item in batch:
                    self._on_finished(item)
                self.unfinished -= len(batch)
                self._requeue_keys(keys)
                self._progressed.set()
        finally:
            # Decrement here, not in the done callback: `put` between the two would start no worker.
            self._workers -= 1

    def _take_batch(self) -> tuple[list[Hashable], list[ItemT]]:
        """Returns a fair share of the ready keys with their waiting items, at most one batch."""
        share = -(-len(self._ready) // self._max_concurrency)
        keys: list[Hashable] = []
        batch: list[ItemT] = []
        while self._ready and len(keys) < share and len(batch) < MAX_BATCH_SIZE:
            key = self._ready.popleft()
            waiting = self._waiting[key]
            keys.append(key)
            batch += [waiting.popleft() for _ in range(min(len(waiting), MAX_BATCH_SIZE - len(batch)))]
        return keys, batch

    def _requeue_keys(self, keys: Sequence[Hashable]) -> None:
        for key in keys:
            if self._waiting[key]:
                self._ready.append(key)
            else:
                del self._waiting[key]

    async def wait_until_below(self, limit: int) -> None:
        """Waits until fewer than `limit` items are unfinished, or it is stopped. Raises the error of a failed batch."""
        while self._broken is None and not self._stopped and self.unfinished >= limit:
            self._progressed.clear()
            await self._progressed.wait()
        if self._broken is not None:
            raise self._broken

    async def stop(self, *, within: float = 0) -> None:
        """Starts no new batch, waits up to `within` seconds for running batches, then cancels them."""
        self._stopping = True
        if self._busy and within:
            await asyncio.wait(self._busy, timeout=within)
        for task in self._busy:
            task.cancel()
        await asyncio.gather(*self._busy, return_exceptions=True)
        self._stopped = True
        self._progressed.set()
