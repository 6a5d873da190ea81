"""Bookkeeping of the outbox relay: positions of outbox rows, and refused keys."""

import pytest

from service_runtime.outbox import positions
from service_runtime.outbox.positions import OutboxPositions
from service_runtime.outbox.refused_keys import RefusedKeys
from service_runtime.unit_of_work.streams import StreamKey

ALDER, BIRCH = StreamKey("packages", "alder"), StreamKey("packages", "birch")


def with_acknowledged(*acknowledged: int) -> OutboxPositions:
    known = OutboxPositions()
    for position in acknowledged:
        known.add_unacknowledged(position)
    known.acknowledge(acknowledged)
    return known


def test_a_position_is_known_until_its_row_is_deleted() -> None:
    known = OutboxPositions()
    known.add_unacknowledged(7)
    assert known.list_known() == [7]
    known.acknowledge([7])
    assert known.list_known() == [7]
    assert known.begin_deletion() == [7]
    assert known.list_known() == [7]
    known.end_deletion(succeeded=True)
    assert known.list_known() == []
    assert not known.is_known(7)


def test_a_position_is_deleted_by_the_relay_or_by_a_caller_and_not_by_both() -> None:
    known = with_acknowledged(1, 2)
    assert known.begin_deletion() == [1, 2]
    assert known.take_acknowledged() == []
    known.end_deletion(succeeded=False)
    assert known.take_acknowledged() == [1, 2]
    assert known.begin_deletion() == []


def test_a_taken_position_is_known_until_its_row_is_not_in_the_outbox_any_more() -> None:
    known = with_acknowledged(1, 2)
    known.take_acknowledged()
    known.update_taken([1, 2], present={2})
    assert (known.is_known(1), known.is_known(2)) == (False, True)
    assert known.list_known() == [2]


def test_a_position_that_is_taken_during_a_read_is_still_known_after_it() -> None:
    known = with_acknowledged(1)
    asked = known.list_taken()
    known.take_acknowledged()
    known.update_taken(asked, present=set())
    assert known.is_known(1)


def test_a_row_that_a_caller_took_and_never_deleted_is_deleted_by_the_relay(monkeypatch: pytest.MonkeyPatch) -> None:
    known = with_acknowledged(1)
    known.take_acknowledged()
    known.update_taken([1], present={1})
    assert not known.has_acknowledged()
    monkeypatch.setattr(positions, "TAKEN_TIMEOUT", -1)
    known.update_taken([1], present={1})
    assert known.begin_deletion() == [1]


def test_rows_that_are_dropped_can_be_read_again_and_acknowledged_rows_are_still_deleted() -> None:
    known = with_acknowledged(1)
    known.add_unacknowledged(2)
    known.add_unacknowledged(3)
    known.drop(2)
    assert not known.is_known(2)
    known.drop_unacknowledged()
    assert known.list_known() == [1]
    assert known.unacknowledged_count == 0


def test_the_memory_of_rows_that_were_read_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(positions, "MAX_REMEMBERED", 3)
    known = OutboxPositions()
    for position in (1, 2, 2, 3, 4):
        known.remember_read(position)
    assert [position for position in range(6) if known.was_read(position)] == [2, 3, 4]


def test_a_refused_key_is_released_when_a_read_returns_it_no_more() -> None:
    refused = RefusedKeys()
    refused.refuse(ALDER)
    refused.end_refusal(ALDER)
    refused.begin_read()
    assert not refused.end_read({ALDER, BIRCH})
    assert ALDER in refused
    assert BIRCH in refused
    refused.begin_read()
    assert refused.end_read({BIRCH})
    assert ALDER not in refused


def test_a_key_whose_parking_is_not_committed_when_a_read_begins_remains_refused() -> None:
    refused = RefusedKeys()
    refused.refuse(ALDER)
    refused.begin_read()
    refused.end_refusal(ALDER)
    assert not refused.end_read(set())
    assert ALDER in refused


def test_a_key_that_is_refused_during_a_read_remains_refused() -> None:
    refused = RefusedKeys()
    refused.begin_read()
    refused.refuse(ALDER)
    refused.end_refusal(ALDER)
    assert not refused.end_read(set())
    assert ALDER in refused
