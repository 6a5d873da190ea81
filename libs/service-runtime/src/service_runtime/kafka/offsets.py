"""Offsets are committed as the lowest unfinished one of each partition.

Whoever takes a partition over starts at what was not finished; what was finished beyond it comes again and is told
apart by the inbox.
"""

from collections import defaultdict

from service_runtime.kafka.client import Partition


class Offsets:
    """Which offsets of each partition are unfinished, and so where a new owner would have to start."""

    def __init__(self) -> None:
        self._unfinished: dict[Partition, set[int]] = defaultdict(set)
        self._next: dict[Partition, int] = {}

    def begin(self, partition: Partition, offset: int) -> None:
        self._unfinished[partition].add(offset)
        self._next[partition] = offset + 1

    def finish(self, partition: Partition, offset: int) -> None:
        self._unfinished[partition].discard(offset)

    def to_commit(self) -> dict[Partition, int]:
        """For each partition the lowest unfinished offset, or the one after the last when all are finished."""
        return {
            partition: min(self._unfinished[partition], default=following)
            for partition, following in self._next.items()
        }

    def remove(self, partitions: set[Partition]) -> None:
        """Partitions that belong to somebody else now."""
        for partition in partitions:
            self._unfinished.pop(partition, None)
            self._next.pop(partition, None)
