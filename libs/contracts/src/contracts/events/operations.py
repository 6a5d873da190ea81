"""Events for operations; topic `homecare.parked.v1`. No service acts on them."""

from uuid import UUID

from pydantic import Field

from contracts.events.base import Event


class KeyParked(Event):
    """A service parked a key: one of its events could not be handled, and an operator has to act.

    The cause is given by the error's type. The error's message could contain personal data and is left out.
    """

    service: str = Field(pattern=r"^[a-z0-9-]{1,60}$")
    topic: str = Field(pattern=r"^[a-z0-9.-]{1,100}$")
    parked_key: str = Field(pattern=r"^[A-Za-z0-9/_-]{1,200}$")
    event_id: UUID | None = Field(description="the event that failed; null when a timer or a delivery's result did")
    because: str = Field(pattern=r"^[A-Za-z0-9 .:,'_-]{1,300}$", description="what failed, and the error's type")

    @property
    def key(self) -> str:
        return self.parked_key
