"""Turns: units of work of one stream in this process run one after the other, in the order in which they came."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from service_runtime.unit_of_work.streams import StreamKey


class TurnTimeout(TimeoutError):
    """Units of work of the same stream are in progress; try again in a moment."""


@dataclass
class _Turn:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0


class Turns:
    """A lock for each stream that is used or waited for. Another process is kept apart by the revision, not by this."""

    def __init__(self) -> None:
        self._turns: dict[StreamKey, _Turn] = {}

    @asynccontextmanager
    async def take(self, stream: StreamKey, *, timeout: float | None = None) -> AsyncGenerator[None]:
        """Waits for the stream's turn and keeps it for the block.

        Raises TurnTimeout after waiting `timeout` seconds; the block itself has no limit.
        """
        turn = self._turns.setdefault(stream, _Turn())
        turn.users += 1
        try:
            await _acquire(turn.lock, timeout)
            try:
                yield
            finally:
                turn.lock.release()
        finally:
            turn.users -= 1
            if not turn.users:
                self._turns.pop(stream, None)


async def _acquire(lock: asyncio.Lock, timeout: float | None) -> None:
    if not lock.locked():
        await lock.acquire()
        return
    try:
        async with asyncio.timeout(timeout):
            await lock.acquire()
    except TimeoutError:
        message = "units of work of the same subject are in progress; try again in a moment"
        raise TurnTimeout(message) from None
