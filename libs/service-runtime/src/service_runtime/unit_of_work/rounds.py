"""Rounds: what is submitted while one round runs goes together in the next.

An idle system runs a round of one item at once; a busy one forms batches by itself, without a timer (group commit).
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

MAX_ITEMS: Final = 64
"""Items of one round."""
TASK_NAME: Final = "rounds"
"""Of the tasks that run rounds, whoever submitted to them."""


class Rounds(Generic[ItemT, ResultT]):
    """Runs `run` on the items that wait, at most `max_concurrency` rounds at a time.

    `run` returns the outcome of each item, in their order: a result, or an exception that `submit` raises. If `run`
    itself raises, every item of the round gets that error.
    """

    def __init__(
        self,
        run: Callable[[Sequence[ItemT]], Awaitable[Sequence[ResultT | BaseException]]],
        *,
        max_concurrency: int = 1,
        max_items: int = MAX_ITEMS,
    ) -> None:
        self._run = run
        self._max_concurrency = max_concurrency
        self._max_items = max_items
        self._waiting: deque[tuple[ItemT, asyncio.Future[ResultT]]] = deque()
        self._workers = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self.unfinished = 0
        """Items that were submitted and have no outcome yet."""

    async def submit(self, item: ItemT) -> ResultT:
        """Returns the item's result. A caller that is cancelled does not stop the round."""
        future: asyncio.Future[ResultT] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        self.unfinished += 1
        if self._workers < self._max_concurrency:
            self._workers += 1
            task = asyncio.create_task(self._run_rounds(), name=TASK_NAME)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await future

    async def finish(self, *, within: float) -> None:
        """Waits up to `within` seconds until all items have their outcome, those of cancelled callers too."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within)

    async def _run_rounds(self) -> None:
        try:
            await asyncio.sleep(0)  # whatever is ready in this turn of the event loop comes along
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._max_items))]
                await self._run_round(batch)
        finally:
            # Decrement here, not in the done callback: a `submit` between the two would start no worker.
            self._workers -= 1

    async def _run_round(self, batch: Sequence[tuple[ItemT, "asyncio.Future[ResultT]"]]) -> None:
        try:
            outcomes = await self._run([item for item, _ in batch])
        except BaseException as error:
            self._finish(batch, [error] * len(batch))
            if not isinstance(error, Exception):
                raise
        else:
            self._finish(batch, outcomes)

    def _finish(
        self, batch: Sequence[tuple[ItemT, "asyncio.Future[ResultT]"]], outcomes: Sequence[ResultT | BaseException]
    ) -> None:
        self.unfinished -= len(batch)
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            if future.done():  # its caller was cancelled
                continue
            if isinstance(outcome, asyncio.CancelledError):
                future.cancel()
            elif isinstance(outcome, BaseException):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
