"""Clocks for tests: one with a fixed time, and one that the test moves."""

from datetime import UTC, datetime, timedelta
from typing import Final

MONDAY_NINE: Final = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class FixedClock:
    """A clock that always returns the same instant."""

    def __init__(self, at: datetime = MONDAY_NINE) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at


class MovableClock:
    """A clock that changes only by `advance` and `set_to`."""

    def __init__(self, at: datetime = MONDAY_NINE) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at

    def advance(self, by: timedelta) -> datetime:
        """Moves the clock forward by `by` and returns the new time."""
        self._at += by
        return self._at

    def set_to(self, at: datetime) -> None:
        self._at = at
