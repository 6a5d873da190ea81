"""Testkit: waiting, the hash-chain checker and the clocks."""

from datetime import timedelta

import pytest

from contracts.events.packages import WithdrawalRequested
from contracts.examples import an_envelope_of, an_example_of
from testkit.chain_checker import find_chain_faults, remove_repeats
from testkit.clocks import MONDAY_NINE, FixedClock, MovableClock
from testkit.topics import TopicRecord
from testkit.waiting import wait_until


def build_three_records() -> list[TopicRecord]:
    event = an_example_of(WithdrawalRequested)
    records: list[TopicRecord] = []
    envelope = None
    for offset in range(3):
        envelope = an_envelope_of(event, after=envelope)
        records.append(
            TopicRecord("topic", 0, offset, event.key, envelope.to_headers(), event.model_dump_json().encode())
        )
    return records


async def test_waiting_returns_the_first_true_result_and_fails_with_the_last_result() -> None:
    answers = iter([0, 0, 7])
    assert await wait_until(lambda: next(answers)) == 7
    with pytest.raises(AssertionError, match="still False"):
        await wait_until(lambda: False, within=0.05)


def test_the_checker_accepts_repeats_of_a_valid_chain() -> None:
    first, second, third = build_three_records()
    assert find_chain_faults([first, second, first, second, third]) == []
    assert remove_repeats([first, second, first, second, third]) == [first, second, third]


def test_the_checker_reports_a_gap_a_swap_a_change_and_a_changed_repeat() -> None:
    first, second, third = build_three_records()
    changed = TopicRecord(second.topic, 0, 1, second.key, second.headers, second.value + b" ")
    assert find_chain_faults([first, third])
    assert find_chain_faults([second, first, third])
    assert find_chain_faults([first, changed, third])
    assert find_chain_faults([first, second, changed, third])


def test_clocks_stand_still_until_they_are_moved() -> None:
    assert FixedClock().now() == MONDAY_NINE
    clock = MovableClock()
    assert clock.advance(timedelta(hours=1)) == clock.now() == MONDAY_NINE + timedelta(hours=1)
    clock.set_to(MONDAY_NINE)
    assert clock.now() == MONDAY_NINE
