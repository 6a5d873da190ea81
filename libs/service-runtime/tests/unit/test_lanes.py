"""Lanes: one key in order, different keys side by side, and what waits together handed on together."""

import asyncio
from collections.abc import Sequence
from itertools import chain

import pytest

from service_runtime.kafka.keyed_batches import MAX_BATCH_SIZE, MAX_CONCURRENCY, KeyedBatcher


class Handler:
    """Handles items named `<key><number>`, each when it is let."""

    def __init__(self) -> None:
        self.began: list[tuple[str, ...]] = []
        self.done: list[str] = []
        self.finished: list[str] = []
        self.gates: dict[str, asyncio.Event] = {}
        self.lanes = KeyedBatcher[str](self.handle, key_of=lambda item: item[0], on_finished=self.finished.append)

    async def handle(self, items: Sequence[str]) -> None:
        self.began.append(tuple(items))
        for item in items:
            if gate := self.gates.get(item):
                await gate.wait()
            self.done.append(item)

    def put(self, *items: str) -> None:
        for item in items:
            self.lanes.put(item)

    def hold(self, *items: str) -> None:
        self.gates.update({item: asyncio.Event() for item in items})

    def let(self, *items: str) -> None:
        for item in items:
            self.gates[item].set()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def keys(count: int) -> list[str]:
    return [chr(ord("A") + number) for number in range(count)]


async def test_one_key_goes_in_order_and_another_key_passes_it() -> None:
    handler = Handler()
    handler.hold("a0")
    handler.put("a0", "b0")
    await settle()
    handler.put("a1", "b1")
    await settle()
    assert handler.done == ["b0", "b1"]
    handler.let("a0")
    await handler.lanes.wait_until_below(1)
    assert handler.done == ["b0", "b1", "a0", "a1"]
    assert handler.finished == handler.done


async def test_while_there_is_little_to_do_each_key_goes_alone() -> None:
    handler = Handler()
    handler.put(*(f"{key}0" for key in keys(MAX_CONCURRENCY)))
    await settle()
    assert handler.began == [(f"{key}0",) for key in keys(MAX_CONCURRENCY)]


async def test_what_waits_for_one_key_goes_together() -> None:
    handler = Handler()
    handler.hold("a0")
    handler.put("a0")
    await settle()
    handler.put("a1", "a2", "a3")
    handler.let("a0")
    await settle()
    assert handler.began == [("a0",), ("a1", "a2", "a3")]


async def test_a_crowd_of_keys_is_shared_out_fairly() -> None:
    handler = Handler()
    crowd = keys(3 * MAX_CONCURRENCY)
    handler.hold(*(f"{key}0" for key in crowd))
    handler.put(*(f"{key}0" for key in crowd))
    await settle()
    assert len(handler.began) == MAX_CONCURRENCY
    assert max(len(handful) for handful in handler.began) == 3
    assert len({*chain(*handler.began)}) == sum(len(handful) for handful in handler.began)
    handler.let(*(f"{key}0" for key in crowd))
    await handler.lanes.wait_until_below(1)
    assert sorted(handler.done) == [f"{key}0" for key in crowd]


async def test_a_handful_has_an_end() -> None:
    handler = Handler()
    handler.hold("a0")
    handler.put("a0")
    await settle()
    handler.put(*(f"a{number}" for number in range(1, 2 * MAX_BATCH_SIZE)))
    handler.let("a0")
    await handler.lanes.wait_until_below(1)
    assert [len(handful) for handful in handler.began] == [1, MAX_BATCH_SIZE, MAX_BATCH_SIZE - 1]
    assert handler.done == [f"a{number}" for number in range(2 * MAX_BATCH_SIZE)]


async def test_nothing_of_a_handful_is_finished_before_all_of_it_is() -> None:
    handler = Handler()
    handler.hold("a0", "a2")
    handler.put("a0")
    await settle()
    handler.put("a1", "a2")
    handler.let("a0")
    await settle()
    assert handler.done == ["a0", "a1"]
    assert handler.finished == ["a0"]
    await handler.lanes.stop()


async def test_no_more_handfuls_at_once_than_there_are_slots() -> None:
    handler = Handler()
    for key in keys(MAX_CONCURRENCY + 3):
        handler.hold(f"{key}0")
        handler.put(f"{key}0")
        await settle()
    assert len(handler.began) == MAX_CONCURRENCY
    await handler.lanes.stop()


async def test_what_is_put_in_as_the_last_handful_ends_waits_for_nobody() -> None:
    """All slots end in one turn of the loop, and something comes before that turn is over."""
    handler = Handler()
    gate = asyncio.Event()
    waiting = keys(MAX_CONCURRENCY)
    handler.gates.update({f"{key}0": gate for key in waiting})
    handler.put(*(f"{key}0" for key in waiting))
    await settle()
    gate.set()
    await asyncio.sleep(0)
    handler.put("z0")
    await settle()
    assert handler.finished[-1] == "z0"


async def test_stopping_lets_what_is_in_hand_finish_and_drops_the_rest() -> None:
    handler = Handler()
    handler.hold("a0")
    handler.put("a0")
    await settle()
    handler.put("a1")
    asyncio.get_running_loop().call_later(0.01, handler.let, "a0")
    await handler.lanes.stop(within=0.1)
    assert handler.began == [("a0",)]
    assert handler.finished == ["a0"]


async def test_whoever_waits_for_room_is_freed_when_the_lanes_are_stopped() -> None:
    handler = Handler()
    handler.hold("a0")
    handler.put("a0")
    waiting = asyncio.create_task(handler.lanes.wait_until_below(1))
    await settle()
    await handler.lanes.stop()
    async with asyncio.timeout(1):
        await waiting


async def test_a_handful_that_breaks_is_told_to_whoever_waits() -> None:
    finished: list[str] = []

    async def break_down(_: Sequence[str]) -> None:
        raise LookupError

    lanes = KeyedBatcher[str](break_down, key_of=lambda item: item, on_finished=finished.append)
    lanes.put("a0")
    await settle()
    with pytest.raises(LookupError):
        await lanes.wait_until_below(10)
    assert finished == []
