"""The pair of an event class and the function that writes its sentence."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from audit.domain.names import Names
from contracts.events.base import Event

EventT = TypeVar("EventT", bound=Event)


@dataclass(frozen=True)
class Narration(Generic[EventT]):
    """An event class, and the function that writes the sentence of such an event."""

    event: type[EventT]
    sentence: Callable[[EventT, Names], str]

    def narrate(self, event: Event, names: Names) -> str | None:
        """Returns the sentence of `event`; None if it is of another class."""
        return self.sentence(event, names) if isinstance(event, self.event) else None
