"""The tools of the tests keep their own promises."""

from datetime import timedelta

import pytest

from contracts.events.packages import WithdrawalRequested
from contracts.examples import an_envelope_of, an_example_of
from testkit.chain_checker import faults_in, first_occurrences
from testkit.clocks import MONDAY_NINE, FixedClock, MovableClock
from testkit.topics import Kept
from testkit.waiting import until


def three_events() -> list[Kept]:
    event = an_example_of(WithdrawalRequested)
    kept: list[Kept] = []
    envelope = None
    for offset in range(3):
        envelope = an_envelope_of(event, after=envelope)
        kept.append(Kept("topic", 0, offset, event.key, envelope.to_headers(), event.model_dump_json().encode()))
    return kept


async def test_waiting_returns_the_first_true_answer_and_gives_up_with_the_last() -> None:
    answers = iter([0, 0, 7])
    assert await until(lambda: next(answers)) == 7
    with pytest.raises(AssertionError, match="still False"):
        await until(lambda: False, within=0.05)


def test_the_checker_finds_nothing_wrong_with_what_is_right() -> None:
    one, two, three = three_events()
    assert faults_in([one, two, one, two, three]) == []
    assert first_occurrences([one, two, one, two, three]) == [one, two, three]


def test_the_checker_finds_a_gap_a_swap_a_change_and_a_false_repeat() -> None:
    one, two, three = three_events()
    changed = Kept(two.topic, 0, 1, two.key, two.headers, two.value + b" ")
    assert faults_in([one, three])
    assert faults_in([two, one, three])
    assert faults_in([one, changed, three])
    assert faults_in([one, two, changed, three])


def test_clocks_stand_still_until_they_are_moved() -> None:
    assert FixedClock().now() == MONDAY_NINE
    clock = MovableClock()
    assert clock.advance(timedelta(hours=1)) == clock.now() == MONDAY_NINE + timedelta(hours=1)
    clock.set_to(MONDAY_NINE)
    assert clock.now() == MONDAY_NINE
