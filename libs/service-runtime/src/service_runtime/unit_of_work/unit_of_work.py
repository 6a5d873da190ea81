"""Unit of work: the interface by which a handler loads, saves and publishes. The executor commits it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from contracts.events.base import Event
from contracts.ids import uuid7
from service_runtime.observability.instruments import HistogramSpec, Observation
from service_runtime.outbox import journal
from service_runtime.outbox.journal import ChainedEvent
from service_runtime.postgres.database import Connection
from service_runtime.projections.projections import ProjectionReader
from service_runtime.timers import timers
from service_runtime.timers.timers import Timer
from service_runtime.unit_of_work import streams
from service_runtime.unit_of_work.streams import Cause, Stream, StreamKey
from service_runtime.webhooks import delivery_queue
from service_runtime.webhooks.deliveries import Webhook


class UnitOfWork(Protocol):
    """The part of the unit of work common to all services; each service adds its repositories in `ports.py`."""

    @property
    def now(self) -> datetime:
        """The instant of this unit of work, read after its stream was locked."""
        ...

    @property
    def cause(self) -> Cause: ...

    def new_id(self) -> UUID:
        """Returns a new, time-ordered id."""
        ...

    def publish(self, *events: Event) -> None:
        """Collects events; `flush` chains and writes them after the handler has returned."""
        ...

    def schedule(self, *timers: Timer) -> None:
        """Collects timers to arm on this stream; the last `schedule` or `cancel` of a kind and `about` counts."""
        ...

    def cancel(self, kind: str, about: str) -> None:
        """Cancels a timer of this stream; does nothing if it is not armed."""
        ...

    def send_webhooks(self, *webhooks: Webhook) -> None:
        """Collects webhooks; an owner receives them in this order, after earlier webhooks of this stream."""
        ...

    async def cancel_webhook(self, kind: str, about: str) -> bool:
        """Cancels webhooks of this stream that were never attempted; returns True if there was one."""
        ...

    def observe(self, what: HistogramSpec, value: float) -> None:
        """Collects an observation of a histogram; it is recorded after the commit."""
        ...

    async def hold(self, missing: Iterable[tuple[str, str]]) -> bool:
        """Holds this stream until one of `missing` (projection, key) is updated.

        Returns False if one was updated since this unit of work read it.
        """
        ...


@dataclass(frozen=True)
class WorkContext:
    """Stream, instant, cause and service of a unit of work."""

    service: str
    stream: Stream
    now: datetime
    cause: Cause


@dataclass
class PostgresUnitOfWork:
    """The unit of work on PostgreSQL; services subclass it and add their repositories as cached properties."""

    connection: Connection
    context: WorkContext
    _events: list[Event] = field(default_factory=list[Event], init=False)
    _timers: dict[tuple[str, str], Timer | None] = field(
        default_factory=dict[tuple[str, str], Timer | None], init=False
    )
    _webhooks: list[Webhook] = field(default_factory=list[Webhook], init=False)
    _observations: list[Observation] = field(default_factory=list[Observation], init=False)

    @property
    def now(self) -> datetime:
        return self.context.now

    @property
    def cause(self) -> Cause:
        return self.context.cause

    def __post_init__(self) -> None:
        self.projections = ProjectionReader(self.connection)

    def new_id(self) -> UUID:
        return uuid7(self.context.now)

    def publish(self, *events: Event) -> None:
        self._events.extend(events)

    def schedule(self, *timers: Timer) -> None:
        self._timers.update({(timer.kind, timer.about): timer for timer in timers})

    def cancel(self, kind: str, about: str) -> None:
        self._timers[kind, about] = None

    def send_webhooks(self, *webhooks: Webhook) -> None:
        self._webhooks.extend(webhooks)

    def observe(self, what: HistogramSpec, value: float) -> None:
        self._observations.append(Observation(what, value))

    async def cancel_webhook(self, kind: str, about: str) -> bool:
        remaining = [webhook for webhook in self._webhooks if (webhook.kind, webhook.about) != (kind, about)]
        collected = len(remaining) < len(self._webhooks)
        self._webhooks = remaining
        queued = await delivery_queue.cancel_delivery(
            self.connection, self.context.stream.key, kind, about, now=self.now
        )
        return collected or queued

    async def hold(self, missing: Iterable[tuple[str, str]]) -> bool:
        return await self.projections.hold(self.context.stream.key, self.cause.council, tuple(missing))

    async def flush(self) -> "FlushResult":
        """Writes collected timers, webhooks and events; called by the executor after the handler."""
        cancelled = [name for name, timer in self._timers.items() if timer is None]
        armed = [timer for timer in self._timers.values() if timer is not None]
        if armed or cancelled:
            name = self.context.stream.key
            await timers.change_timers(self.connection, name, self.cause, armed=armed, cancelled=cancelled)
        if self._webhooks:
            name = self.context.stream.key
            await delivery_queue.enqueue(
                self.connection, name, self._webhooks, self.cause, now=self.now, new_id=self.new_id
            )
        chained = await self._chain_events() if self._events else ()
        return FlushResult(
            events=chained,
            first_timer=min((timer.at for timer in armed), default=None),
            queued_webhooks=bool(self._webhooks),
            measured=tuple(self._observations),
        )

    async def _chain_events(self) -> tuple[ChainedEvent, ...]:
        locked = await self._lock_streams()
        chained: list[ChainedEvent] = []
        for event in self._events:
            name = streams.stream_key_of(event)
            chained_event, locked[name] = journal.chain_event(
                event,
                stream=locked[name],
                event_id=self.new_id(),
                source=self.context.service,
                cause=self.cause,
                at=self.now,
            )
            chained.append(chained_event)
        await journal.append_to_journal(self.connection, chained, list(locked.values()), at=self.now)
        return tuple(chained)

    async def _lock_streams(self) -> dict[StreamKey, Stream]:
        """Locks the other streams that are published to, in sorted order against deadlocks; returns all by key."""
        own = self.context.stream
        others = sorted({streams.stream_key_of(event) for event in self._events} - {own.key})
        locked = {name: await streams.lock_stream(self.connection, name) for name in others}
        return {own.key: own, **locked}


@dataclass(frozen=True)
class FlushResult:
    """What a unit of work wrote; determines which workers are notified after the commit."""

    events: tuple[ChainedEvent, ...]
    first_timer: datetime | None
    queued_webhooks: bool
    measured: tuple[Observation, ...] = ()
