"""Result handler: hands the outcomes of deliveries to the service's handlers, in order for each stream.

An outcome whose handler fails three times stays in its row and parks its stream.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Final, Generic, TypeVar

from opentelemetry.trace import Span

from service_runtime.dead_letters.parked_keys import DeadLetters
from service_runtime.observability.logs import Logger
from service_runtime.observability.metrics import WebhookMetrics
from service_runtime.postgres.database import Connection
from service_runtime.postgres.errors import is_transient
from service_runtime.unit_of_work.executor import Executor
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.webhooks import delivery_queue, results
from service_runtime.webhooks.config import WebhookConfig
from service_runtime.webhooks.deliveries import SettledDelivery
from service_runtime.webhooks.endpoint_health_table import is_endpoint_failure, mark_failure
from service_runtime.webhooks.endpoints import GONE
from service_runtime.webhooks.results import DeliveryClaim, DeliverySubscription, EndpointGone

WorkT = TypeVar("WorkT", bound=PostgresUnitOfWork)

MAX_ATTEMPTS: Final = 3
PAUSE: Final = 0.2
"""Seconds between two attempts to handle a result."""


class ResultHandler(Generic[WorkT]):
    """Handles each outcome once, in the transaction that finishes the delivery's row."""

    def __init__(
        self, executor: Executor[WorkT], config: WebhookConfig[WorkT], *, log: Logger, metrics: WebhookMetrics
    ) -> None:
        self._executor = executor
        self._by_kind: Mapping[str, DeliverySubscription[WorkT]] = {each.kind: each for each in config.deliveries}
        self._gone = config.gone
        self._failure_terms = config.failure_terms
        self._open_endpoints = config.open_endpoints
        self._log = log
        self._dead_letters = DeadLetters(executor.service, executor.database, executor.clock, metrics.parked, log)

    def needs_handling(self, settled: SettledDelivery) -> bool:
        """True if the service has a handler for this outcome, or it tells something about the endpoint."""
        if settled.outcome is None:
            return False
        if settled.failure == GONE:
            return True
        if self._failure_terms is not None and is_endpoint_failure(settled):
            return True
        if settled.due.is_replay:
            return False
        subscription = self._by_kind.get(settled.due.kind)
        return subscription is not None and getattr(subscription, settled.outcome) is not None

    async def handle(self, settled: SettledDelivery, span: Span) -> None:
        """Returns when the outcome has been handled, or parked with its stream.

        Retries transient errors without limit; parks the outcome after three other errors.
        """
        failures, because = 0, ""
        while True:
            try:
                if failures < MAX_ATTEMPTS:
                    claim = DeliveryClaim(settled, self._executor.service)
                    await self._executor.execute(claim, partial(self._run_handlers, settled), span=span)
                else:
                    await self._park(settled, because)
            except Exception as error:  # noqa: BLE001  the next lines sort errors
                if not is_transient(error):
                    failures += 1
                    kind = settled.due.kind
                    because = f"result of webhook {kind} could not be handled: {type(error).__name__}"
                await asyncio.sleep(PAUSE)
            else:
                return

    async def _run_handlers(self, settled: SettledDelivery, work: WorkT) -> None:
        due = settled.due
        if settled.failure == GONE and due.url is not None:
            is_disabled = await self._open_endpoints(work).disable_gone(due.owner, due.url)
            if is_disabled and self._gone is not None:
                await self._gone(EndpointGone(due.owner, due.council, work.now), work)
        elif self._failure_terms is not None and is_endpoint_failure(settled):
            await mark_failure(due, work, self._failure_terms)
        await self._call_subscription(settled, work)

    async def _call_subscription(self, settled: SettledDelivery, work: WorkT) -> None:
        subscription = self._by_kind.get(settled.due.kind)
        if subscription is None or settled.due.is_replay:
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
