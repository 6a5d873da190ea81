"""Keyed queues: items of one key are handled in order, all that wait of it together; different keys concurrently."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Final, Generic, TypeVar

ItemT = TypeVar("ItemT")

MAX_ITEMS: Final = 64
"""Items of one key that are handled together."""


class KeyedQueues(Generic[ItemT]):
    """Passes the waiting items of a key to `handle`, in order; calls `on_finished` for each handled item.

    There is no limit to the keys that are handled at a time: whoever puts items limits `unfinished`. If `handle`
    raises, the queues are broken: `wait_until_below` raises the error.
    """

    def __init__(
        self,
        handle: Callable[[Sequence[ItemT]], Awaitable[None]],
        *,
        key_of: Callable[[ItemT], Hashable],
        on_finished: Callable[[ItemT], None],
    ) -> None:
        self._handle = handle
        self._key_of = key_of
        self._on_finished = on_finished
        self._waiting: dict[Hashable, deque[ItemT]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
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
        task = asyncio.create_task(self._handle_key(key))
        self._tasks.add(task)
        task.add_done_callback(self._handle_task_end)

    def _handle_task_end(self, task: "asyncio.Task[None]") -> None:
        """Marks the queues as broken after an error: continuing would skip items."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._broken = error
            self._progressed.set()

    async def _handle_key(self, key: Hashable) -> None:
        waiting = self._waiting[key]
        while waiting and not self._stopping:
            items = [waiting.popleft() for _ in range(min(len(waiting), MAX_ITEMS))]
            await self._handle(items)
            for item in items:
                self._on_finished(item)
            self.unfinished -= len(items)
            self._progressed.set()
        del self._waiting[key]  # without an `await` after the check, so that no item is put behind a task that ends

    async def wait_until_below(self, limit: int) -> None:
        """Waits until fewer than `limit` items are unfinished, or it is stopped. Raises the error of `handle`."""
        while self._broken is None and not self._stopped and self.unfinished >= limit:
            self._progressed.clear()
            await self._progressed.wait()
        if self._broken is not None:
            raise self._broken

    async def stop(self, *, within: float = 0) -> None:
        """Handles no further items, waits up to `within` seconds for those in progress, then cancels them."""
        self._stopping = True
        if self._tasks and within:
            await asyncio.wait(self._tasks, timeout=within)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._stopped = True
        self._progressed.set()
