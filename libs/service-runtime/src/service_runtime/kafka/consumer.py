"""Event consumer: a member of the service's consumer group, replaced by a new one when it fails.

It reads records, passes those of a key to the event handler in order, and commits the offsets of handled records.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Final, Generic, TypeVar

from service_runtime.kafka.client import Consumer, KafkaFailure, KafkaRecord, Partition, RebalanceListener
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.kafka.event_handler import EventHandler, build_group_id
from service_runtime.kafka.fetch_limits import BRIEFLY, Gathering
from service_runtime.kafka.keyed_queues import KeyedQueues
from service_runtime.kafka.offsets import Offsets
from service_runtime.kafka.progress import WATCH_EVERY, ArrivalWatch, Progress, compute_lag
from service_runtime.observability.logs import Logger
from service_runtime.observability.metrics import ConsumerMetrics
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork

WorkT = TypeVar("WorkT", bound=PostgresUnitOfWork)

MAX_UNFINISHED: Final = 500
"""Records that are read but not handled; with more of them, reading pauses."""
COMMIT_EVERY: Final = 0.5
"""Seconds between two commits of offsets."""
READ_TIMEOUT: Final = 2.0
"""Seconds that an idle consumer waits for records before it waits again."""
COMMIT_TIMEOUT: Final = 3.0
"""Seconds. aiokafka retries a commit while the broker is down; a rebalance and a shutdown must not wait for that."""


class _PartitionReleaser(RebalanceListener):
    """On a rebalance, handlers finish or are cancelled, finished records are committed and the rest is dropped."""

    def __init__(self, member: "GroupMember") -> None:
        self._member = member

    async def on_partitions_revoked(self, revoked: Iterable[Partition]) -> None:
        await self._member.release_partitions(set(revoked))

    async def on_partitions_assigned(self, assigned: Iterable[Partition]) -> None:
        """Does nothing: a new owner starts at the committed offset."""


class GroupMember:
    """One member of a consumer group, from joining to leaving the group."""

    def __init__(
        self,
        consumer: Consumer,
        handling: EventHandler[WorkT],
        metrics: ConsumerMetrics,
        progress: Progress | None = None,
    ) -> None:
        self._consumer = consumer
        self._handling = handling
        self._metrics = metrics
        self._progress = Progress("", metrics.rebuilds, metrics.stalled) if progress is None else progress
        self._start_queues()
        self._committed: dict[Partition, int] = {}
        self._begun: dict[Partition, int] = {}
        self._arrivals = ArrivalWatch(now=time.monotonic())

    def _start_queues(self) -> None:
        offsets = Offsets()
        self._offsets = offsets
        self._queues = KeyedQueues(
            self._handling.handle,
            key_of=lambda record: (record.topic, record.key),
            on_finished=lambda record: offsets.finish(_to_partition(record), record.offset),
        )

    async def run(self, topics: Iterable[str]) -> None:
        """Reads records and passes them to the event handler until it fails or is cancelled."""
        await self._consumer.start(topics, _PartitionReleaser(self))
        watching = asyncio.create_task(self._watch())
        try:
            await self._read(watching)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _read(self, watching: asyncio.Task[None]) -> None:
        committed_at = time.monotonic()
        while not watching.done():
            await self._queues.wait_until_below(MAX_UNFINISHED)
            seconds = COMMIT_EVERY if self._has_to_commit() else READ_TIMEOUT
            for record in await self._consumer.read(timeout_ms=int(seconds * 1000), max_records=MAX_UNFINISHED):
                self._offsets.begin(_to_partition(record), record.offset)
                self._queues.put(record)
                self._arrivals.note_arrival(time.monotonic())
            if time.monotonic() - committed_at >= COMMIT_EVERY:
                await self._commit()
                committed_at = time.monotonic()
        watching.result()

    async def _watch(self) -> None:
        """Raises ConsumerStalled if there are records to read, none is being handled, and none arrives."""
        while True:
            await asyncio.sleep(WATCH_EVERY)
            ends = await self._consumer.get_end_offsets()
            reached = await self.get_positions()
            self._progress.observe(reached, ends, now=time.monotonic())
            self._arrivals.check(
                compute_lag(reached, ends), is_busy=bool(self._queues.unfinished), now=time.monotonic()
            )

    def _has_to_commit(self) -> bool:
        return bool(self._queues.unfinished or self._find_uncommitted())

    def _find_uncommitted(self) -> dict[Partition, int]:
        offsets = self._offsets.to_commit()
        return {partition: offset for partition, offset in offsets.items() if self._committed.get(partition) != offset}

    async def _commit(self) -> None:
        uncommitted = self._find_uncommitted()
        if not uncommitted:
            return
        await self._consumer.commit(uncommitted)
        self._committed.update(uncommitted)

    async def get_positions(self) -> dict[Partition, int]:
        """Returns the next offset to handle of each assigned partition."""
        mine = self._consumer.get_assignment()
        for partition in mine - self._begun.keys():
            self._begun[partition] = await self._consumer.get_position(partition)
        finished = self._offsets.to_commit()
        return {partition: finished.get(partition, self._begun[partition]) for partition in mine & self._begun.keys()}

    def list_finished(self) -> dict[Partition, int]:
        """Returns the next offset to handle of each partition of which this member has read records."""
        return self._offsets.to_commit()

    async def get_lag(self) -> Mapping[str, int]:
        return self._consumer.compute_lag_behind(await self.get_positions())

    async def release_partitions(self, partitions: set[Partition]) -> None:
        """Finishes or cancels handlers, commits finished records and drops the state of `partitions`."""
        await self._queues.stop(within=2)
        try:
            async with asyncio.timeout(COMMIT_TIMEOUT):
                await self._commit()
        except (KafkaFailure, TimeoutError):
            # The new owner reads the uncommitted records again and skips them: they are in its inbox.
            self._metrics.retried.labels("CommitFailed").inc()
        self._offsets.remove(partitions)
        for partition in partitions:
            self._committed.pop(partition, None)
            self._begun.pop(partition, None)
        self._start_queues()

    async def leave(self, *, within: float) -> None:
        """Finishes or cancels handlers, commits finished records and leaves the group."""
        await self.release_partitions(self._consumer.get_assignment())
        await self._consumer.stop(within=within)


def _to_partition(record: KafkaRecord) -> Partition:
    return Partition(record.topic, record.partition)


class EventConsumer(Generic[WorkT]):
    """Runs one member of the service's group until it is cancelled; replaces a member that failed.

    `gathering`: see `Consumer`.
    """

    def __init__(
        self,
        *,
        service: str,
        kafka: KafkaConnection,
        handling: EventHandler[WorkT],
        topics: Iterable[str],
        log: Logger,
        metrics: ConsumerMetrics,
        gathering: Gathering | None = BRIEFLY,
    ) -> None:
        self._service = service
        self._gathering = gathering
        self._kafka = kafka
        self._handling = handling
        self.topics = tuple(topics)
        self._log = log
        self._metrics = metrics
        self.progress = Progress(self.group, metrics.rebuilds, metrics.stalled)
        self._member: GroupMember | None = None

    @property
    def group(self) -> str:
        return build_group_id(self._service)

    async def get_lag(self) -> Mapping[str, int]:
        """Returns the number of unhandled records by topic; empty while this process is in no group."""
        return {} if self._member is None else await self._member.get_lag()

    async def get_positions(self) -> dict[Partition, int]:
        """Returns the next offset to handle of each partition; empty while this process is in no group."""
        return {} if self._member is None else await self._member.get_positions()

    async def run(self) -> None:
        if not self.topics:
            return
        while True:
            # aiokafka binds a consumer to the running event loop, so it is built here.
            consumer = Consumer(self._kafka, group=self.group, client_id=self._service, gathering=self._gathering)
            self._member = member = GroupMember(consumer, self._handling, self._metrics, self.progress)
            try:
                await member.run(self.topics)
            except Exception as error:  # noqa: BLE001  a new member replaces the failed one after any error
                self._log.warning("consumer rebuilt", error=type(error).__name__)
                finished = member.list_finished()
                await asyncio.sleep(self.progress.count_failure(error, finished, now=time.monotonic()))
            finally:
                self._member = None
                await member.leave(within=3)
