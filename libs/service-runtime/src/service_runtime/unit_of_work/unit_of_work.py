"""Unit of work: the interface by which a handler loads, saves and publishes. The executor applies it."""

from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import TextClause

from contracts.events.base import Event
from contracts.ids import uuid7
from service_runtime.observability.instruments import Observation, ObservedSpec
from service_runtime.postgres.database import Reader
from service_runtime.postgres.statements import NO_VALUES, Rows
from service_runtime.projections.memory import ProjectionSnapshot
from service_runtime.timers.timers import Timer
from service_runtime.unit_of_work.changes import GuardedStatement, TimerName
from service_runtime.unit_of_work.streams import Cause, Stream, StreamKey
from service_runtime.webhooks import delivery_queue
from service_runtime.webhooks.deliveries import Webhook


class UnitOfWork(Protocol):
    """The part of the unit of work common to all services; each service adds its repositories in `ports.py`."""

    @property
    def now(self) -> datetime:
        """The instant of this unit of work, read after its stream was loaded."""
        ...

    @property
    def cause(self) -> Cause: ...

    def new_id(self) -> UUID:
        """Returns a new, time-ordered id."""
        ...

    def publish(self, *events: Event) -> None:
        """Collects events; they are chained after the handler has returned."""
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

    def observe(self, what: ObservedSpec, value: float, *, labels: tuple[str, ...] = ()) -> None:
        """Collects an observation of a histogram, or what a counter grows by; it is recorded after the commit."""
        ...

    async def hold(self, missing: Iterable[tuple[str, str]]) -> bool:
        """Holds this stream until one of `missing` (projection, key) is updated.

        Returns False if one was updated since this unit of work read it.
        """
        ...


@dataclass(frozen=True)
class WorkContext:
    """Stream, instant, cause and service of a unit of work, the projections that it reads, and how it loads streams."""

    service: str
    stream: Stream
    now: datetime
    cause: Cause
    projections: ProjectionSnapshot
    load_streams: Callable[[Sequence[StreamKey]], Awaitable[Sequence[Stream]]]


@dataclass
class PostgresUnitOfWork:
    """The unit of work on PostgreSQL; services subclass it and add their repositories as cached properties.

    It reads through `reader`, outside any transaction, and collects what is to be written. What it reads of its own
    stream is protected by the stream's revision; what it reads of another stream it names with `depend_on`.
    """

    reader: Reader
    context: WorkContext
    events: list[Event] = field(default_factory=list[Event], init=False)
    timers: dict[TimerName, Timer | None] = field(default_factory=dict[TimerName, Timer | None], init=False)
    webhooks: list[Webhook] = field(default_factory=list[Webhook], init=False)
    cancelled_deliveries: list[UUID] = field(default_factory=list[UUID], init=False)
    held: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]], init=False)
    rows: list[tuple[str, Hashable, Mapping[str, object]]] = field(
        default_factory=list[tuple[str, Hashable, Mapping[str, object]]], init=False
    )
    statements: list[GuardedStatement] = field(default_factory=list[GuardedStatement], init=False)
    dependencies: dict[StreamKey, Stream] = field(default_factory=dict[StreamKey, Stream], init=False)
    observations: list[Observation] = field(default_factory=list[Observation], init=False)
    state: Any = field(init=False)
    """The service's state of the stream; a repository replaces it when it saves. Any: services have their own."""

    def __post_init__(self) -> None:
        self.state = self.context.stream.state

    @property
    def now(self) -> datetime:
        return self.context.now

    @property
    def cause(self) -> Cause:
        return self.context.cause

    @property
    def projections(self) -> ProjectionSnapshot:
        return self.context.projections

    async def execute(self, statement: TextClause, values: Mapping[str, object] = NO_VALUES) -> Rows:
        """Reads from the database, outside any transaction."""
        return await self.reader.execute(statement, values)

    def put_row(self, table: str, key: Hashable, row: Mapping[str, object]) -> None:
        """Collects a row for the service's own statement, with which all rows of a round are written together."""
        self.rows.append((table, key, row))

    def write(self, statement: TextClause, values: Mapping[str, object], *, rows: int | None = None) -> None:
        """Collects a statement that runs in the transaction of this unit of work.

        It must affect `rows` rows if given, otherwise the unit of work is decided again. For rare changes: a unit of
        work with statements is applied alone and takes a round trip for each.
        """
        self.statements.append(GuardedStatement(statement, values, rows))

    async def depend_on(self, *streams: StreamKey) -> None:
        """Names other streams whose changes would change this decision: it is applied only if they have not changed.

        To be called before anything of them is read. Applying it changes their revisions.
        """
        self.dependencies.update({stream.key: stream for stream in await self.context.load_streams(streams)})

    def new_id(self) -> UUID:
        return uuid7(self.context.now)

    def publish(self, *events: Event) -> None:
        self.events.extend(events)

    def schedule(self, *timers: Timer) -> None:
        self.schedule_on(self.context.stream.key, *timers)

    def schedule_on(self, stream: StreamKey, *timers: Timer) -> None:
        """Collects timers to arm on another stream."""
        self.timers.update({(stream, timer.kind, timer.about): timer for timer in timers})

    def cancel(self, kind: str, about: str) -> None:
        self.timers[self.context.stream.key, kind, about] = None

    def send_webhooks(self, *webhooks: Webhook) -> None:
        self.webhooks.extend(webhooks)

    def observe(self, what: ObservedSpec, value: float, *, labels: tuple[str, ...] = ()) -> None:
        self.observations.append(Observation(what, value, labels))

    async def cancel_webhook(self, kind: str, about: str) -> bool:
        remaining = [webhook for webhook in self.webhooks if (webhook.kind, webhook.about) != (kind, about)]
        collected = len(remaining) < len(self.webhooks)
        self.webhooks = remaining
        queued = await delivery_queue.find_unattempted(self, self.context.stream.key, kind, about)
        self.cancelled_deliveries += queued
        return collected or bool(queued)

    async def hold(self, missing: Iterable[tuple[str, str]]) -> bool:
        names = sorted(set(missing))
        for view, key in names:
            row = self.projections.memory.find(view, key)
            if row is not None and row.sequence > self.projections.get_seen(view, key):
                return False
        self.held = names
        return True
