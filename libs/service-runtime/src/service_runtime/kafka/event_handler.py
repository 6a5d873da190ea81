"""Event handler: executes the handler of each event, retries transient errors and parks keys of poison events.

The waiting events of a key are handled in order, and what their handlers decided is applied together. Transient errors
(connection, deadlock, time-out) are retried without limit and hold the consumer. Any other error is retried twice; then
the event's key is parked, so that a poison event blocks its own key only. A record that is not an event of a service
has no key to park: it is stored as an unreadable record and passed.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Final, Generic, TypeVar

from opentelemetry.context import get_current
from opentelemetry.trace import Span, SpanKind

from contracts.catalogue import decode
from service_runtime.dead_letters.parked_keys import DeadLetters
from service_runtime.dead_letters.unreadable_records import RejectedRecord, UnreadableRecords
from service_runtime.inbox import EventClaim
from service_runtime.kafka.client import KafkaRecord
from service_runtime.kafka.records import Record, UnreadableRecord, check_readable, read_event_type
from service_runtime.observability.logs import Logger
from service_runtime.observability.metrics import ConsumerMetrics
from service_runtime.observability.tracing import start_child_span, start_linked_span
from service_runtime.postgres.errors import is_transient
from service_runtime.subscriptions import Subscription
from service_runtime.unit_of_work.claims import Executed, Job, Skipped
from service_runtime.unit_of_work.executor import Executor
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork

WorkT = TypeVar("WorkT", bound=PostgresUnitOfWork)
ResultT = TypeVar("ResultT")

MAX_ATTEMPTS: Final = 3


def build_group_id(service: str) -> str:
    """Returns the id of the consumer group that reads a service's events."""
    return f"calloff.{service}"


class EventHandler(Generic[WorkT]):
    """Handles records: each is skipped, handled once, stored behind its parked key, or parked itself."""

    def __init__(
        self,
        executor: Executor[WorkT],
        subscriptions: Iterable[Subscription[WorkT]],
        *,
        log: Logger,
        metrics: ConsumerMetrics,
    ) -> None:
        self._executor = executor
        self._by_type: Mapping[str, Subscription[WorkT]] = {
            subscription.type: subscription for subscription in subscriptions
        }
        self._log = log
        self._metrics = metrics
        self._dead_letters = DeadLetters(executor.service, executor.database, executor.clock, metrics.parked, log)
        self._unreadable = UnreadableRecords(build_group_id(executor.service), metrics.unreadable, log)

    async def handle(self, raw: Sequence[KafkaRecord]) -> None:
        """Handles records of one key; returns when the consumer may commit their offsets.

        Raises nothing but cancellation.
        """
        rejected: list[RejectedRecord] = []
        records = [record for item in raw if (record := self._read(item, rejected)) is not None]
        if rejected:
            await self._store_unreadable(rejected)
        remaining = list({record.envelope.id: record for record in records}.values())  # a relay may repeat a record
        failures = 0
        while remaining:
            started = time.perf_counter()
            try:
                outcomes = await self._executor.execute_in_order([self._build_job(record) for record in remaining])
            except Exception as problem:  # noqa: BLE001  nothing was handled; the error is retried or parks the key
                done, error = (), problem
            else:
                done, error = outcomes.done, outcomes.error
            self._count_handled(remaining, done, time.perf_counter() - started)
            failures = 0 if done else failures
            remaining = remaining[len(done) :]
            if error is None:
                continue
            failures += await self._wait_after_error(error, failures)
            if failures == MAX_ATTEMPTS:
                await self._park(remaining[0], error)
                remaining, failures = remaining[1:], 0

    async def _wait_after_error(self, error: Exception, failures: int) -> int:
        """Waits before the next attempt; returns 1 for an error that counts, 0 for a transient one."""
        self._metrics.retried.labels(type(error).__name__).inc()
        if is_transient(error):
            await asyncio.sleep(0.5)
            return 0
        if failures + 1 < MAX_ATTEMPTS:
            await asyncio.sleep(min(0.05 * 2 ** (failures + 1), 1.0))
        return 1

    def _read(self, raw: KafkaRecord, rejected: list[RejectedRecord]) -> Record | None:
        """Returns the record if the service subscribes to its type; adds it to `rejected` if it cannot be read."""
        try:
            if read_event_type(raw) in self._by_type:
                return Record.from_kafka(raw)
            check_readable(raw)
        except UnreadableRecord as error:
            rejected.append(RejectedRecord(raw, error.cause))
        return None

    async def _store_unreadable(self, rejected: Sequence[RejectedRecord]) -> None:
        """Stores unreadable records, of which no key can be parked; waits as long as the database is not available."""
        executor = self._executor

        async def store() -> list[RejectedRecord]:
            async with executor.database.begin_transaction() as connection:
                return await self._unreadable.add(connection, rejected, at=executor.clock.now())

        self._unreadable.report(await _retry_while_transient(store))

    async def execute(self, record: Record, *, releasing: bool = False) -> Executed[None] | Skipped:
        """Handles one event, once. Raises what its handler raises, and ValidationError for an invalid payload."""
        job = self._build_job(record, releasing=releasing)
        started = time.perf_counter()
        with job.span() as span:
            outcome = await self._executor.execute(job.claim, job.handle, span=span)
        self._count_handled([record], [outcome], time.perf_counter() - started)
        return outcome

    def _build_job(self, record: Record, *, releasing: bool = False) -> Job[WorkT]:
        subscription = self._by_type[record.envelope.type]

        async def handle(work: WorkT) -> None:
            await subscription.handler(decode(subscription.event, record.payload), work)

        claim = EventClaim(
            record, self._executor.service, begins_stream=subscription.begins_stream, releasing=releasing
        )
        return Job(claim, handle, lambda: self._start_span(record, releasing=releasing))

    def _count_handled(
        self, records: Sequence[Record], outcomes: Sequence[Executed[None] | Skipped], seconds: float
    ) -> None:
        for record, outcome in zip(records, outcomes, strict=False):
            if isinstance(outcome, Executed):
                self._metrics.handled.labels(record.envelope.type).inc()
                self._metrics.took.observe(seconds / len(outcomes))

    def _start_span(self, record: Record, *, releasing: bool) -> AbstractContextManager[Span]:
        """Starts a child of the publishing span; for a released event, a child of the release linked to that span."""
        cause, name = record.envelope.traceparent, f"process {record.topic}"
        attributes = record.message.build_process_attributes(group=build_group_id(self._executor.service))
        if releasing:
            return start_linked_span(cause, name, SpanKind.CONSUMER, attributes, parent=get_current())
        return start_child_span(cause, name, SpanKind.CONSUMER, attributes)

    async def _park(self, record: Record, error: Exception) -> None:
        """Parks the key of `record`; waits as long as the database is not available."""
        because = f"{record.envelope.type} could not be handled: {type(error).__name__}"
        await _retry_while_transient(
            lambda: self._dead_letters.park(
                record.stream, council=record.envelope.council, because=because, record=record
            )
        )


async def _retry_while_transient(action: Callable[[], Awaitable[ResultT]]) -> ResultT:
    while True:
        try:
            return await action()
        except Exception as problem:
            if not is_transient(problem):
                raise
            await asyncio.sleep(0.5)
