"""Settlement: what a claimed delivery becomes after its attempt, or without one."""

from datetime import datetime, timedelta
from uuid import UUID

from service_runtime.unit_of_work.applying import StartedDelivery
from service_runtime.unit_of_work.changes import QueuedDelivery
from service_runtime.webhooks.deliveries import Attempt, DueDelivery, SettledDelivery
from service_runtime.webhooks.endpoints import GONE
from service_runtime.webhooks.retries import compute_next_attempt


def build_started(delivery: QueuedDelivery, lease: UUID, started: StartedDelivery) -> DueDelivery:
    """Returns a new delivery as claimed for its first attempt, at the instant at which it was queued."""
    webhook = delivery.webhook
    return DueDelivery(
        id=delivery.id,
        lease=lease,
        owner=webhook.owner,
        stream=delivery.stream,
        kind=webhook.kind,
        about=webhook.about,
        council=delivery.cause.council,
        traceparent=delivery.cause.traceparent,
        body=delivery.body,
        queued_at=delivery.at,
        first_attempt_at=delivery.at,
        give_up_at=delivery.at + webhook.give_up_after,
        attempts=1,
        url=started.url,
        secrets=started.secrets,
        disabled=False,
        sendable=True,
        outcome=None,
        decided_at=None,
        failure=None,
    )


def settle_attempt(
    due: DueDelivery,
    attempt: Attempt,
    *,
    now: datetime,
    retry_after: timedelta | None,
    is_final: bool = False,
    chance: float | None = None,
) -> SettledDelivery:
    """Returns the delivery after an attempt that ended at `now`.

    A 2xx at the very instant of giving up is in time. After a failure that `is_final` there is no retry. `chance` (0
    to 1) replaces the random part of the backoff.
    """
    give_up_at = due.give_up_at or now
    paused_until = now + retry_after if retry_after else None
    if attempt.failure is None and now <= give_up_at:
        return SettledDelivery(due, now, "delivered", attempt=attempt)
    failure = attempt.failure or "answered too late"
    if failure == GONE or is_final or now >= give_up_at:
        return SettledDelivery(due, now, "undeliverable", failure=failure, attempt=attempt, paused_until=paused_until)
    at = compute_next_attempt(
        attempt=attempt.number, now=now, give_up_at=give_up_at, retry_after=retry_after, chance=chance
    )
    return SettledDelivery(
        due, now, None, next_attempt_at=at, failure=failure, attempt=attempt, paused_until=paused_until
    )


def settle_without_attempt(due: DueDelivery, now: datetime) -> SettledDelivery:
    """Returns a delivery that was claimed but cannot be sent: its outcome is known, or it is given up."""
    if due.outcome is not None:
        return SettledDelivery(due, due.decided_at or now, due.outcome, failure=due.failure)
    if due.url is None:
        return SettledDelivery(due, now, "undeliverable", failure="no endpoint")
    if due.disabled:
        return SettledDelivery(due, now, "undeliverable", failure="endpoint disabled")
    if due.attempts == 0:
        return SettledDelivery(due, now, "undeliverable", failure="endpoint paused")
    return SettledDelivery(due, now, "undeliverable", failure=due.failure or "no answer")


def compute_timeout(due: DueDelivery, now: datetime, *, max_timeout: float) -> float:
    """Returns the seconds that a request may take: `max_timeout`, or less if the delivery is given up before."""
    if due.give_up_at is None:
        return max_timeout
    return max(0.0, min(max_timeout, (due.give_up_at - now).total_seconds()))
