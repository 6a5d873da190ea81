"""Offsets: the lowest unfinished offset of each partition is the one to commit.

A new owner of a partition starts there. It reads again the finished records after that offset; the inbox skips them.
"""

from collections import defaultdict

from service_runtime.kafka.client import Partition


class Offsets:
    """Tracks the unfinished offsets of each partition."""

    def __init__(self) -> None:
        self._unfinished: dict[Partition, set[int]] = defaultdict(set)
        self._next: dict[Partition, int] = {}

    def begin(self, partition: Partition, offset: int) -> None:
        self._unfinished[partition].add(offset)
        self._next[partition] = offset + 1

    def finish(self, partition: Partition, offset: int) -> None:
        self._unfinished[partition].discard(offset)

    def to_commit(self) -> dict[Partition, int]:
        """Returns each partition's lowest unfinished offset, or the one after the last if all are finished."""
        return {
            partition: min(self._unfinished[partition], default=next_offset)
            for partition, next_offset in self._next.items()
        }

    def remove(self, partitions: set[Partition]) -> None:
        """Drops the offsets of partitions that are no longer assigned."""
        for partition in partitions:
            self._unfinished.pop(partition, None)
            self._next.pop(partition, None)
