"""Time is given, never taken: whoever needs to know what time it is asks the clock it was built with."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

EVERY_CLASS: Final = 10
"""The last of the classes in which several things at one instant happen (`timers.Precedence`)."""


class Clock(Protocol):
    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True)
class Horizon:
    """How far things may happen: all that is due before `instant`, and what is due at it up to the class `released`."""

    instant: datetime
    released: int = EVERY_CLASS


class SimulatedClock:
    """Stands still at what it was last set to, and lets one class after the other of what is due then happen.

    With everything released, which is how it begins, a service behaves as it does at any instant of real time.
    """

    def __init__(self, at: datetime) -> None:
        self._horizon = Horizon(at.astimezone(UTC))

    def now(self) -> datetime:
        return self._horizon.instant

    @property
    def horizon(self) -> Horizon:
        return self._horizon

    def set_to(self, at: datetime, *, released: int = EVERY_CLASS) -> None:
        """Raises ValueError for an instant in the past: what has happened at a later one is on record."""
        if at < self._horizon.instant:
            message = f"it is {self._horizon.instant.isoformat()} already; time does not go back to {at.isoformat()}"
            raise ValueError(message)
        self._horizon = Horizon(at.astimezone(UTC), released)


def get_horizon(clock: Clock) -> Horizon:
    """A clock that moves by itself has released everything that is due."""
    return clock.horizon if isinstance(clock, SimulatedClock) else Horizon(clock.now())
