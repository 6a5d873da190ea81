"""Turns: one unit of work of a stream at a time, in the order in which they came."""

import asyncio

import pytest

from service_runtime.unit_of_work.streams import StreamKey
from service_runtime.unit_of_work.turns import Turns, TurnTimeout

STREAM, OTHER = StreamKey("packages", "1"), StreamKey("packages", "2")


async def test_units_of_work_of_one_stream_run_in_their_order_and_others_beside_them() -> None:
    turns, order, may_end = Turns(), list[str](), asyncio.Event()

    async def run(stream: StreamKey, name: str) -> None:
        async with turns.take(stream):
            order.append(name)
            if name != "other":
                await may_end.wait()

    tasks = [asyncio.create_task(run(STREAM, name)) for name in "abc"]
    await asyncio.gather(run(OTHER, "other"))
    assert order == ["a", "other"]
    may_end.set()
    await asyncio.gather(*tasks)
    assert order == ["a", "other", "b", "c"]


async def test_a_turn_that_does_not_come_in_time_is_refused_and_leaves_nothing_behind() -> None:
    turns = Turns()
    async with turns.take(STREAM):
        with pytest.raises(TurnTimeout):
            async with turns.take(STREAM, timeout=0.01):
                raise AssertionError
    async with turns.take(STREAM, timeout=0.01):
        pass


async def test_a_block_that_raises_ends_its_turn() -> None:
    turns = Turns()
    with pytest.raises(ValueError, match="failed"):
        async with turns.take(STREAM):
            raise ValueError("failed")
    async with turns.take(STREAM, timeout=0.01):
        pass
