"""Event consumer: executes the handler of each event, retries transient errors and parks keys of poison events.

Waiting events are handled in one batch; if the batch fails, each event is handled singly. Transient errors (connection,
deadlock, time-out) are retried without limit and hold the consumer. Any other error is retried twice; then the event's
key is parked, so that a poison event blocks its own key only.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Final, Generic, TypeVar

from opentelemetry.context import get_current
from opentelemetry.trace import Span, SpanKind
from pydantic import ValidationError

from contracts.catalogue import decode
from service_runtime.dead_letters.parked_keys import DeadLetters
from service_runtime.inbox import EventClaim
from service_runtime.kafka.client import Consumer, KafkaFailure, KafkaRecord, Partition, RebalanceListener
from service_runtime.kafka.keyed_batches import KeyedBatcher
from service_runtime.kafka.offsets import Offsets
from service_runtime.kafka.records import Record
from service_runtime.observability.logs import Logger
from service_runtime.observability.metrics import ConsumerMetrics
from service_runtime.observability.tracing import start_child_span, start_linked_span
from service_runtime.outbox.journal import encode_headers
from service_runtime.postgres.database import is_transient
from service_runtime.subscriptions import Subscription
from service_runtime.unit_of_work.executor import Executed, Executor, Job, Skipped
from service_runtime.unit_of_work.streams import StreamKey
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork

WorkT = TypeVar("WorkT", bound=PostgresUnitOfWork)

MAX_ATTEMPTS: Final = 3
MAX_UNFINISHED: Final = 500
COMMIT_EVERY: Final = 0.5
COMMIT_TIMEOUT: Final = 3.0
"""Seconds: aiokafka tries to commit while the broker is away, and neither a rebalance nor the end may wait for that."""
WATCH_EVERY: Final = 5.0
STALLED_AFTER: Final = 20.0


def build_group_id(service: str) -> str:
    """The consumer group of a service's events."""
    return f"calloff.{service}"


