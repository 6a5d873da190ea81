"""Rounds: what waits goes together, an idle system runs at once, and each item gets its own outcome."""

import asyncio
from collections.abc import Sequence

import pytest

from service_runtime.unit_of_work.rounds import Rounds


class Recorder:
    """Records its rounds, and holds each until `may_end` is set."""

    def __init__(self, *, held: bool = False) -> None:
        self.rounds: list[list[int]] = []
        self.may_end = asyncio.Event()
        if not held:
            self.may_end.set()

    async def run(self, items: Sequence[int]) -> list[int | BaseException]:
        self.rounds.append(list(items))
        await self.may_end.wait()
        return [ValueError(str(item)) if item < 0 else item * 10 for item in items]


async def test_a_single_item_runs_alone_and_gets_its_result() -> None:
    recorder = Recorder()
    assert await Rounds(recorder.run).submit(4) == 40
    assert recorder.rounds == [[4]]


async def test_an_item_whose_caller_was_cancelled_is_finished_before_the_rounds_are() -> None:
    recorder = Recorder(held=True)
    rounds = Rounds(recorder.run)
    callers = [asyncio.create_task(rounds.submit(item)) for item in (1, 2)]
    await asyncio.sleep(0)
    for caller in callers:
        caller.cancel()
    await rounds.finish(within=0)
    assert rounds.unfinished == 2, "held"
    recorder.may_end.set()
    await rounds.finish(within=60)
    assert rounds.unfinished == 0
    assert [item for items in recorder.rounds for item in items] == [1, 2]
    await rounds.finish(within=60)


async def test_items_that_come_while_a_round_runs_go_together_in_the_next() -> None:
    recorder = Recorder(held=True)
    rounds = Rounds(recorder.run)
    first = asyncio.create_task(rounds.submit(1))
    while not recorder.rounds:
        await asyncio.sleep(0)
    others = [asyncio.create_task(rounds.submit(item)) for item in (2, 3, 4)]
    await asyncio.sleep(0)
    assert rounds.unfinished == 4
    recorder.may_end.set()
    assert await asyncio.gather(first, *others) == [10, 20, 30, 40]
    assert recorder.rounds == [[1], [2, 3, 4]]
    assert rounds.unfinished == 0


async def test_a_round_has_at_most_the_given_number_of_items() -> None:
    recorder = Recorder()
    rounds = Rounds(recorder.run, max_items=2)
    await asyncio.gather(*(rounds.submit(item) for item in range(5)))
    assert recorder.rounds == [[0, 1], [2, 3], [4]]


async def test_at_most_the_given_number_of_rounds_run_at_a_time() -> None:
    recorder = Recorder(held=True)
    rounds = Rounds(recorder.run, max_concurrency=2, max_items=1)
    tasks = [asyncio.create_task(rounds.submit(item)) for item in range(4)]
    for _ in range(10):
        await asyncio.sleep(0)
    assert recorder.rounds == [[0], [1]]
    recorder.may_end.set()
    assert await asyncio.gather(*tasks) == [0, 10, 20, 30]


async def test_an_item_gets_its_own_error() -> None:
    rounds = Rounds(Recorder().run)
    outcomes = await asyncio.gather(rounds.submit(1), rounds.submit(-2), rounds.submit(3), return_exceptions=True)
    assert outcomes[0] == 10
    assert isinstance(outcomes[1], ValueError)
    assert outcomes[2] == 30


async def test_a_round_that_fails_fails_for_each_item_and_the_next_runs() -> None:
    failing = True

    async def fail_once(items: Sequence[int]) -> list[int]:
        nonlocal failing
        if failing:
            failing = False
            raise ConnectionResetError
        return list(items)

    rounds = Rounds(fail_once)
    outcomes = await asyncio.gather(rounds.submit(1), rounds.submit(2), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ConnectionResetError] * 2
    assert await rounds.submit(3) == 3


async def test_a_caller_that_is_cancelled_does_not_stop_the_round() -> None:
    recorder = Recorder(held=True)
    rounds = Rounds(recorder.run)
    cancelled, other = asyncio.create_task(rounds.submit(1)), asyncio.create_task(rounds.submit(2))
    while not recorder.rounds:
        await asyncio.sleep(0)
    cancelled.cancel()
    recorder.may_end.set()
    assert await other == 20
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    assert rounds.unfinished == 0


async def test_an_item_submitted_as_the_last_round_ends_is_not_left_behind() -> None:
    rounds = Rounds(Recorder().run)
    for item in range(50):
        assert await asyncio.wait_for(rounds.submit(item), timeout=60) == item * 10
