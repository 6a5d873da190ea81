"""Lanes: what concerns one key goes one after the other, different keys side by side, and a crowd goes together.

While there is little to do each key is handed on at once and alone. What gathers behind that, of its key and of others,
is handed on together, so that it costs one transaction and not one each.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Final, Generic, TypeVar

ItemT = TypeVar("ItemT")

MAX_CONCURRENCY: Final = 8
"""Handfuls that are worked on at once, where nothing else is said; each needs a database connection."""
MAX_BATCH_SIZE: Final = 16
"""Items in a handful: its keys are locked until the last of them is done."""


class KeyedBatcher(Generic[ItemT]):
    """Hands items to `handle`, those of one key (`lane_of`) in their order; `finished` is told of each one handled.

    A handful that `handle` raises for breaks the lanes: `below` raises it, and nothing of it is told as finished.
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
        self._lane_of = key_of
        self._finished = on_finished
        self._side_by_side = max_concurrency
        self._waiting: dict[Hashable, deque[ItemT]] = {}
        self._ready: deque[Hashable] = deque()
        self._busy: set[asyncio.Task[None]] = set()
        self._at_work = 0
        self._moved = asyncio.Event()
        self._stopping = False
        self._stopped = False
        self._broken: BaseException | None = None
        self.unfinished = 0

    def put(self, item: ItemT) -> None:
        """Queues an item behind those of its key."""
        self.unfinished += 1
        lane = self._lane_of(item)
        if lane in self._waiting:
            self._waiting[lane].append(item)
            return
        self._waiting[lane] = deque((item,))
        self._ready.append(lane)
        if self._at_work < self._side_by_side:
            self._at_work += 1
            task = asyncio.create_task(self._work())
            self._busy.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        """What broke one must end them all: going on would pass over the item it stands at."""
        self._busy.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._broken = error
            self._moved.set()

    async def _work(self) -> None:
        try:
            while self._ready and not self._stopping:
                lanes, handful = self._take()
                await self._handle(handful)
                for item in handful:
                    self._finished(item)
                self.unfinished -= len(handful)
                self._put_back(lanes)
                self._moved.set()
        finally:
            # At once, and not when the task is known to have ended: what is put in between would wait for nobody.
            self._at_work -= 1

    def _take(self) -> tuple[list[Hashable], list[ItemT]]:
        """A fair share of the keys that are ready, each with all that waits for it, as far as one handful goes."""
        share = -(-len(self._ready) // self._side_by_side)
        lanes: list[Hashable] = []
        handful: list[ItemT] = []
        while self._ready and len(lanes) < share and len(handful) < MAX_BATCH_SIZE:
            lane = self._ready.popleft()
            waiting = self._waiting[lane]
            lanes.append(lane)
            handful += [waiting.popleft() for _ in range(min(len(waiting), MAX_BATCH_SIZE - len(handful)))]
        return lanes, handful

    def _put_back(self, lanes: Sequence[Hashable]) -> None:
        for lane in lanes:
            if self._waiting[lane]:
                self._ready.append(lane)
            else:
                del self._waiting[lane]

    async def wait_until_below(self, limit: int) -> None:
        """Waits until fewer than `limit` items are unfinished, or the lanes are stopped. Raises what broke them."""
        while self._broken is None and not self._stopped and self.unfinished >= limit:
            self._moved.clear()
            await self._moved.wait()
        if self._broken is not None:
            raise self._broken

    async def stop(self, *, within: float = 0) -> None:
        """Lets what is in hand finish for `within` seconds, then cancels it; nothing new is begun."""
        self._stopping = True
        if self._busy and within:
            await asyncio.wait(self._busy, timeout=within)
        for task in self._busy:
            task.cancel()
        await asyncio.gather(*self._busy, return_exceptions=True)
        self._stopped = True
        self._moved.set()
