"""Changes: everything that units of work of one stream have decided and that is not applied yet."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from uuid import UUID

from sqlalchemy import TextClause

from service_runtime.observability.instruments import Observation
from service_runtime.outbox.journal import ChainedEvent
from service_runtime.timers.timers import Timer
from service_runtime.unit_of_work.streams import Cause, Stream, StreamKey
from service_runtime.webhooks.deliveries import SettledDelivery, Webhook


class RevisionConflict(Exception):
    """The stream changed, or the trigger was claimed, since the decision; decide again on the stream as it is."""


@dataclass(frozen=True)
class KeyedResponse:
    """The response to store for an Idempotency-Key of a caller."""

    caller: str
    key: str
    fingerprint: str
    status: int
    headers: str
    body: bytes

    def to_row(self) -> tuple[object, ...]:
        return (self.caller, self.key, self.fingerprint, self.status, self.headers, self.body)


@dataclass(frozen=True)
class QueuedDelivery:
    """A webhook to queue: its row's id, its cause, the encoded body and the instant of the decision."""

    id: UUID
    stream: StreamKey
    webhook: Webhook
    cause: Cause
    body: bytes
    at: datetime


@dataclass(frozen=True)
class Hold:
    """An entry of a projection that a stream waits for, and the sequence at which the decision saw it."""

    view: str
    key: str
    seen: int
    stream: StreamKey
    council: str


@dataclass(frozen=True)
class GuardedStatement:
    """A statement that runs after the changes, in their transaction.

    With `rows` it must affect that many rows, otherwise the unit of work is decided again.
    """

    statement: TextClause
    values: Mapping[str, object]
    rows: int | None = None


TimerName = tuple[StreamKey, str, str]
"""Stream, kind and `about` of a timer."""


@dataclass
class Changes:
    """What is applied together: all of it, or nothing because a stream has another revision or a claim is not new."""

    stream: Stream
    """The stream as it was loaded."""
    after: Stream
    """The stream after these changes, still at the revision at which it was loaded."""
    others: dict[StreamKey, Stream] = field(default_factory=dict[StreamKey, Stream])
    """Other streams that must still be at their revision, as they were loaded."""
    others_after: dict[StreamKey, Stream] = field(default_factory=dict[StreamKey, Stream])
    events: list[ChainedEvent] = field(default_factory=list[ChainedEvent])
    handled_events: list[UUID] = field(default_factory=list[UUID])
    responses: list[KeyedResponse] = field(default_factory=list[KeyedResponse])
    fired_timers: list[tuple[UUID, datetime]] = field(default_factory=list[tuple[UUID, datetime]])
    settled: list[SettledDelivery] = field(default_factory=list[SettledDelivery])
    cancelled_deliveries: list[UUID] = field(default_factory=list[UUID])
    released_events: list[UUID] = field(default_factory=list[UUID])
    holds: list[Hold] = field(default_factory=list[Hold])
    timers: dict[TimerName, tuple[Timer, Cause] | None] = field(
        default_factory=dict[TimerName, tuple[Timer, Cause] | None]
    )
    """Timers to arm, and None for those to cancel; the last change of a timer counts."""
    deliveries: list[QueuedDelivery] = field(default_factory=list[QueuedDelivery])
    rows: dict[str, dict[Hashable, Mapping[str, object]]] = field(
        default_factory=dict[str, dict[Hashable, Mapping[str, object]]]
    )
    """Rows by table and key for the service's own statement; the last row of a key counts."""
    statements: list[GuardedStatement] = field(default_factory=list[GuardedStatement])
    observations: list[Observation] = field(default_factory=list[Observation])

    @cached_property
    def committed(self) -> Stream:
        """The stream as it is once these changes are applied; to be asked when nothing is added any more."""
        return self.after.advance()

    @property
    def is_empty(self) -> bool:
        """True if nothing has to be applied."""
        return not (
            self.others
            or self.events
            or self.handled_events
            or self.responses
            or self.fired_timers
            or self.settled
            or self.cancelled_deliveries
            or self.released_events
            or self.holds
            or self.timers
            or self.deliveries
            or self.rows
            or self.statements
        )

    def put_row(self, table: str, key: Hashable, row: Mapping[str, object]) -> None:
        rows = self.rows.setdefault(table, {})
        rows.pop(key, None)  # so that the row is last
        rows[key] = row
