"""Waits for conditions. Tests use `wait_until` and never sleep for a fixed time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Final, TypeVar, overload

ResultT = TypeVar("ResultT")

POLL_INTERVAL: Final = 0.02
"""In seconds."""


@overload
async def wait_until(condition: Callable[[], Awaitable[ResultT | None]], *, within: float = ...) -> ResultT: ...
@overload
async def wait_until(condition: Callable[[], ResultT | None], *, within: float = ...) -> ResultT: ...
async def wait_until(condition: Callable[[], object], *, within: float = 10.0) -> object:
    """Calls `condition` repeatedly until its result is true, and returns that result.

    Raises AssertionError, with the last result, if that takes longer than `within` seconds.
    """
    deadline = time.monotonic() + within
    while True:
        returned = condition()
        result = await returned if isawaitable(returned) else returned
        if result:
            return result
        assert time.monotonic() < deadline, f"still {result!r} after {within:g} s"
        await asyncio.sleep(POLL_INTERVAL)
