"""Due policy: which due timers and deliveries the workers may start, and in which order.

In production everything that is due may start, concurrently. The simulated clock hands in another policy.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from contracts.precedence import LAST_PRECEDENCE
from service_runtime.clock import Clock


@dataclass(frozen=True)
class DueLimit:
    """Work due before `instant` may start; work due at `instant` may start up to `max_precedence`."""

    instant: datetime
    max_precedence: int = LAST_PRECEDENCE


NOTHING_DUE: Final = DueLimit(datetime(1970, 1, 1, tzinfo=UTC))
"""The limit while nothing may start."""


class DuePolicy(Protocol):
    """Decides what a worker starts."""

    @property
    def is_stepped(self) -> bool:
        """True when time stands still between steps.

        Workers then wait for a wakeup, fire timers one at a time, and retry webhooks without jitter, so that two runs
        with the same seed give the same result.
        """
        ...

    def get_due_limit(self) -> DueLimit:
        """The limit at this moment."""
        ...


class RealTimePolicy:
    """All work that is due by the clock may start."""

    is_stepped = False

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def get_due_limit(self) -> DueLimit:
        return DueLimit(self._clock.now())


class GuardedTimePolicy(RealTimePolicy):
    """Nothing may start while `explain_pause` gives a reason; otherwise all work that is due by the clock."""

    def __init__(self, clock: Clock, explain_pause: Callable[[], str | None]) -> None:
        super().__init__(clock)
        self._explain_pause = explain_pause

    def get_due_limit(self) -> DueLimit:
        return super().get_due_limit() if self._explain_pause() is None else NOTHING_DUE
