"""Keyed queues: items of a key stay in order, keys run concurrently, and a key's waiting items are handled together."""

import asyncio
from collections.abc import Sequence

import pytest

from service_runtime.kafka.keyed_queues import MAX_ITEMS, KeyedQueues


class Handler:
    """Handles items named `<key><number>`; an item that is held waits for its release."""

    def __init__(self) -> None:
        self.batches: list[tuple[str, ...]] = []
        self.done: list[str] = []
        self.finished: list[str] = []
        self.gates: dict[str, asyncio.Event] = {}
        self.queues = KeyedQueues[str](self.handle, key_of=lambda item: item[0], on_finished=self.finished.append)

    async def handle(self, items: Sequence[str]) -> None:
        self.batches.append(tuple(items))
        for item in items:
            if gate := self.gates.get(item):
                await gate.wait()
            self.done.append(item)

    def put(self, *items: str) -> None:
        for item in items:
            self.queues.put(item)

    def hold(self, *items: str) -> None:
        self.gates.update({item: asyncio.Event() for item in items})

    def release(self, *items: str) -> None:
        for item in items:
            self.gates[item].set()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def list_keys(count: int) -> list[str]:
    return [chr(ord("A") + number) for number in range(count)]


async def test_items_of_a_key_stay_in_order_and_other_keys_do_not_wait() -> None:
    handler = Handler()
    handler.hold("a0")
    handler.put("a0", "b0")
    await settle()
    handler.put("a1", "b1")
    await settle()
    assert handler.done == ["b0", "b1"]
    handler.release("a0")
    await handler.queues.wait_until_below(1)
    assert handler.done == ["b0", "b1", "a0", "a1"]
    assert handler.finished == handler.done


async def test_all_keys_run_at_a_time() -> None:
    handler = Handler()
    keys = list_keys(20)
    handler.hold(*(f"{key}0" for key in keys))
    handler.put(*(f"{key}0" for key in keys))
    await settle()
    assert handler.batches == [(f"{key}0",) for key in keys]
    await handler.queues.stop()


async def test_an_item_added_as_its_key_ends_is_handled() -> None:
    handler = Handler()
    for number in range(20):
        handler.put(f"a{number}")
        for _ in range(number % 4):
            await asyncio.sleep(0)
    await handler.queues.wait_until_below(1)
    assert handler.done == [f"a{number}" for number in range(20)]


async def test_waiting_items_of_a_key_become_one_batch() -> None:
    handler = Handler()
    handler.hold("a0")
    handler.put("a0")
    await settle()
    handler.put("a1", "a2", "a3")
    handler.release("a0")
    await settle()
    assert handler.batches == [("a0",), ("a1", "a2", "a3")]


async def test_a_batch_has_a_maximum_size() -> None:
    handler = Handler()
    handler.hold("a0")
    handler.put("a0")
    await settle()
    handler.put(*(f"a{number}" for number in range(1, 2 * MAX_ITEMS)))
    handler.release("a0")
    await handler.queues.wait_until_below(1)
    assert [len(batch) for batch in handler.batches] == [1, MAX_ITEMS, MAX_ITEMS - 1]
    assert handler.done == [f"a{number}" for number in range(2 * MAX_ITEMS)]


async def test_no_item_of_a_batch_is_finished_before_the_whole_batch() -> None:
    handler = Handler()
    handler.hold("a0", "a2")
    handler.put("a0")
    await settle()
    handler.put("a1", "a2")
    handler.release("a0")
    await settle()
    assert handler.done == ["a0", "a1"]
    assert handler.finished == ["a0"]
    await handler.queues.stop()


async def test_stopping_finishes_the_running_batches_and_drops_waiting_items() -> None:
    handler = Handler()
    handler.hold("a0")
    handler.put("a0")
    await settle()
    handler.put("a1")
    asyncio.get_running_loop().call_later(0.01, handler.release, "a0")
    await handler.queues.stop(within=0.1)
    assert handler.batches == [("a0",)]
    assert handler.finished == ["a0"]


async def test_stopping_ends_the_wait_for_capacity() -> None:
    handler = Handler()
    handler.hold("a0")
    handler.put("a0")
    waiting = asyncio.create_task(handler.queues.wait_until_below(1))
    await settle()
    await handler.queues.stop()
    async with asyncio.timeout(1):
        await waiting


async def test_the_error_of_a_batch_is_raised_to_a_waiting_caller() -> None:
    finished: list[str] = []

    async def fail(_: Sequence[str]) -> None:
        raise LookupError

    queues = KeyedQueues[str](fail, key_of=lambda item: item, on_finished=finished.append)
    queues.put("a0")
    await settle()
    with pytest.raises(LookupError):
        await queues.wait_until_below(10)
    assert finished == []
