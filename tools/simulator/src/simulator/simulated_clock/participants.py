"""Who takes part: services, which say how busy they are, and simulated people, who say when they act next."""

from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from service_runtime.simulated_clock import Activity, Order
from service_runtime.timers.timers import Precedence

MINUTE: Final = timedelta(minutes=1)


class Participant(Protocol):
    """A simulated person or system in the driver's own process."""

    @property
    def name(self) -> str:
        """One of its own: it decides, with the seed, who acts first."""
        ...

    @property
    def precedence(self) -> Precedence:
        """As what its acts count among several things at one instant: COUNCIL, ANSWER, AWARD."""
        ...

    def next_wake(self) -> datetime | None:
        """When it will act next, a whole minute; None while it only waits for others."""
        ...

    async def act(self, now: datetime) -> int:
        """Does what it does at `now`, returns when that is answered, and says how many things it did.

        Afterwards `next_wake` is later, unless there is more to do at this very instant.
        """
        ...


class Simulated(Protocol):
    """A process on the simulated clock, as the driver sees it."""

    @property
    def name(self) -> str: ...

    async def activity(self) -> Activity:
        """Raises Unanswered while it is away."""
        ...

    async def set_clock(self, order: Order) -> Activity:
        """Raises Unanswered while it is away, TimeRefused for an instant in its past."""
        ...


def whole_minute(at: datetime) -> datetime:
    """The first whole minute that is not before `at`: people act on whole minutes."""
    at = at.astimezone(UTC)
    begun = at.replace(second=0, microsecond=0)
    return begun if begun == at else begun + MINUTE
