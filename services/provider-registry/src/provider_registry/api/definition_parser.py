"""Reads and reviews definitions on a thread of their own, so that the event loop, DNS and mail do not wait for them.

A thread cannot be interrupted. What bounds a parse is the input: its bytes, nodes and depth
(`contracts.definition_loader`). Further definitions wait in a short queue; beyond it a caller is asked to come back.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

from contracts.definitions import read_definition
from contracts.errors import RetryLater
from contracts.framework.definition import FrameworkDefinition

ResultT = TypeVar("ResultT")

MAX_WAITING: Final = 4
"""Definitions that are being parsed or wait for it."""
TIME_LIMIT: Final = 30.0
"""Seconds after which the caller gets an answer. The longest parse takes less than one second of processor time."""
RETRY_AFTER: Final = 5


class DefinitionParser:
    """Parses one definition at a time on its own thread, which starts with the first definition."""

    def __init__(self, *, max_waiting: int = MAX_WAITING, time_limit: float = TIME_LIMIT) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="definitions")
        self._max_waiting = max_waiting
        self._time_limit = time_limit
        self._waiting = 0

    async def parse(self, text: str) -> FrameworkDefinition:
        """Returns the definition in `text`. Raises DefinitionRefused, or RetryLater while too many are parsed."""
        return await self.run(partial(read_definition, text, source="the definition"))

    async def run(self, work: Callable[[], ResultT]) -> ResultT:
        """Does work on a definition that takes long. Raises what it raises, and RetryLater while too many wait."""
        if self._waiting >= self._max_waiting:
            message = f"{self._waiting} definitions are being read already; send the request again in a few seconds"
            raise RetryLater(message, retry_after=RETRY_AFTER)
        self._waiting += 1
        parsing = asyncio.get_running_loop().run_in_executor(self._pool, work)
        parsing.add_done_callback(self._finish)
        try:
            # Shielded, so that a definition counts as waiting until its thread has finished with it.
            return await asyncio.wait_for(asyncio.shield(parsing), self._time_limit)
        except TimeoutError:
            message = "reading the definition took too long; send the request again in a few seconds"
            raise RetryLater(message, retry_after=RETRY_AFTER) from None

    def _finish(self, parsing: asyncio.Future[ResultT]) -> None:
        self._waiting -= 1
        if not parsing.cancelled():
            parsing.exception()  # retrieved, so that an abandoned failure is not logged as unhandled