class EventHandler(Generic[WorkT]):
    """What happens to one record: skipped, handled once, stored behind its parked key, or parked itself."""

    def __init__(
        self,
        performer: Executor[WorkT],
        subscriptions: Iterable[Subscription[WorkT]],
        *,
        log: Logger,
        metrics: ConsumerMetrics,
    ) -> None:
        self._performer = performer
        self._by_type: Mapping[str, Subscription[WorkT]] = {each.type: each for each in subscriptions}
        self._log = log
        self._metrics = metrics
        self._parking = DeadLetters(performer.service, performer.database, performer.clock, metrics.parked, log)

    async def handle(self, raw: Sequence[KafkaRecord]) -> None:
        """Returns when the records need no further attention of the consumer's; never raises but when cancelled."""
        records = [record for each in raw if (record := self._read(each)) is not None]
        if len(records) > 1 and await self._handle_batch(records):
            return
        for record in records:
            await self._handle_singly(record)

    async def _handle_batch(self, records: Sequence[Record]) -> bool:
        """All in one transaction; False when nothing was done, since one of them or the moment did not allow it."""
        started = time.perf_counter()
        try:
            outcomes = await self._performer.execute_batch([self._build_job(record) for record in records])
        except Exception as error:  # noqa: BLE001  alone each will show what it has to say
            self._metrics.batch_fallbacks.labels(type(error).__name__).inc()
            return False
        each_took = (time.perf_counter() - started) / len(records)
        for record, outcome in zip(records, outcomes, strict=True):
            self._count_handled(record, outcome, each_took)
        return True

    async def _handle_singly(self, record: Record) -> None:
        failures = 0
        while True:
            try:
                await self.execute(record)
            except Exception as error:  # noqa: BLE001  here errors are sorted, whatever they are
                self._metrics.retried.labels(type(error).__name__).inc()
                failures += 0 if is_transient(error) else 1
                if failures == MAX_ATTEMPTS:
                    await self._retry_or_park(record, error)
                    return
                await asyncio.sleep(min(0.05 * 2**failures, 1.0) if failures else 0.5)
            else:
                return

    def _read(self, raw: KafkaRecord) -> Record | None:
        """The record, where this service has a handler for its type; types it does not know are not its business."""
        headers = list(raw.headers)
        event_type = dict(headers).get("ce_type", b"").decode(errors="replace")
        if event_type not in self._by_type:
            return None
        try:
            stream = StreamKey(raw.topic, (raw.key or b"").decode())
            record = Record.from_stored(stream, encode_headers(headers), raw.value or b"")
            return replace(record, partition=raw.partition, offset=raw.offset)
        except (ValidationError, UnicodeDecodeError) as error:
            # Without an envelope there is no stream to park it in; it stays in the topic for whoever looks.
            self._log.error(
                "unreadable envelope skipped", topic=raw.topic, offset=raw.offset, error=type(error).__name__
            )
            return None

    async def execute(self, record: Record, *, releasing: bool = False) -> Executed[None] | Skipped:
        """Hands one event to its handler, once. Raises what the handler raises, and ValidationError for its payload."""
        job = self._build_job(record, releasing=releasing)
        started = time.perf_counter()
        with job.span() as span:
            outcome = await self._performer.execute(job.claim, job.handle, span=span)
        self._count_handled(record, outcome, time.perf_counter() - started)
        return outcome

    def _build_job(self, record: Record, *, releasing: bool = False) -> Job[WorkT]:
        subscription = self._by_type[record.envelope.type]

        async def handle(work: WorkT) -> None:
            await subscription.handler(decode(subscription.event, record.payload), work)

        claim = EventClaim(record, self._performer.service, self._performer.clock, releasing)
        return Job(claim, handle, lambda: self._start_span(record, releasing=releasing))

    def _count_handled(self, record: Record, outcome: Executed[None] | Skipped, seconds: float) -> None:
        if isinstance(outcome, Executed):
            self._metrics.handled.labels(record.envelope.type).inc()
            self._metrics.took.observe(seconds)

    def _start_span(self, record: Record, *, releasing: bool) -> AbstractContextManager[Span]:
        """An event follows from what published it; one that was parked has waited, and an operator lets it go."""
        cause, name = record.envelope.traceparent, f"process {record.topic}"
        attributes = record.message.build_process_attributes(group=build_group_id(self._performer.service))
        if releasing:
            return start_linked_span(cause, name, SpanKind.CONSUMER, attributes, parent=get_current())
        return start_child_span(cause, name, SpanKind.CONSUMER, attributes)

    async def _retry_or_park(self, record: Record, error: Exception) -> None:
        """Parks `record`; while the database is away, so is the consumer."""
        because = f"{record.envelope.type} could not be handled: {type(error).__name__}"
        while True:
            try:
                await self._parking.park(record.stream, council=record.envelope.council, because=because, record=record)
            except Exception as problem:
                if not is_transient(problem):
                    raise
                await asyncio.sleep(0.5)
            else:
                return


class _Rebalanced(RebalanceListener):
    """On a rebalance: handlers finish or are cancelled, what is finished is committed, the rest is forgotten."""

    def __init__(self, member: "GroupMember") -> None:
        self._member = member

    async def on_partitions_revoked(self, revoked: Iterable[Partition]) -> None:
        await self._member.release_partitions(set(revoked))

    async def on_partitions_assigned(self, assigned: Iterable[Partition]) -> None:
        """A new owner starts at the committed offset; nothing to prepare."""


