"""Waiting for what is true soon: tests wait for conditions, never for time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Final, TypeVar, overload

ResultT = TypeVar("ResultT")

LOOK_EVERY: Final = 0.02


@overload
async def until(condition: Callable[[], Awaitable[ResultT | None]], *, within: float = ...) -> ResultT: ...
@overload
async def until(condition: Callable[[], ResultT | None], *, within: float = ...) -> ResultT: ...
async def until(condition: Callable[[], object], *, within: float = 10.0) -> object:
    """Asks `condition` again and again, and returns its answer as soon as that is true.

    Raises AssertionError, with the last answer, when that takes longer than `within` seconds.
    """
    give_up = time.monotonic() + within
    while True:
        answer = condition()
        said = await answer if isawaitable(answer) else answer
        if said:
            return said
        assert time.monotonic() < give_up, f"still {said!r} after {within:g} s"
        await asyncio.sleep(LOOK_EVERY)
