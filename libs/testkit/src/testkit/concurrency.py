"""Runs races in tests: many rounds of concurrent requests whose order varies at random."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from testkit.http_response import HttpResponse

MAX_CONCURRENCY: Final = 10
ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


async def run_concurrently(items: Sequence[ItemT], race: Callable[[ItemT], Awaitable[ResultT]]) -> list[ResultT]:
    """Runs `race` for each of `items`, at most `MAX_CONCURRENCY` at a time. Returns the results in order."""
    slots = asyncio.Semaphore(MAX_CONCURRENCY)

    async def run(item: ItemT) -> ResultT:
        async with slots:
            return await race(item)

    return list(await asyncio.gather(*map(run, items)))


async def wait_randomly(within: float) -> None:
    """Sleeps for a random time of at most `within` seconds, so that the order of two requests varies."""
    await asyncio.sleep(random.uniform(0, within))  # noqa: S311  not used for a secret


def count_statuses(responses: Sequence[HttpResponse]) -> Counter[int]:
    return Counter(response.status for response in responses)
