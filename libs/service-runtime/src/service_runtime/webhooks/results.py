"""What becomes of webhooks, and the table that says who is told: results are performed like events and timers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from service_runtime.postgres.database import Connection
from service_runtime.unit_of_work import streams
from service_runtime.unit_of_work.streams import Cause, Stream, StreamKey
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.webhooks import deliveries as queue
from service_runtime.webhooks.deliveries import SettledDelivery
from service_runtime.webhooks.endpoints import GONE, disable_gone

WorkT_contra = TypeVar("WorkT_contra", contravariant=True)


@dataclass(frozen=True)
class Delivered:
    """The endpoint answered with a 2xx, within the time that the webhook had."""

    id: UUID
    owner: str
    kind: str
    about: str
    stream: StreamKey
    first_attempt_at: datetime
    delivered_at: datetime
    """When the 2xx arrived; not after the instant of the unit of work."""
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
    """None when there was no attempt: no endpoint, or a disabled one."""
    attempts: int
    reason: str
    """In closed words: `no endpoint`, `endpoint disabled`, `gone`, `timed out`, `status 500`, `no answer`, …"""


@dataclass(frozen=True)
class EndpointGone:
    """An endpoint answered 410 and is disabled now."""

    owner: str
    council: str
    at: datetime


@dataclass(frozen=True)
class DeliverySubscription(Generic[WorkT_contra]):
    """What follows from the deliveries of one kind of webhook; None: nothing does."""

    kind: str
    delivered: Callable[[Delivered, WorkT_contra], Awaitable[None]] | None
    undeliverable: Callable[[Undeliverable, WorkT_contra], Awaitable[None]] | None


def subscribe_to_deliveries(
    kind: str,
    *,
    delivered: Callable[[Delivered, WorkT_contra], Awaitable[None]] | None = None,
    undeliverable: Callable[[Undeliverable, WorkT_contra], Awaitable[None]] | None = None,
) -> DeliverySubscription[WorkT_contra]:
    """When a webhook of `kind` is delivered or given up, these decide what follows."""
    return DeliverySubscription(kind, delivered, undeliverable)


@dataclass
class DeliveryClaim:
    """A result counts once: for whoever finishes the delivery's row.

    While the stream is parked it is kept in the row, and handed over when the stream is released: a 2xx is a fact, and
    no operator's pause may turn it into a second sending.
    """

    settled: SettledDelivery
    service: str
    endpoint_gone: bool = field(default=False, init=False)
    """Whether taking this claim disabled the endpoint."""

    @property
    def stream(self) -> StreamKey:
        return self.settled.due.stream

    @property
    def cause(self) -> Cause:
        due = self.settled.due
        return Cause(f"webhook:{due.id}", f"service:{self.service}", due.council, due.traceparent)

    @property
    def lock_timeout(self) -> None:
        """Results wait for their stream as long as it takes."""

    async def lock(self, connection: Connection) -> Stream:
        return await streams.lock_stream(connection, self.stream)

    async def acquire(self, connection: Connection, stream: Stream, work: PostgresUnitOfWork) -> bool:
        self.endpoint_gone = False
        if stream.parked:
            await queue.settle(connection, [self.settled.hold_in_row(until=work.now)], now=work.now)
            return False
        if not await queue.settle(connection, [self.settled], now=work.now):
            return False
        due = self.settled.due
        if self.settled.failure == GONE and due.url is not None:
            self.endpoint_gone = await disable_gone(connection, due.owner, due.url, now=work.now)
        return True

    async def finish(self, connection: Connection, result: None) -> None:
        """The row has been finished by `take`."""


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
