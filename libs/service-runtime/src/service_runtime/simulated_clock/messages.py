"""Routes and messages between the driver of a simulation and its participants (decision 0013)."""

from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, computed_field

from contracts.precedence import LAST_PRECEDENCE

ACTIVITY_PATH: Final = "/simulation/activity"
CLOCK_PATH: Final = "/simulation/clock"
KEY_HEADER: Final = "x-calloff-simulation-key"


class Activity(BaseModel):
    """How busy a participant is.

    It is idle when nothing is in flight, no record is behind, and `counter` has not changed between two reports.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    now: AwareDatetime
    max_precedence: int = LAST_PRECEDENCE
    counter: int = Field(description="number of all things handled so far")
    requests: int = 0
    outbox: int = 0
    webhooks: int = Field(default=0, description="attempts in progress and deliveries that may start")
    timers: int = Field(default=0, description="due timers that may fire")
    behind: int | None = Field(default=0, description="records not handled yet; null before partitions are assigned")
    next_due_at: AwareDatetime | None = None
    due_precedences: tuple[int, ...] = Field(default=(), description="precedences of due work that is held back")

    @computed_field
    @property
    def in_flight(self) -> int:
        return self.requests + self.outbox + self.webhooks + self.timers

    @property
    def is_idle(self) -> bool:
        return self.in_flight == 0 and self.behind == 0


class ClockSetting(BaseModel):
    """The time from now on, and up to which precedence work due at that time may start; null: without limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    now: AwareDatetime
    max_precedence: int | None = Field(default=None, ge=0, le=LAST_PRECEDENCE)
