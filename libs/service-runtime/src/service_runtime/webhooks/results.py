"""Results of deliveries, their subscriptions, and the claim by which the unit of work handles each result once."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from service_runtime.postgres.database import Connection
from service_runtime.unit_of_work import streams
from service_runtime.unit_of_work.streams import Cause, Stream, StreamKey
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.webhooks import delivery_queue
from service_runtime.webhooks.deliveries import SettledDelivery
from service_runtime.webhooks.endpoints import GONE, disable_gone

WorkT_contra = TypeVar("WorkT_contra", contravariant=True)


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
    """None if there was no attempt, because there is no endpoint or it is disabled."""
    attempts: int
    reason: str
    """One of a fixed set: `no endpoint`, `endpoint disabled`, `gone`, `timed out`, `status 500`, `no answer`, …"""


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


@dataclass
class DeliveryClaim:
    """Claims a result by finishing the delivery's row, so that it is handled once.

    While the stream is parked, the row keeps the result, which is handled when the stream is released. A webhook that
    the endpoint has accepted is therefore not sent again.
    """

    settled: SettledDelivery
    service: str
    endpoint_gone: bool = field(default=False, init=False)
    """True if acquiring this claim disabled the endpoint."""

    @property
    def stream(self) -> StreamKey:
        return self.settled.due.stream

    @property
    def cause(self) -> Cause:
        due = self.settled.due
        return Cause(f"webhook:{due.id}", f"service:{self.service}", due.council, due.traceparent)

    @property
    def lock_timeout(self) -> None:
        """None: results wait for the lock of their stream without a limit."""

    async def lock(self, connection: Connection) -> Stream:
        return await streams.lock_stream(connection, self.stream)

    async def acquire(self, connection: Connection, stream: Stream, work: PostgresUnitOfWork) -> bool:
        self.endpoint_gone = False
        if stream.parked:
            await delivery_queue.settle(connection, [self.settled.hold_in_row(until=work.now)], now=work.now)
            return False
        if not await delivery_queue.settle(connection, [self.settled], now=work.now):
            return False
        due = self.settled.due
        if self.settled.failure == GONE and due.url is not None:
            self.endpoint_gone = await disable_gone(connection, due.owner, due.url, now=work.now)
        return True

    async def finish(self, connection: Connection, result: None) -> None:
        """Does nothing: `acquire` has finished the row."""


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
