"""Clocks for tests: one that stands still, and one that moves when it is told to."""

from datetime import UTC, datetime, timedelta
from typing import Final

MONDAY_NINE: Final = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class FixedClock:
    """It is always the same instant."""

    def __init__(self, at: datetime = MONDAY_NINE) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at


class MovableClock:
    """Time passes only by `advance` and `set_to`."""

    def __init__(self, at: datetime = MONDAY_NINE) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at

    def advance(self, by: timedelta) -> datetime:
        """Moves on by `by`; returns what time it is then."""
        self._at += by
        return self._at

    def set_to(self, at: datetime) -> None:
        self._at = at