class GroupMember:
    """One member of a consumer group, from joining to leaving."""

    def __init__(self, consumer: Consumer, handling: EventHandler[WorkT], metrics: ConsumerMetrics) -> None:
        self._consumer = consumer
        self._handling = handling
        self._metrics = metrics
        self._begin()
        self._committed: dict[Partition, int] = {}
        self._begun: dict[Partition, int] = {}
        self._progress = time.monotonic()

    def _begin(self) -> None:
        offsets = Offsets()
        self._offsets = offsets
        self._batcher = KeyedBatcher(
            self._handling.handle,
            key_of=lambda record: (record.topic, record.key),
            on_finished=lambda record: offsets.finish(_to_partition(record), record.offset),
        )

    async def run(self, topics: Iterable[str]) -> None:
        """Reads and hands on until something breaks or it is cancelled."""
        await self._consumer.start(topics, _Rebalanced(self))
        watching = asyncio.create_task(self._watch())
        try:
            await self._read(watching)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _read(self, watching: asyncio.Task[None]) -> None:
        committed_at = time.monotonic()
        while not watching.done():
            await self._batcher.wait_until_below(MAX_UNFINISHED)
            for record in await self._consumer.read(timeout_ms=int(COMMIT_EVERY * 1000), max_records=MAX_UNFINISHED):
                self._offsets.begin(_to_partition(record), record.offset)
                self._batcher.put(record)
                self._progress = time.monotonic()
            if time.monotonic() - committed_at >= COMMIT_EVERY:
                await self._commit()
                committed_at = time.monotonic()
        watching.result()

    async def _watch(self) -> None:
        """Ends with an error when there is something to read, nothing in hand, and still nothing comes."""
        while True:
            await asyncio.sleep(WATCH_EVERY)
            lag = await self._consumer.compute_lag()
            if lag == 0 or self._batcher.unfinished:
                self._progress = time.monotonic()
            if time.monotonic() - self._progress > STALLED_AFTER:
                message = f"{lag} records to read, and none has come for {STALLED_AFTER:.0f} s"
                raise TimeoutError(message)

    async def _commit(self) -> None:
        offsets = self._offsets.to_commit()
        moved = {partition: offset for partition, offset in offsets.items() if self._committed.get(partition) != offset}
        if not moved:
            return
        await self._consumer.commit(moved)
        self._committed.update(moved)

    async def get_positions(self) -> dict[Partition, int]:
        """Up to where each partition of this member's is handled."""
        mine = self._consumer.get_assignment()
        for partition in mine - self._begun.keys():
            self._begun[partition] = await self._consumer.get_position(partition)
        finished = self._offsets.to_commit()
        return {each: finished.get(each, self._begun[each]) for each in mine & self._begun.keys()}

    async def get_lag(self) -> Mapping[str, int]:
        return self._consumer.compute_lag_behind(await self.get_positions())

    async def release_partitions(self, partitions: set[Partition]) -> None:
        await self._batcher.stop(within=2)
        try:
            async with asyncio.timeout(COMMIT_TIMEOUT):
                await self._commit()
        except (KafkaFailure, TimeoutError):
            # Whoever owns the partitions now starts a little earlier and finds it in the inbox.
            self._metrics.retried.labels("CommitFailed").inc()
        self._offsets.remove(partitions)
        for partition in partitions:
            self._committed.pop(partition, None)
            self._begun.pop(partition, None)
        self._begin()

    async def leave(self, *, within: float) -> None:
        """Finishes what is in hand, commits, and leaves the group."""
        await self.release_partitions(self._consumer.get_assignment())
        await self._consumer.stop(within=within)


def _to_partition(record: KafkaRecord) -> Partition:
    return Partition(record.topic, record.partition)


class EventConsumer(Generic[WorkT]):
    """Keeps one member of the service's group alive until it is cancelled."""

    def __init__(
        self,
        *,
        service: str,
        bootstrap: str,
        handling: EventHandler[WorkT],
        topics: Iterable[str],
        log: Logger,
        metrics: ConsumerMetrics,
    ) -> None:
        self._service = service
        self._bootstrap = bootstrap
        self._handling = handling
        self.topics = tuple(topics)
        self._log = log
        self._metrics = metrics
        self._member: GroupMember | None = None

    @property
    def group(self) -> str:
        return build_group_id(self._service)

    async def get_lag(self) -> Mapping[str, int]:
        """By topic, how many records are not handled yet; none while this process is in no group."""
        return {} if self._member is None else await self._member.get_lag()

    async def get_positions(self) -> dict[Partition, int]:
        """Up to where each partition is handled; none while this process is in no group."""
        return {} if self._member is None else await self._member.get_positions()

    async def run(self) -> None:
        if not self.topics:
            return
        while True:
            # aiokafka's objects are made right before they are started: they belong to the running loop.
            consumer = Consumer(self._bootstrap, group=self.group, client_id=self._service)
            self._member = member = GroupMember(consumer, self._handling, self._metrics)
            try:
                await member.run(self.topics)
            except Exception as error:  # noqa: BLE001  whatever broke the member, a new one takes over
                self._log.warning("consumer rebuilt", error=type(error).__name__)
                await asyncio.sleep(0.5)
            finally:
                self._member = None
                await member.leave(within=3)
