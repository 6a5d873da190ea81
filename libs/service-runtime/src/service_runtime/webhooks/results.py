"""Results of deliveries, their subscriptions, and the claim by which the unit of work handles each result once."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, TypeVar
from uuid import UUID

from service_runtime.postgres.database import Database
from service_runtime.unit_of_work import streams
from service_runtime.unit_of_work.changes import Changes, RevisionConflict
from service_runtime.unit_of_work.streams import Cause, StreamKey
from service_runtime.webhooks import delivery_queue
from service_runtime.webhooks.deliveries import SettledDelivery

WorkT_contra = TypeVar("WorkT_contra", contravariant=True)

# The same condition as in `apply_changes`: a 2xx counts with any lease, a failure with the newest only.
_FIND_UNFINISHED: Final = """
    SELECT 1 FROM deliveries WHERE id = $1 AND finished_at IS NULL AND ($2 = 'delivered' OR lease = $3)
"""


@dataclass(frozen=True)
class Delivered:
    """The endpoint answered with a 2xx before the webhook was given up."""

    id: UUID
    owner: str
    kind: str
    about: str
    stream: StreamKey
    first_attempt_at: datetime
    delivered_at: datetime
    """When the 2xx arrived; not later than the instant of the unit of work."""
    attempts: int


@dataclass(frozen=True)
class Undeliverable:
    """The webhook will not be sent again."""

    id: UUID
    owner: str
    kind: str
    about: str
    stream: StreamKey
    first_attempt_at: datetime | None
    """None if there was no attempt, because there is no endpoint, or it is disabled or paused."""
    attempts: int
    reason: str
    """One of a fixed set: `no endpoint`, `endpoint disabled`, `endpoint paused`, `gone`, `status 500`, …"""


@dataclass(frozen=True)
class EndpointGone:
    """An endpoint answered 410 and has been disabled."""

    owner: str
    council: str
    at: datetime


@dataclass(frozen=True)
class DeliverySubscription(Generic[WorkT_contra]):
    """The handlers for the results of one kind of webhook; None ignores the result."""

    kind: str
    delivered: Callable[[Delivered, WorkT_contra], Awaitable[None]] | None
    undeliverable: Callable[[Undeliverable, WorkT_contra], Awaitable[None]] | None


def subscribe_to_deliveries(
    kind: str,
    *,
    delivered: Callable[[Delivered, WorkT_contra], Awaitable[None]] | None = None,
    undeliverable: Callable[[Undeliverable, WorkT_contra], Awaitable[None]] | None = None,
) -> DeliverySubscription[WorkT_contra]:
    """Subscribes handlers to the results of webhooks of this kind."""
    return DeliverySubscription(kind, delivered, undeliverable)


@dataclass(frozen=True)
class DeliveryClaim:
    """Claims a result by finishing the delivery's row, so that it is handled once.

    While the stream is parked, the row keeps the result, which is handled when the stream is released. A webhook that
    the endpoint has accepted is therefore not sent again.
    """

    settled: SettledDelivery
    service: str

    @property
    def stream(self) -> StreamKey:
        return self.settled.due.stream

    @property
    def cause(self) -> Cause:
        due = self.settled.due
        return Cause(f"webhook:{due.id}", f"service:{self.service}", due.council, due.traceparent)

    @property
    def turn_timeout(self) -> None:
        """None: results wait for their stream's turn without a limit."""

    @property
    def begins_stream(self) -> bool:
        return False

    @property
    def even_if_parked(self) -> bool:
        return False

    async def is_open(self, database: Database, *, at: datetime) -> bool:
        """Logs the attempt of a result that does not count, because another process has finished the delivery."""
        due = self.settled.due
        if await database.fetch(_FIND_UNFINISHED, due.id, self.settled.outcome, due.lease):
            return True
        async with database.open_read_connection() as connection:
            await delivery_queue.settle(connection, [self.settled], now=at)
        return False

    async def handle_parked(self, database: Database, *, at: datetime) -> None:
        """Keeps the result in the delivery's row."""
        async with database.begin_transaction() as connection:
            if not (await streams.lock_stream(connection, self.stream)).parked:
                raise RevisionConflict
            await delivery_queue.settle(connection, [self.settled.hold_in_row(until=at)], now=at)

    def add_to(self, changes: Changes, result: object, *, at: datetime) -> None:  # noqa: ARG002  the Protocol names them
        changes.settled.append(self.settled)


def build_delivered(settled: SettledDelivery) -> Delivered:
    due = settled.due
    first = due.first_attempt_at or settled.decided_at
    return Delivered(
        due.id, due.owner, due.kind, due.about, due.stream, first, settled.decided_at, attempts=due.attempts
    )


def build_undeliverable(settled: SettledDelivery) -> Undeliverable:
    due = settled.due
    reason = settled.failure or "no answer"
    return Undeliverable(
        due.id, due.owner, due.kind, due.about, due.stream, due.first_attempt_at, attempts=due.attempts, reason=reason
    )
