"""The clock of a simulation: it stands still between the steps of its driver."""

from datetime import UTC, datetime

from contracts.precedence import LAST_PRECEDENCE
from service_runtime.due_policy import DueLimit


class SimulatedClock:
    """A clock and a due policy in one: it returns the instant it was set to, and limits what is due at it.

    A new clock has no limit: a service then behaves as it does at any instant of real time.
    """

    is_stepped = True

    def __init__(self, at: datetime) -> None:
        self._due_limit = DueLimit(at.astimezone(UTC))

    def now(self) -> datetime:
        return self._due_limit.instant

    def get_due_limit(self) -> DueLimit:
        return self._due_limit

    def set_to(self, at: datetime, *, max_precedence: int = LAST_PRECEDENCE) -> None:
        """Sets the time, and up to which precedence work due at `at` may start. Raises ValueError for an earlier time.

        Time never goes back: events of the later instant are already on record.
        """
        now = self._due_limit.instant
        if at < now:
            message = f"the clock stands at {now.isoformat()}; it cannot be set back to {at.isoformat()}"
            raise ValueError(message)
        self._due_limit = DueLimit(at.astimezone(UTC), max_precedence)
