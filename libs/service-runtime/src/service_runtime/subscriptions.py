"""Registration is a table that one can read: which handler follows which event, and which follows which timer."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from contracts.catalogue import find_entry
from contracts.events.base import Event
from service_runtime.timers.timers import DueTimer

EventT = TypeVar("EventT", bound=Event)
WorkT_contra = TypeVar("WorkT_contra", contravariant=True)


@dataclass(frozen=True)
class Subscription(Generic[WorkT_contra]):
    """One event type and its one handler in this service."""

    event: type[Event]
    # The event's type is bound where `on` is called; a table of many types can only say Any.
    handler: Callable[[Any, WorkT_contra], Awaitable[None]]

    @property
    def type(self) -> str:
        return self.event.type_name()

    @property
    def topic(self) -> str:
        return find_entry(self.event).topic


def on(event: type[EventT], handler: Callable[[EventT, WorkT_contra], Awaitable[None]]) -> Subscription[WorkT_contra]:
    """When `event` arrives, `handler` decides what follows."""
    return Subscription(event, handler)


@dataclass(frozen=True)
class TimerSubscription(Generic[WorkT_contra]):
    """One kind of timer and its handler."""

    kind: str
    handler: Callable[[DueTimer, WorkT_contra], Awaitable[None]]


def on_timer(
    kind: str, handler: Callable[[DueTimer, WorkT_contra], Awaitable[None]]
) -> TimerSubscription[WorkT_contra]:
    """When a timer of `kind` is due, `handler` decides what follows."""
    return TimerSubscription(kind, handler)
