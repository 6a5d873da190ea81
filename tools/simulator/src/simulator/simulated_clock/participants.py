"""Interfaces of the simulation: processes on the simulated clock, and participants that act at due instants."""

from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from contracts.precedence import Precedence
from service_runtime.simulated_clock.messages import Activity, ClockSetting

MINUTE: Final = timedelta(minutes=1)


class Participant(Protocol):
    """A simulated person or system in the driver's own process."""

    @property
    def name(self) -> str:
        """The unique name, which with the seed determines the order of acts."""
        ...

    @property
    def precedence(self) -> Precedence:
        """The precedence of its acts among everything that is due at one instant: COUNCIL, ANSWER, AWARD."""
        ...

    def get_next_due_at(self) -> datetime | None:
        """Return the whole minute of the next act; None while nothing is planned."""
        ...

    async def act(self, now: datetime) -> int:
        """Act at `now`, wait for the responses, and return the number of things done.

        Afterwards `get_next_due_at` returns a later instant, unless more is due at `now`.
        """
        ...


class SimulatedProcess(Protocol):
    """A process on the simulated clock, as the driver sees it."""

    @property
    def name(self) -> str: ...

    async def read_activity(self) -> Activity:
        """Raises ParticipantUnreachable without a response."""
        ...

    async def set_clock(self, setting: ClockSetting) -> Activity:
        """Raises ParticipantUnreachable without a response, InstantInPast for an earlier instant."""
        ...


def round_up_to_minute(at: datetime) -> datetime:
    """Return the first whole minute at or after `at`."""
    at = at.astimezone(UTC)
    minute = at.replace(second=0, microsecond=0)
    return minute if minute == at else minute + MINUTE
