"""Bounded threads: blocking calls that may hang, in daemon threads which no other work shares and no exit waits for."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from threading import Thread
from typing import TypeVar

ResultT = TypeVar("ResultT")


class ThreadsBusy(OSError):
    """No thread became free for as long as the call could wait."""


class BoundedThreads:
    """Runs each call in a thread of its own, at most `limit` at a time.

    A call waits up to `max_wait` seconds for a thread. A thread counts until its call returns, even if nobody waits
    for the result any more.
    """

    def __init__(self, name: str, *, limit: int, max_wait: float) -> None:
        self._name = name
        self._max_wait = max_wait
        self._free = asyncio.Semaphore(limit)

    async def run(self, call: Callable[[], ResultT]) -> ResultT:
        """Returns what `call` returns and raises what it raises. Raises ThreadsBusy if no thread becomes free."""
        await self._reserve_thread()
        loop = asyncio.get_running_loop()
        outcome: Future[ResultT] = Future()
        outcome.set_running_or_notify_cancel()
        outcome.add_done_callback(lambda _: self._free_thread(loop))
        thread = Thread(target=_complete, args=(outcome, call), name=self._name, daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # the operating system has no thread left
            self._free.release()
            raise ThreadsBusy(*error.args) from error
        return await asyncio.wrap_future(outcome)

    async def _reserve_thread(self) -> None:
        try:
            async with asyncio.timeout(self._max_wait):
                await self._free.acquire()
        except TimeoutError:
            message = f"all threads of {self._name} are busy"
            raise ThreadsBusy(message) from None

    def _free_thread(self, loop: asyncio.AbstractEventLoop) -> None:
        with suppress(RuntimeError):  # the loop is closed: the process ends
            loop.call_soon_threadsafe(self._free.release)


def _complete(outcome: Future[ResultT], call: Callable[[], ResultT]) -> None:
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001  the caller gets it
        outcome.set_exception(error)
    else:
        outcome.set_result(result)
