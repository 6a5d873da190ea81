"""Progress of a consumer: how long it has failed or stood still although Kafka answers and records wait.

While Kafka does not answer, nothing is known about waiting records, and commands are still accepted into the outbox:
that is no fault of the consumer and does not count.
"""

from collections.abc import Mapping
from typing import Final

from prometheus_client import Counter, Gauge

from service_runtime.kafka.client import UNREACHABLE, Partition
from service_runtime.postgres.errors import is_transient

WATCH_EVERY: Final = 5.0
"""Seconds between two looks at the offsets."""
STALLED_AFTER: Final = 20.0
"""Seconds without a record, although there are records to read, after which a consumer is replaced."""
UNREADY_AFTER = 30.0
"""Seconds without progress after which the process is not ready."""
FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 5.0
"""Seconds before a failed consumer is rebuilt: at first, and after many failures without progress."""


class ConsumerStalled(Exception):
    """There are records to read, but none arrives."""


class ArrivalWatch:
    """Notices a consumer to which no records arrive although there are some to read."""

    def __init__(self, *, now: float) -> None:
        self._arrived_at = now

    def note_arrival(self, now: float) -> None:
        self._arrived_at = now

    def check(self, lag: int, *, is_busy: bool, now: float) -> None:
        """Raises ConsumerStalled if none of the `lag` records to read arrives and none is being handled."""
        if lag == 0 or is_busy:
            self._arrived_at = now
        if now - self._arrived_at > STALLED_AFTER:
            message = f"{lag} records to read, but none has arrived for {STALLED_AFTER:.0f} s"
            raise ConsumerStalled(message)


def compute_lag(reached: Mapping[Partition, int], ends: Mapping[Partition, int]) -> int:
    """Returns the number of records between the next offsets to handle and the ends."""
    return sum(max(0, end - reached.get(partition, end)) for partition, end in ends.items())


class Progress:
    """Measures one consumer. Instants are seconds of any steady clock."""

    def __init__(self, group: str, rebuilds: Counter, stalled: Gauge) -> None:
        self.group = group
        self._rebuilds = rebuilds.labels(group)
        self._stalled = stalled.labels(group)
        self._reached: dict[Partition, int] = {}
        self._waiting_since: dict[Partition, float] = {}
        self._failing_since: float | None = None
        self._error = ""
        self._pause = FIRST_PAUSE
        self.seconds = 0.0
        """How long the consumer had made no progress when it was last observed."""

    def observe(self, reached: Mapping[Partition, int], ends: Mapping[Partition, int], *, now: float) -> None:
        """Compares the next offset to handle of each partition with its end, and with the last observation."""
        waiting = {partition for partition, end in ends.items() if reached.get(partition, end) < end}
        has_moved = self._note_reached(reached)
        self._waiting_since = {
            partition: now if partition in has_moved else self._waiting_since.get(partition, now)
            for partition in waiting
        }
        if has_moved or not waiting:
            self._end_failures()
        self._update(now)

    def count_failure(self, error: Exception, reached: Mapping[Partition, int], *, now: float) -> float:
        """Counts a failure after which the consumer is rebuilt; returns the seconds to wait before that."""
        self._rebuilds.inc()
        if self._note_reached(reached):
            self._end_failures()
        if isinstance(error, UNREACHABLE):
            self._end_failures()
            self._waiting_since.clear()
            self._update(now)
            return FIRST_PAUSE
        self._failing_since = now if self._failing_since is None else self._failing_since
        self._error = type(error).__name__
        self._update(now)
        if is_transient(error):
            return FIRST_PAUSE
        pause, self._pause = self._pause, min(2 * self._pause, LONGEST_PAUSE)
        return pause

    def explain(self) -> str | None:
        """Returns why the process is not ready because of this consumer; None if it is not because of it."""
        if self.seconds <= UNREADY_AFTER:
            return None
        cause = f"fails with {self._error}" if self._failing_since is not None else "stands still"
        return (
            f"consumer {self.group} {cause}: it has handled nothing for {self.seconds:.0f} s although records wait "
            "and Kafka answers; see its log, and the section on consumers of docs/operations.md"
        )

    def _note_reached(self, reached: Mapping[Partition, int]) -> set[Partition]:
        moved = {partition for partition, offset in reached.items() if offset > self._reached.get(partition, offset)}
        for partition, offset in reached.items():  # a new member begins at the committed offset, which may be lower
            self._reached[partition] = max(offset, self._reached.get(partition, offset))
        return moved

    def _end_failures(self) -> None:
        self._failing_since, self._error, self._pause = None, "", FIRST_PAUSE

    def _update(self, now: float) -> None:
        since = [*self._waiting_since.values()]
        since += [] if self._failing_since is None else [self._failing_since]
        self.seconds = now - min(since, default=now)
        self._stalled.set(self.seconds)
