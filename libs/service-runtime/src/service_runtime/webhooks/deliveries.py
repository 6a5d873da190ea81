"""Values of a delivery: the webhook to send, the claimed delivery, an attempt, and the settled result."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from service_runtime.unit_of_work.streams import StreamKey

Outcome = Literal["delivered", "undeliverable"]


@dataclass(frozen=True)
class Webhook:
    """A webhook to send to an owner's endpoint: its `kind` (such as `offer.made`) and the id it is about.

    `data` must be serialisable as JSON; the body contains it with the kind and the instant of queueing.
    `give_up_after` counts from the first attempt; a 2xx exactly at that instant is in time. With `only_with_endpoint`
    it is not queued if the owner has no endpoint; otherwise it is undeliverable then. To a disabled endpoint it is
    undeliverable too, and is kept for its owner. `id` is the delivery's id, which the header webhook-id and the
    Message-ID carry; a new one by default.
    """

    owner: str
    kind: str
    about: str
    data: Mapping[str, object]
    give_up_after: timedelta
    only_with_endpoint: bool = False
    id: UUID | None = None


@dataclass(frozen=True)
class DueDelivery:
    """A delivery that this process has claimed: to send, to give up, or to have its known outcome handled."""

    id: UUID
    lease: UUID
    owner: str
    stream: StreamKey
    kind: str
    about: str
    council: str
    traceparent: str
    body: bytes
    queued_at: datetime
    first_attempt_at: datetime | None
    give_up_at: datetime | None
    attempts: int
    """Number of attempts, including the present one if `sendable`."""
    url: str | None
    secrets: tuple[bytes, ...]
    disabled: bool
    sendable: bool
    """True if the claim counted an attempt; False without an endpoint, after `give_up_at`, or with an outcome."""
    outcome: Outcome | None
    decided_at: datetime | None
    failure: str | None
    is_replay: bool = False
    """True if the owner asked for it to be sent again: its result was handled before and is not handled again."""


@dataclass(frozen=True)
class Attempt:
    """One request, as in the delivery log; `failure` is one of a fixed set of texts, or None if it was accepted."""

    number: int
    at: datetime
    took: timedelta
    status: int | None
    failure: str | None


@dataclass(frozen=True)
class SettledDelivery:
    """The result of a claimed delivery: finished with an `outcome`, or to be claimed again at `next_attempt_at`.

    With both, the outcome is known but its stream is parked; it is handled when the stream is released. If the endpoint
    has asked for no requests before an instant, `paused_until` is that instant.
    """

    due: DueDelivery
    decided_at: datetime
    outcome: Outcome | None
    next_attempt_at: datetime | None = None
    failure: str | None = None
    attempt: Attempt | None = None
    paused_until: datetime | None = None

    @property
    def is_finished(self) -> bool:
        return self.outcome is not None and self.next_attempt_at is None

    def to_row(self) -> tuple[object, ...]:
        """Returns the values from which the database changes the delivery and logs its attempt."""
        attempt = self.attempt
        return (
            self.due.id,
            self.due.lease,
            self.outcome,
            self.is_finished,
            self.next_attempt_at,
            self.failure,
            self.decided_at if self.outcome else None,
            attempt and attempt.number,
            attempt and attempt.at,
            attempt and round(attempt.took.total_seconds() * 1000),
            attempt and attempt.status,
            attempt and attempt.failure,
        )

    def hold_in_row(self, *, until: datetime) -> "SettledDelivery":
        """Returns a copy whose outcome stays in the row and can be claimed for handling from `until` on."""
        return replace(self, next_attempt_at=until)


def encode_body(webhook: Webhook, *, at: datetime) -> bytes:
    """Encodes the body that every attempt signs and sends. Raises TypeError if `data` is not serialisable as JSON."""
    payload = {"type": webhook.kind, "timestamp": at.isoformat(), "data": webhook.data}
    return json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()
