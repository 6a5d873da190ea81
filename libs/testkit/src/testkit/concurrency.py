"""Races for tests: many rounds of two things at once, with starts that now put one first and now the other."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from testkit.running_services import Reply

MAX_CONCURRENCY: Final = 10
ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


async def run_concurrently(items: Sequence[ItemT], race: Callable[[ItemT], Awaitable[ResultT]]) -> list[ResultT]:
    """Runs one race for each of `items`, a few of them at once."""
    slots = asyncio.Semaphore(MAX_CONCURRENCY)

    async def run(item: ItemT) -> ResultT:
        async with slots:
            return await race(item)

    return list(await asyncio.gather(*map(run, items)))


async def wait_randomly(within: float) -> None:
    """Spreads the starts, so that now one of two is first and now the other."""
    await asyncio.sleep(random.uniform(0, within))  # noqa: S311  nothing secret


def count_statuses(answers: Sequence[Reply]) -> Counter[int]:
    return Counter(answer.status for answer in answers)
