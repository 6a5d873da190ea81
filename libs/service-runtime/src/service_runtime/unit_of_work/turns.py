"""Turns: units of work of one stream in this process run one after the other, in the order in which they came."""

import asyncio
from types import TracebackType

from service_runtime.unit_of_work.streams import StreamKey


class TurnTimeout(TimeoutError):
    """Units of work of the same stream are in progress; try again in a moment."""


class _Turn(asyncio.Lock):
    """The lock of one stream, and the number of those that hold it or wait for it."""

    users = 0


class Turns:
    """A lock for each stream that is used or waited for. Another process is kept apart by the revision, not by this."""

    def __init__(self) -> None:
        self._turns: dict[StreamKey, _Turn] = {}

    def take(self, stream: StreamKey, *, timeout: float | None = None) -> "TurnOfStream":
        """Waits for the stream's turn and keeps it for the block of `async with`.

        Raises TurnTimeout after waiting `timeout` seconds; the block itself has no limit.
        """
        return TurnOfStream(self._turns, stream, timeout)


class TurnOfStream:
    """One turn of a stream; a context manager of its own, because one made of a generator takes twice the time."""

    def __init__(self, turns: dict[StreamKey, _Turn], stream: StreamKey, timeout: float | None) -> None:
        self._turns = turns
        self._stream = stream
        self._timeout = timeout

    async def __aenter__(self) -> None:
        turn = self._turns.get(self._stream) or self._turns.setdefault(self._stream, _Turn())
        turn.users += 1
        try:
            await _acquire(turn, self._timeout)
        except BaseException:
            self._leave(turn)
            raise
        self._turn = turn

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._turn.release()
        self._leave(self._turn)

    def _leave(self, turn: _Turn) -> None:
        turn.users -= 1
        if not turn.users:
            self._turns.pop(self._stream, None)


async def _acquire(lock: asyncio.Lock, timeout: float | None) -> None:
    if timeout is None or not lock.locked():
        await lock.acquire()
        return
    try:
        async with asyncio.timeout(timeout):
            await lock.acquire()
    except TimeoutError:
        message = "units of work of the same subject are in progress; try again in a moment"
        raise TurnTimeout(message) from None
