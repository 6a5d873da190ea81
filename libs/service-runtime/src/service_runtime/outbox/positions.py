"""Positions: what the relay knows about each outbox row, so that no row is sent twice or deleted too early."""

import time
from collections import deque
from collections.abc import Iterable
from typing import Final

TAKEN_TIMEOUT: Final = 90.0
"""Seconds after which the relay deletes a row itself that a caller took for deletion; no statement runs that long."""
MAX_REMEMBERED: Final = 10_000
"""Positions of rows read from the outbox that are remembered for the hand-over that may follow."""


class OutboxPositions:
    """The positions of rows that are in the outbox, by what happened to them.

    A position is unacknowledged from when its row waits for Kafka until Kafka acknowledges it; then acknowledged, until
    the relay's next statement deletes its row, or a caller takes it to delete the row.
    """

    def __init__(self) -> None:
        self._unacknowledged: set[int] = set()
        self._acknowledged: set[int] = set()
        self._deleting: set[int] = set()
        self._taken: dict[int, float] = {}
        self._read = _RecentPositions(MAX_REMEMBERED)

    @property
    def unacknowledged_count(self) -> int:
        return len(self._unacknowledged)

    def has_acknowledged(self) -> bool:
        """Returns True if there are acknowledged rows that nobody deletes at this moment."""
        return bool(self._acknowledged)

    def is_known(self, position: int) -> bool:
        """Returns True if the row is being sent or was acknowledged, and may still be in the outbox."""
        return (
            position in self._unacknowledged
            or position in self._acknowledged
            or position in self._deleting
            or position in self._taken
        )

    def list_known(self) -> list[int]:
        return [*self._unacknowledged, *self._acknowledged, *self._deleting, *self._taken]

    def add_unacknowledged(self, position: int) -> None:
        self._unacknowledged.add(position)

    def remember_read(self, position: int) -> None:
        """Remembers a row that was read from the outbox, because the process that committed it hands it over later."""
        self._read.add(position)

    def was_read(self, position: int) -> bool:
        return position in self._read

    def acknowledge(self, positions: Iterable[int]) -> None:
        for position in positions:
            self._unacknowledged.discard(position)
            self._acknowledged.add(position)

    def drop(self, position: int) -> None:
        """Drops a row that is not sent after all; it stays in the outbox."""
        self._unacknowledged.discard(position)

    def drop_unacknowledged(self) -> None:
        """Drops all rows that are not acknowledged; they stay in the outbox."""
        self._unacknowledged.clear()

    def take_acknowledged(self) -> list[int]:
        """Returns the acknowledged positions, whose rows the caller deletes."""
        taken, self._acknowledged = sorted(self._acknowledged), set()
        self._taken.update(dict.fromkeys(taken, time.monotonic()))
        return taken

    def return_acknowledged(self, positions: Iterable[int]) -> None:
        """Makes positions acknowledged again, whose rows were not deleted, or perhaps not."""
        for position in positions:
            self._taken.pop(position, None)
            self._acknowledged.add(position)

    def begin_deletion(self) -> list[int]:
        """Returns the acknowledged positions, whose rows the relay's next statement deletes."""
        self._deleting, self._acknowledged = self._acknowledged, set()
        return sorted(self._deleting)

    def end_deletion(self, *, succeeded: bool) -> None:
        if not succeeded:
            self._acknowledged |= self._deleting
        self._deleting = set()

    def list_taken(self) -> list[int]:
        return list(self._taken)

    def update_taken(self, asked: Iterable[int], present: set[int]) -> None:
        """Drops those of the `asked` positions that are not `present` in the outbox any more: they were deleted.

        A row that is still present after TAKEN_TIMEOUT becomes acknowledged again.
        """
        timed_out = time.monotonic() - TAKEN_TIMEOUT
        for position in asked:
            if position not in present:
                self._taken.pop(position, None)
            elif self._taken.get(position, timed_out) < timed_out:
                self.return_acknowledged([position])


class _RecentPositions:
    """The last `size` positions that were added."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._order: deque[int] = deque()
        self._positions: set[int] = set()

    def __contains__(self, position: int) -> bool:
        return position in self._positions

    def add(self, position: int) -> None:
        if position in self._positions:
            return
        self._positions.add(position)
        self._order.append(position)
        if len(self._order) > self._size:
            self._positions.discard(self._order.popleft())
