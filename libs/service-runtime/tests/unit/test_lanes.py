"""Lanes: one key in order, different keys side by side, and offsets that never pass what is unfinished."""

import asyncio

import pytest

from service_runtime.kafka import KafkaRecord, Partition
from service_runtime.lanes import SIDE_BY_SIDE, Lanes, Offsets

P0, P1 = Partition("topic", 0), Partition("topic", 1)


def a_record(offset: int, key: str = "a", partition: int = 0) -> KafkaRecord:
    return KafkaRecord(
        topic="topic",
        partition=partition,
        offset=offset,
        timestamp=0,
        timestamp_type=0,
        key=key.encode(),
        value=b"",
        checksum=None,
        serialized_key_size=1,
        serialized_value_size=0,
        headers=(),
    )


class Handler:
    """Handles a record when it is let."""

    def __init__(self) -> None:
        self.began: list[int] = []
        self.done: list[int] = []
        self.gates: dict[int, asyncio.Event] = {}

    async def __call__(self, record: KafkaRecord) -> None:
        self.began.append(record.offset)
        if gate := self.gates.get(record.offset):
            await gate.wait()
        self.done.append(record.offset)

    def hold(self, *offsets: int) -> None:
        self.gates.update({offset: asyncio.Event() for offset in offsets})


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_what_is_committed_is_the_lowest_unfinished_offset() -> None:
    offsets = Offsets()
    for offset in (5, 6, 7):
        offsets.begin(P0, offset)
    offsets.finish(P0, 6)
    offsets.finish(P0, 7)
    assert offsets.to_commit() == {P0: 5}
    offsets.finish(P0, 5)
    assert offsets.to_commit() == {P0: 8}


def test_partitions_are_counted_apart_and_forgotten_apart() -> None:
    offsets = Offsets()
    offsets.begin(P0, 1)
    offsets.begin(P1, 9)
    offsets.finish(P1, 9)
    assert offsets.to_commit() == {P0: 1, P1: 10}
    offsets.forget({P0})
    assert offsets.to_commit() == {P1: 10}
    assert offsets.unfinished == 0


async def test_one_key_goes_in_order_and_another_key_passes_it() -> None:
    handle = Handler()
    handle.hold(0)
    lanes = Lanes(handle)
    lanes.put(a_record(0))
    lanes.put(a_record(1))
    lanes.put(a_record(2, key="b"))
    await settle()
    assert handle.done == [2]
    assert handle.began == [0, 2]
    assert lanes.offsets.to_commit() == {P0: 0}
    handle.gates[0].set()
    await lanes.below(1)
    assert handle.done == [2, 0, 1]
    assert lanes.offsets.to_commit() == {P0: 3}


async def test_no_more_keys_at_once_than_there_are_slots() -> None:
    handle = Handler()
    handle.hold(*range(SIDE_BY_SIDE + 3))
    lanes = Lanes(handle)
    for offset in range(SIDE_BY_SIDE + 3):
        lanes.put(a_record(offset, key=str(offset)))
    await settle()
    assert len(handle.began) == SIDE_BY_SIDE
    await lanes.stop()


async def test_stopping_lets_what_runs_finish_and_drops_the_rest() -> None:
    handle = Handler()
    handle.hold(0, 1)
    lanes = Lanes(handle)
    lanes.put(a_record(0))
    lanes.put(a_record(1))
    await settle()
    asyncio.get_running_loop().call_later(0.01, handle.gates[0].set)
    await lanes.stop(within=0.1)
    assert handle.done == [0]
    assert lanes.offsets.to_commit() == {P0: 1}


async def test_whoever_waits_for_room_is_freed_when_the_lanes_are_stopped() -> None:
    handle = Handler()
    handle.hold(0)
    lanes = Lanes(handle)
    lanes.put(a_record(0))
    waiting = asyncio.create_task(lanes.below(1))
    await settle()
    await lanes.stop()
    async with asyncio.timeout(1):
        await waiting


async def test_a_lane_that_breaks_is_told_to_whoever_puts_records_in() -> None:
    async def break_down(_: KafkaRecord) -> None:
        raise LookupError

    lanes = Lanes(break_down)
    lanes.put(a_record(0))
    await settle()
    with pytest.raises(LookupError):
        await lanes.below(10)
    assert lanes.offsets.to_commit() == {P0: 0}
