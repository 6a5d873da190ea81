"""Result handler: hands the outcomes of deliveries to the service's handlers, in order for each stream.

Outcomes that wait are handled in one batch; if the batch fails, each is handled singly. An outcome whose handler fails
three times stays in its row and parks its stream.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, TypeVar

from opentelemetry.trace import Span

from service_runtime.dead_letters.parked_keys import DeadLetters
from service_runtime.kafka.keyed_batches import KeyedBatcher
from service_runtime.observability.logs import Logger
from service_runtime.observability.metrics import WebhookMetrics
from service_runtime.postgres.database import Connection, is_transient
from service_runtime.unit_of_work.executor import Executor, Job
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.webhooks import delivery_queue, results
from service_runtime.webhooks.config import WebhookConfig
from service_runtime.webhooks.deliveries import SettledDelivery
from service_runtime.webhooks.endpoints import GONE
from service_runtime.webhooks.results import DeliveryClaim, DeliverySubscription, EndpointGone

WorkT = TypeVar("WorkT", bound=PostgresUnitOfWork)

MAX_CONCURRENCY: Final = 4
"""Batches that are handled at the same time; each needs a database connection."""
MAX_ATTEMPTS: Final = 3
PAUSE: Final = 0.2
"""Seconds between two attempts to handle a result."""


@dataclass(frozen=True, eq=False)
class Result:
    """The outcome of a delivery, and a future that is done when it has been handled."""

    settled: SettledDelivery
    span: Span
    handled: asyncio.Future[None]

    def mark_handled(self) -> None:
        if not self.handled.done():
            self.handled.set_result(None)


class ResultHandler(Generic[WorkT]):
    """Handles each outcome once, in the transaction that finishes the delivery's row."""

    def __init__(
        self, executor: Executor[WorkT], config: WebhookConfig[WorkT], *, log: Logger, metrics: WebhookMetrics
    ) -> None:
        self._executor = executor
        self._by_kind: Mapping[str, DeliverySubscription[WorkT]] = {each.kind: each for each in config.deliveries}
        self._gone = config.gone
        self._log = log
        self._dead_letters = DeadLetters(executor.service, executor.database, executor.clock, metrics.parked, log)
        self._batcher = KeyedBatcher[Result](
            self._handle_all,
            key_of=lambda result: result.settled.due.stream,
            on_finished=Result.mark_handled,
            max_concurrency=MAX_CONCURRENCY,
        )

    def needs_handling(self, settled: SettledDelivery) -> bool:
        """True if the service has a handler for this outcome, or the endpoint is gone."""
        if settled.outcome is None:
            return False
        if settled.failure == GONE:
            return True
        subscription = self._by_kind.get(settled.due.kind)
        return subscription is not None and getattr(subscription, settled.outcome) is not None

    async def handle(self, settled: SettledDelivery, span: Span) -> None:
        """Returns when the outcome has been handled, or parked with its stream."""
        result = Result(settled, span, asyncio.get_running_loop().create_future())
        self._batcher.put(result)
        await result.handled

    async def stop(self) -> None:
        await self._batcher.stop()

    async def _handle_all(self, batch: Sequence[Result]) -> None:
        if len(batch) > 1:
            try:
                await self._executor.execute_batch([self._build_job(result) for result in batch])
            except Exception as error:  # noqa: BLE001  each error shows again when the result is handled singly
                self._log.warning("webhook results handled one at a time", error=type(error).__name__)
            else:
                return
        for result in batch:
            await self._handle_singly(result)

    async def _handle_singly(self, result: Result) -> None:
        """Retries transient errors without limit; parks the result after three other errors."""
        failures, because = 0, ""
        while True:
            try:
                if failures < MAX_ATTEMPTS:
                    job = self._build_job(result)
                    await self._executor.execute(job.claim, job.handle, span=result.span)
                else:
                    await self._park(result.settled, because)
            except Exception as error:  # noqa: BLE001  the next lines sort errors
                if not is_transient(error):
                    failures += 1
                    kind = result.settled.due.kind
                    because = f"result of webhook {kind} could not be handled: {type(error).__name__}"
                await asyncio.sleep(PAUSE)
            else:
                return

    def _build_job(self, result: Result) -> Job[WorkT]:
        settled = result.settled
        claim = DeliveryClaim(settled, self._executor.service)

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

    async def _park(self, settled: SettledDelivery, because: str) -> None:
        async def keep_outcome(connection: Connection, now: datetime) -> None:
            await delivery_queue.settle(connection, [settled.hold_in_row(until=now)], now=now)

        due = settled.due
        await self._dead_letters.park(due.stream, council=due.council, because=because, also=keep_outcome)
