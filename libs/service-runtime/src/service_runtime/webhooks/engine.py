"""The webhook engine: claims what is due, sends it side by side, and sees to it that every result counts once.

One loop settles what was sent and claims what is due in one short transaction; requests run outside of any. A process
that dies leaves leases behind, and whoever claims next sends the same id again: at least once, in order for each owner
and stream. An endpoint that hangs holds its own few places and nobody else's.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar
from uuid import UUID

from aiohttp import ClientError
from opentelemetry.trace import Span, SpanKind

from service_runtime.clock import SimulatedClock, get_horizon
from service_runtime.dead_letters.parked_keys import DeadLetters
from service_runtime.kafka.keyed_batches import KeyedBatcher
from service_runtime.observability.logs import Logger
from service_runtime.observability.metrics import WebhookMetrics
from service_runtime.observability.tracing import (
    SpanAttributes,
    build_subject_attributes,
    mark_failed,
    start_child_span,
    start_linked_span,
)
from service_runtime.postgres.database import Connection, is_transient
from service_runtime.unit_of_work.executor import Executor, Job
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.unit_of_work.wakeups import POLL, Wakeup
from service_runtime.webhooks import deliveries as queue
from service_runtime.webhooks import results
from service_runtime.webhooks.config import WebhookConfig
from service_runtime.webhooks.deliveries import Attempt, ClaimLimits, DueDelivery, SettledDelivery
from service_runtime.webhooks.endpoints import GONE
from service_runtime.webhooks.mail import MAILBOX, MailSender
from service_runtime.webhooks.results import DeliveryClaim, DeliverySubscription, EndpointGone
from service_runtime.webhooks.retries import compute_next_attempt
from service_runtime.webhooks.secret_box import SecretUnreadable
from service_runtime.webhooks.sending import EndpointResponse, RequestTimeout, Sender, describe_failure

WorkT = TypeVar("WorkT", bound=PostgresUnitOfWork)

MAX_CLAIMED: Final = 100
MAX_EXECUTED: Final = 4
"""Handfuls of results that are performed side by side; each needs a database connection."""
MAX_ATTEMPTS: Final = 3
PAUSE: Final = 0.2
"""Seconds before a result that could not be performed is tried again."""
POLL_PAUSE: Final = 0.005
"""Seconds between two turns, in which results gather: one statement settles and claims for all of them."""


@dataclass(frozen=True)
class InFlight:
    due: DueDelivery
    limit: RequestTimeout
    task: asyncio.Task[None]


@dataclass(frozen=True, eq=False)
class Result:
    """What became of a delivery, to be handed over to those who follow it."""

    settled: SettledDelivery
    span: Span
    handed_over: asyncio.Future[None]

    def mark_handed_over(self) -> None:
        """Lets whoever waits for it go on; at the end of the process nobody may."""
        if not self.handed_over.done():
            self.handed_over.set_result(None)


class WebhookEngine(Generic[WorkT]):
    """Runs until it is cancelled; a result whose handler fails three times is kept and parks its stream."""

    def __init__(
        self,
        performer: Executor[WorkT],
        outlet: WebhookConfig[WorkT],
        *,
        wakeup: Wakeup,
        log: Logger,
        metrics: WebhookMetrics,
    ) -> None:
        self._performer = performer
        self._clock = performer.clock
        self._by_kind: Mapping[str, DeliverySubscription[WorkT]] = {each.kind: each for each in outlet.deliveries}
        self._gone = outlet.gone
        self._limits = outlet.limits
        self._secret_box = outlet.secret_box
        self._sender = Sender(outlet.rules, clock=performer.clock, resolver=outlet.resolver)
        self._mail = None if outlet.mail is None else MailSender(outlet.mail, clock=performer.clock)
        self._wakeup = wakeup
        self._log = log
        self._metrics = metrics
        self._parking = DeadLetters(performer.service, performer.database, performer.clock, metrics.parked, log)
        self._in_flight: dict[UUID, InFlight] = {}
        self._settled: list[SettledDelivery] = []
        self._results = KeyedBatcher[Result](
            self._handle_results,
            key_of=lambda result: result.settled.due.stream,
            on_finished=Result.mark_handed_over,
            max_concurrency=MAX_EXECUTED,
        )
        self._chance = 0.0 if isinstance(performer.clock, SimulatedClock) else None
        self._claiming = False
        self.attempts = 0

    @property
    def in_flight(self) -> int:
        """Deliveries that are claimed and not settled in the database yet; one for a claim that is being made.

        What a claim has just taken is due no longer, and known here only when it returns.
        """
        return len(self._in_flight) + len(self._settled) + int(self._claiming)

    async def run(self) -> None:
        async with self._sender:
            try:
                while True:
                    await self._run_cycle()
            finally:
                await self._stop()

    async def _run_cycle(self) -> None:
        self._cancel_expired_requests()
        try:
            claimed = await self._settle_and_claim()
        except Exception as error:  # noqa: BLE001  an outage of the database ends, and webhooks are due all the same
            self._log.warning("webhook engine restarted", error=type(error).__name__)
            await asyncio.sleep(PAUSE)
            return
        for due in claimed:
            self._start(due)
        if len(claimed) < MAX_CLAIMED:
            await asyncio.sleep(POLL_PAUSE)
            await self._wakeup.wait(POLL)

    async def _settle_and_claim(self) -> list[DueDelivery]:
        settled, room, horizon = tuple(self._settled), self._compute_claim_limits(), get_horizon(self._clock)
        in_flight = tuple(self._in_flight)
        self._claiming = True
        try:
            async with self._performer.database.begin_transaction() as connection:
                if settled:
                    await queue.settle(connection, settled, now=horizon.instant)
                claimed = await queue.claim(
                    connection, room, in_flight=in_flight, within=horizon, lease=self._limits.lease
                )
        finally:
            self._claiming = False
        del self._settled[: len(settled)]
        return claimed

    def _compute_claim_limits(self) -> ClaimLimits:
        for_each = self._limits.requests_for_each
        busy = Counter(each.due.owner for each in self._in_flight.values())
        return ClaimLimits(
            total=min(MAX_CLAIMED, self._limits.requests - len(self._in_flight)),
            per_owner=for_each,
            per_busy_owner={owner: for_each - count for owner, count in busy.items()},
        )

    def _cancel_expired_requests(self) -> None:
        """Requests end with their webhook's time, also where the clock is not the machine's."""
        now = self._clock.now()
        for each in self._in_flight.values():
            if each.due.give_up_at is not None and now > each.due.give_up_at:
                each.limit.end_now()

    def _start(self, due: DueDelivery) -> None:
        limit = RequestTimeout(_compute_timeout(due, self._clock.now(), max_timeout=self._limits.request))
        task = asyncio.create_task(self._deliver(due, limit))
        self._in_flight[due.id] = InFlight(due, limit, task)
        task.add_done_callback(lambda task: self._finish_request(due, task))

    def _finish_request(self, due: DueDelivery, task: asyncio.Task[None]) -> None:
        del self._in_flight[due.id]
        self._wakeup.notify()
        if not task.cancelled() and (error := task.exception()) is not None:
            self._log.error("webhook attempt failed", webhook=str(due.id), error=type(error).__name__)

    async def _deliver(self, due: DueDelivery, limit: RequestTimeout) -> None:
        # The first attempt follows from its cause without waiting; a later one is a story of its own.
        span_of = start_child_span if due.attempts <= 1 else start_linked_span
        with span_of(due.traceparent, f"webhook {due.kind}", SpanKind.CLIENT, _build_span_attributes(due)) as span:
            settled = (
                await self._attempt_delivery(due, limit, span)
                if due.sendable
                else _settle_without_attempt(due, self._clock.now())
            )
        self._count(settled)
        if self._has_followers(settled):
            result = Result(settled, span, asyncio.get_running_loop().create_future())
            self._results.put(result)
            await result.handed_over
        else:
            self._settled.append(settled)

    async def _attempt_delivery(self, due: DueDelivery, limit: RequestTimeout, span: Span) -> SettledDelivery:
        self.attempts += 1
        at, began = self._clock.now(), time.perf_counter()
        answer: EndpointResponse | None = None
        failure: str | None
        try:
            answer = await self._send(due, limit)
            failure = answer.failure
        except (ClientError, OSError, ValueError, SecretUnreadable) as error:
            failure = describe_failure(error)
        took = timedelta(seconds=time.perf_counter() - began)
        status = answer.status if answer else None
        if status is not None:
            span.set_attribute("http.response.status_code", status)
        if failure is not None:
            mark_failed(span, failure)
        attempt = Attempt(due.attempts, at, took, status, failure)
        return settle(
            due,
            attempt,
            now=answer.at if answer else self._clock.now(),
            retry_after=answer.retry_after if answer else None,
            chance=self._chance,
        )

    async def _send(self, due: DueDelivery, limit: RequestTimeout) -> EndpointResponse:
        keys = [self._secret_box.decrypt(secret, owner=due.owner) for secret in due.secrets]
        if self._mail is not None and due.url == MAILBOX:
            return await self._mail.send(keys[0], str(due.id), due.body, limit=limit)
        return await self._sender.send(due.url or "", str(due.id), due.body, keys=keys, limit=limit)

    def _count(self, settled: SettledDelivery) -> None:
        self._metrics.outcomes.labels(settled.outcome or "failed").inc()
        if settled.attempt is not None:
            self._metrics.took.observe(settled.attempt.took.total_seconds())
        if settled.outcome == "delivered":
            self._metrics.queued.observe(max(0.0, (settled.decided_at - settled.due.queued_at).total_seconds()))

    def _has_followers(self, settled: SettledDelivery) -> bool:
        if settled.outcome is None:
            return False
        if settled.failure == GONE:
            return True
        subscription = self._by_kind.get(settled.due.kind)
        return subscription is not None and getattr(subscription, settled.outcome) is not None

    async def _handle_results(self, results: Sequence[Result]) -> None:
        """Together in one transaction; where that fails, each alone."""
        if len(results) > 1:
            try:
                await self._performer.execute_batch([self._build_job(result) for result in results])
            except Exception as error:  # noqa: BLE001  alone each will show what it has to say
                self._log.warning("webhook results handled one at a time", error=type(error).__name__)
            else:
                return
        for result in results:
            await self._handle_result(result)

    async def _handle_result(self, result: Result) -> None:
        """Performs a result, however long the database is away; what fails by itself is kept and parks its stream."""
        failures, because = 0, ""
        while True:
            try:
                if failures < MAX_ATTEMPTS:
                    job = self._build_job(result)
                    await self._performer.execute(job.claim, job.handle, span=result.span)
                else:
                    await self._park_result(result.settled, because)
            except Exception as error:  # noqa: BLE001  here errors are sorted, whatever they are
                if not is_transient(error):
                    failures += 1
                    kind = result.settled.due.kind
                    because = f"result of webhook {kind} could not be performed: {type(error).__name__}"
                await asyncio.sleep(PAUSE)
            else:
                return

    def _build_job(self, result: Result) -> Job[WorkT]:
        settled = result.settled
        claim = DeliveryClaim(settled, self._performer.service)

        async def handle(work: WorkT) -> None:
            if claim.endpoint_gone and self._gone is not None:
                await self._gone(EndpointGone(settled.due.owner, settled.due.council, work.now), work)
            await self._call_subscription(settled, work)

        return Job(claim, handle, lambda: nullcontext(result.span))

    async def _call_subscription(self, settled: SettledDelivery, work: WorkT) -> None:
        subscription = self._by_kind.get(settled.due.kind)
        if subscription is None:
            return
        if settled.outcome == "delivered" and subscription.delivered is not None:
            await subscription.delivered(results.build_delivered(settled), work)
        if settled.outcome == "undeliverable" and subscription.undeliverable is not None:
            await subscription.undeliverable(results.build_undeliverable(settled), work)

    async def _park_result(self, settled: SettledDelivery, because: str) -> None:
        async def keep(connection: Connection, now: datetime) -> None:
            await queue.settle(connection, [settled.hold_in_row(until=now)], now=now)

        await self._parking.park(settled.due.stream, council=settled.due.council, because=because, also=keep)

    async def _stop(self) -> None:
        """Lets requests that run finish for a while; what is cut then is sent again when its lease ends."""
        tasks = [each.task for each in self._in_flight.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=self._limits.drain.total_seconds())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._results.stop()
        if self._settled:
            await self._settle_last()

    async def _settle_last(self) -> None:
        try:
            async with self._performer.database.begin_transaction() as connection:
                await queue.settle(connection, self._settled, now=self._clock.now())
        except Exception as error:
            if not is_transient(error):
                raise
            self._log.warning("webhook engine restarted", error=type(error).__name__)


def _build_span_attributes(due: DueDelivery) -> SpanAttributes:
    return {
        "calloff.webhook": str(due.id),
        "calloff.webhook.owner": due.owner,
        "calloff.attempt": due.attempts,
        **build_subject_attributes(due.stream.topic, due.stream.key),
    }


def settle(
    due: DueDelivery, attempt: Attempt, *, now: datetime, retry_after: timedelta | None, chance: float | None = None
) -> SettledDelivery:
    """What an attempt that ended at `now` means for its delivery; a 2xx at the instant of giving up is in time."""
    give_up_at = due.give_up_at or now
    if attempt.failure is None and now <= give_up_at:
        return SettledDelivery(due, now, "delivered", attempt=attempt)
    failure = attempt.failure or "answered too late"
    if failure == GONE or now >= give_up_at:
        return SettledDelivery(due, now, "undeliverable", failure=failure, attempt=attempt)
    at = compute_next_attempt(
        attempt=attempt.number, now=now, give_up_at=give_up_at, retry_after=retry_after, chance=chance
    )
    return SettledDelivery(due, now, None, next_attempt_at=at, failure=failure, attempt=attempt)


def _settle_without_attempt(due: DueDelivery, now: datetime) -> SettledDelivery:
    """A delivery that was claimed for something else than an attempt."""
    if due.outcome is not None:
        return SettledDelivery(due, due.decided_at or now, due.outcome, failure=due.failure)
    if due.url is None:
        return SettledDelivery(due, now, "undeliverable", failure="no endpoint")
    if due.disabled:
        return SettledDelivery(due, now, "undeliverable", failure="endpoint disabled")
    return SettledDelivery(due, now, "undeliverable", failure=due.failure or "no answer")


def _compute_timeout(due: DueDelivery, now: datetime, *, max_timeout: float) -> float:
    if due.give_up_at is None:
        return max_timeout
    return max(0.0, min(max_timeout, (due.give_up_at - now).total_seconds()))
