"""Subscriptions: a service declares the handler of each event type and each kind of timer in one table."""

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
    """An event type and its handler in this service."""

    event: type[Event]
    # `on` checks the event type against the handler; the table contains many types, hence Any.
    handler: Callable[[Any, WorkT_contra], Awaitable[None]]
    begins_stream: bool = False
    """True if the service has usually nothing of the event's subject before: the stream is then not loaded first."""

    @property
    def type(self) -> str:
        return self.event.get_type_name()

    @property
    def topic(self) -> str:
        return find_entry(self.event).topic


def on(
    event: type[EventT],
    handler: Callable[[EventT, WorkT_contra], Awaitable[None]],
    *,
    begins_stream: bool = False,
) -> Subscription[WorkT_contra]:
    """Subscribes `handler` to events of this type."""
    return Subscription(event, handler, begins_stream)


@dataclass(frozen=True)
class TimerSubscription(Generic[WorkT_contra]):
    """A kind of timer and its handler."""

    kind: str
    handler: Callable[[DueTimer, WorkT_contra], Awaitable[None]]


def on_timer(
    kind: str, handler: Callable[[DueTimer, WorkT_contra], Awaitable[None]]
) -> TimerSubscription[WorkT_contra]:
    """Subscribes `handler` to timers of this kind."""
    return TimerSubscription(kind, handler)
