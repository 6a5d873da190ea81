"""Offsets: a committed offset is never beyond an unfinished record."""

from service_runtime.kafka.client import Partition
from service_runtime.kafka.offsets import Offsets

P0, P1 = Partition("topic", 0), Partition("topic", 1)


def test_the_lowest_unfinished_offset_is_committed() -> None:
    offsets = Offsets()
    for offset in (5, 6, 7):
        offsets.begin(P0, offset)
    offsets.finish(P0, 6)
    offsets.finish(P0, 7)
    assert offsets.to_commit() == {P0: 5}
    offsets.finish(P0, 5)
    assert offsets.to_commit() == {P0: 8}


def test_partitions_are_tracked_and_removed_separately() -> None:
    offsets = Offsets()
    offsets.begin(P0, 1)
    offsets.begin(P1, 9)
    offsets.finish(P1, 9)
    assert offsets.to_commit() == {P0: 1, P1: 10}
    offsets.remove({P0})
    assert offsets.to_commit() == {P1: 10}
