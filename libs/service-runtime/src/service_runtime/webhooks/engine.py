"""Webhook engine: claims due deliveries, sends them concurrently, and settles their results.

A new delivery is claimed as it is queued if nothing of its owner and stream stands before it and there is room: its
request starts right after the commit. Each cycle settles finished deliveries, unless a commit has done it, and claims
due ones; requests run outside of any transaction. A process that dies leaves its leases behind; when they
end, another process sends the same ids again. Delivery is at least once, in order for each owner and stream. A slow
endpoint occupies the slots of its own owner only.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar
from uuid import UUID

from opentelemetry.trace import SpanKind

from contracts.telemetry import build_subject_attributes
from service_runtime.due_policy import DuePolicy, RealTimePolicy
from service_runtime.observability.logs import Logger
from service_runtime.observability.metrics import WebhookMetrics
from service_runtime.observability.tracing import (
    SpanAttributes,
    start_child_span,
    start_linked_span,
)
from service_runtime.postgres.errors import is_transient
from service_runtime.unit_of_work.applying import StartedDelivery
from service_runtime.unit_of_work.changes import QueuedDelivery
from service_runtime.unit_of_work.executor import Executor
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.unit_of_work.wakeups import Wakeup
from service_runtime.webhooks import delivery_queue
from service_runtime.webhooks.attempts import AttemptRunner
from service_runtime.webhooks.config import WebhookConfig
from service_runtime.webhooks.deliveries import DueDelivery, SettledDelivery
from service_runtime.webhooks.pauses import Pause, UnstoredPauses
from service_runtime.webhooks.result_handler import ResultHandler
from service_runtime.webhooks.sending import RequestTimeout
from service_runtime.webhooks.settlement import build_started, compute_timeout, settle_without_attempt
from service_runtime.webhooks.slots import MAX_CLAIMED, RequestSlots
from service_runtime.webhooks.waiting_owners import WaitingOwners

WorkT = TypeVar("WorkT", bound=PostgresUnitOfWork)

POLL: Final = 1.0
"""Seconds: the longest that a delivery waits which another process has queued or left behind."""
PAUSE: Final = 0.2
"""Seconds before the next cycle after an error."""
SETTLE_WITHIN: Final = 0.05
"""Seconds that a result waits for a commit that settles it, before the engine does."""
CYCLE_PAUSE: Final = 0.005
"""Seconds between two cycles. Results gather meanwhile, and one statement settles them all."""


@dataclass(frozen=True)
class InFlight:
    due: DueDelivery
    limit: RequestTimeout
    task: asyncio.Task[None]


class WebhookEngine(Generic[WorkT]):
    """Claims, sends and settles deliveries until it is cancelled."""

    def __init__(
        self,
        executor: Executor[WorkT],
        webhook_config: WebhookConfig[WorkT],
        *,
        wakeup: Wakeup,
        log: Logger,
        metrics: WebhookMetrics,
        due_policy: DuePolicy | None = None,
        notify_peers: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`notify_peers` tells the engines of other processes that a delivery to an owner waits to be claimed."""
        self._notify_peers = notify_peers
        self._executor = executor
        self._clock = executor.clock
        self._limits = webhook_config.limits
        self._slots = RequestSlots(webhook_config.limits)
        self._wakeup = wakeup
        self._log = log
        self._metrics = metrics
        self._in_flight: dict[UUID, InFlight] = {}
        self._settled: list[SettledDelivery] = []
        self._pauses = UnstoredPauses()
        self._results = ResultHandler(executor, webhook_config, log=log, metrics=metrics)
        self._due_policy = due_policy or RealTimePolicy(executor.clock)
        chance = 0.0 if self._due_policy.is_stepped else None
        self._attempts = AttemptRunner(webhook_config, clock=executor.clock, log=log, chance=chance)
        self._claiming = False
        self._is_running = False
        self._retries: list[datetime] = []
        self._has_backlog = False
        """True if the last claim found deliveries: there may be more behind them."""
        self._waiting = WaitingOwners(request_timeout=webhook_config.limits.request)

    @property
    def attempts(self) -> int:
        """Number of attempts so far."""
        return self._attempts.count

    @property
    def unsettled(self) -> int:
        """Number of deliveries that are claimed and not yet settled, plus one while a claim is being made.

        The claim counts because its deliveries are no longer due in the database and not yet known here. A pause that
        is not stored counts too.
        """
        claimed = len(self._in_flight) + len(self._settled) + self._slots.reserved_count
        return claimed + len(self._pauses) + int(self._claiming)

    @property
    def lease(self) -> timedelta:
        """How long a claim is valid."""
        return self._limits.lease

    def reserve(self, deliveries: Iterable[QueuedDelivery]) -> dict[UUID, UUID]:
        """Reserves room for new deliveries; returns the id of a lease for each that can start now."""
        if not self._is_running or self._due_policy.is_stepped:
            return {}
        return self._slots.reserve(each for each in deliveries if each.webhook.owner not in self._pauses)

    def release(self, leases: Iterable[UUID]) -> None:
        """Gives the room back that was reserved for deliveries that do not start."""
        for lease in leases:
            self._slots.release(lease)

    def start(self, delivery: QueuedDelivery, lease: UUID, started: StartedDelivery) -> None:
        """Starts the request of a new delivery, which was claimed under `lease` as it was queued."""
        self._slots.release(lease)
        self._start(build_started(delivery, lease, started))

    def note_unstarted(self, deliveries: Iterable[QueuedDelivery]) -> None:
        """Notes deliveries that wait to be claimed; tells other processes, unless this one sends what they wait for."""
        sending = {(each.due.owner, each.due.stream) for each in self._in_flight.values()}
        for delivery in deliveries:
            self._waiting.add(delivery.webhook.owner)
            if (delivery.webhook.owner, delivery.stream) not in sending:
                self._notify_peers(delivery.webhook.owner)
        self._wakeup.notify()

    def claim_for_peer(self, owner: str) -> None:
        """Claims what is due: another process has queued a delivery that waits, perhaps for a request of this one."""
        if owner:
            self._waiting.add_for_peer(owner)
        self._wakeup.notify()

    def take_settled(self) -> list[SettledDelivery]:
        """Removes and returns the results that the caller settles with its commit."""
        settled, self._settled = self._settled, []
        return settled

    def return_settled(self, settled: Sequence[SettledDelivery]) -> None:
        """Puts results back that could not be settled."""
        self._settled[:0] = settled

    async def run(self) -> None:
        async with self._attempts:
            self._is_running = True
            try:
                while True:
                    await self._run_cycle()
            finally:
                self._is_running = False
                await self._stop()

    async def _run_cycle(self) -> None:
        self._cancel_expired_requests()
        try:
            claimed = await self._settle_and_claim()
        except Exception as error:  # noqa: BLE001  webhooks stay due during an outage of the database
            self._log.warning("webhook engine restarted", error=type(error).__name__)
            await asyncio.sleep(PAUSE)
            return
        for due in claimed:
            self._start(due)
        self._waiting.remove_claimed(claimed)
        self._has_backlog = bool(claimed)
        if len(claimed) < MAX_CLAIMED:
            await asyncio.sleep(CYCLE_PAUSE)
            await self._wakeup.wait(self._compute_sleep())

    def _compute_sleep(self) -> float:
        """Returns the seconds until the next retry that this process knows of, at most POLL."""
        now = self._clock.now()
        self._retries = [at for at in self._retries if at > now]
        return min([POLL, *((at - now).total_seconds() for at in self._retries)])

    async def _settle_and_claim(self) -> list[DueDelivery]:
        settled, limits = self.take_settled(), self._slots.compute_claim_limits()
        due_limit = self._due_policy.get_due_limit()
        in_flight = tuple(self._in_flight)
        self._claiming = True
        try:
            async with self._executor.database.open_read_connection() as connection:
                await self._pauses.store(connection)
                if settled:
                    await delivery_queue.settle(connection, settled, now=due_limit.instant)
                claimed = await delivery_queue.claim(
                    connection, limits, in_flight=in_flight, due_limit=due_limit, lease=self._limits.lease
                )
        except BaseException:
            self.return_settled(settled)
            raise
        finally:
            self._claiming = False
        return claimed

    def _cancel_expired_requests(self) -> None:
        """Ends requests whose delivery is to be given up by now, on any clock."""
        now = self._clock.now()
        for each in self._in_flight.values():
            if each.due.give_up_at is not None and now > each.due.give_up_at:
                each.limit.end_now()

    def _start(self, due: DueDelivery) -> None:
        limit = RequestTimeout(compute_timeout(due, self._clock.now(), max_timeout=self._limits.request))
        task = asyncio.create_task(self._deliver(due, limit))
        self._in_flight[due.id] = InFlight(due, limit, task)
        self._slots.take(due.id, due.owner)
        task.add_done_callback(lambda task: self._finish_request(due, task))

    def _finish_request(self, due: DueDelivery, task: asyncio.Task[None]) -> None:
        is_full = self._slots.is_full
        del self._in_flight[due.id]
        self._slots.free(due.id)
        if is_full or self._has_backlog or due.owner in self._waiting or self._due_policy.is_stepped:
            self._wakeup.notify()
        elif self._settled:
            asyncio.get_running_loop().call_later(SETTLE_WITHIN, self._settle_soon)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._log.error("webhook attempt failed", webhook=str(due.id), error=type(error).__name__)

    def _settle_soon(self) -> None:
        """Begins a cycle if no commit has settled the results meanwhile."""
        if self._settled:
            self._wakeup.notify()

    async def _deliver(self, due: DueDelivery, limit: RequestTimeout) -> None:
        # The first attempt follows its cause at once and joins its trace; a retry starts a trace of its own.
        span_of = start_child_span if due.attempts <= 1 else start_linked_span
        with span_of(due.traceparent, f"webhook {due.kind}", SpanKind.CLIENT, _build_span_attributes(due)) as span:
            settled = (
                await self._attempts.attempt(due, limit, span)
                if due.sendable
                else settle_without_attempt(due, self._clock.now())
            )
        self._count(settled)
        if settled.paused_until is not None and due.url is not None:
            self._pauses.add(Pause(due.owner, due.url, settled.paused_until))
            self._retries.append(settled.paused_until)
            self._wakeup.notify()
        if self._results.needs_handling(settled):
            await self._results.handle(settled, span)
        else:
            self._settled.append(settled)
            if settled.next_attempt_at is not None:
                self._retries.append(settled.next_attempt_at)

    def _count(self, settled: SettledDelivery) -> None:
        self._metrics.outcomes.labels(settled.outcome or "failed").inc()
        if settled.attempt is not None:
            self._metrics.took.observe(settled.attempt.took.total_seconds())
        if settled.outcome == "delivered":
            self._metrics.queued.observe(max(0.0, (settled.decided_at - settled.due.queued_at).total_seconds()))

    async def _stop(self) -> None:
        """Waits for running requests within a limit; a cancelled request is sent again when its lease ends."""
        tasks = [each.task for each in self._in_flight.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=self._limits.drain.total_seconds())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._settled or self._pauses:
            await self._settle_last()

    async def _settle_last(self) -> None:
        try:
            async with self._executor.database.begin_transaction() as connection:
                await self._pauses.store(connection)
                if self._settled:
                    await delivery_queue.settle(connection, self._settled, now=self._clock.now())
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
