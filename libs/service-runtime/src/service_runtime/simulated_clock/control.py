"""Control of a simulated clock: reports whether a service is idle, and sets its time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Generic, TypeVar

from sqlalchemy import text
from starlette.types import ASGIApp

from contracts.catalogue import PARTITIONS
from contracts.precedence import LAST_PRECEDENCE
from service_runtime.kafka.batch_consumer import BatchConsumer
from service_runtime.kafka.client import Partition
from service_runtime.kafka.consumer import EventConsumer
from service_runtime.kafka.end_offsets import EndOffsetReader
from service_runtime.simulated_clock.clock import SimulatedClock
from service_runtime.simulated_clock.messages import Activity, ClockSetting
from service_runtime.simulated_clock.pending_work import PendingWorkReader
from service_runtime.simulated_clock.routes import SimulationRoutes
from service_runtime.unit_of_work.executor import Executor
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.unit_of_work.wakeups import Wakeups
from service_runtime.webhooks.engine import WebhookEngine

WorkT = TypeVar("WorkT", bound=PostgresUnitOfWork)

_LAST_RECORDED: Final = text("SELECT occurred_at FROM journal ORDER BY position DESC LIMIT 1")


class SimulatedClockControl(Generic[WorkT]):
    """One service as a participant of a simulation."""

    def __init__(
        self,
        clock: SimulatedClock,
        *,
        key: str,
        executor: Executor[WorkT],
        consumers: Sequence[EventConsumer[WorkT] | BatchConsumer],
        webhooks: WebhookEngine[WorkT] | None,
        wakeups: Wakeups,
        bootstrap: str,
    ) -> None:
        self._clock = clock
        self._key = key
        self._executor = executor
        self._consumers = tuple(consumers)
        self._webhooks = webhooks
        self._wakeups = wakeups
        self._bootstrap = bootstrap
        self._pending_work = PendingWorkReader(executor.database)
        self._end_offsets: EndOffsetReader | None = None
        self._routes: SimulationRoutes | None = None

    async def resume(self) -> None:
        """Sets the clock of a restarted service to its newest event; the driver corrects it with its next look."""
        async with self._executor.database.begin_transaction() as connection:
            last: datetime | None = (await connection.execute(_LAST_RECORDED)).scalar_one_or_none()
        if last is not None and last > self._clock.now():
            self._clock.set_to(last)

    async def run(self) -> None:
        """Keeps the connections that `report_activity` needs, until it is cancelled."""
        try:
            await self._pending_work.run()
        finally:
            if self._end_offsets is not None:
                await self._end_offsets.stop()

    def wrap_app(self, app: ASGIApp) -> ASGIApp:
        """Returns the application with the simulation's routes in front of its own, which are counted."""
        self._routes = SimulationRoutes(
            app, key=self._key, report_activity=self.report_activity, set_clock=self.set_clock
        )
        return self._routes

    async def set_clock(self, setting: ClockSetting) -> Activity:
        """Sets the time and notifies the workers. Raises ValueError for an instant in the past."""
        limit = LAST_PRECEDENCE if setting.max_precedence is None else setting.max_precedence
        self._clock.set_to(setting.now, max_precedence=limit)
        self._wakeups.timers.notify()
        self._wakeups.webhooks.notify()
        return await self.report_activity()

    async def report_activity(self) -> Activity:
        """Reports what is in progress, what may start, and how much has been handled so far."""
        behind, records = await self._count_unhandled()
        limit = self._clock.get_due_limit()
        pending = await self._pending_work.read(limit)
        # Read last: what a worker claimed after the database was read is either unsettled now or already counted.
        running, attempts = (self._webhooks.unsettled, self._webhooks.attempts) if self._webhooks else (0, 0)
        requests, answered = (self._routes.running, self._routes.answered) if self._routes else (0, 0)
        handled = self._executor.executed_count + answered + attempts
        return Activity(
            now=limit.instant,
            max_precedence=limit.max_precedence,
            counter=handled + records + pending.published - pending.unsent,
            requests=requests,
            outbox=pending.outbox,
            webhooks=pending.webhooks + running,
            timers=pending.timers,
            behind=behind,
            next_due_at=pending.next_due_at,
            due_precedences=pending.due_precedences,
        )

    async def _count_unhandled(self) -> tuple[int | None, int]:
        """Returns how many records are not handled yet (None while partitions are not assigned), and how many are."""
        expected = PARTITIONS * sum(len(consumer.topics) for consumer in self._consumers)
        if not expected:
            return 0, 0
        positions = [await consumer.get_positions() for consumer in self._consumers]
        handled = sum(position for by_partition in positions for position in by_partition.values())
        if sum(len(by_partition) for by_partition in positions) < expected:
            return None, handled
        ends = await self._get_end_offsets({partition for by_partition in positions for partition in by_partition})
        behind = [ends[partition] - at for by_partition in positions for partition, at in by_partition.items()]
        return sum(behind), handled

    async def _get_end_offsets(self, partitions: set[Partition]) -> dict[Partition, int]:
        if self._end_offsets is None:
            reader = EndOffsetReader(self._bootstrap, client_id=f"{self._executor.service}-simulation")
            await reader.start()
            self._end_offsets = reader
        return await self._end_offsets.get_end_offsets(partitions)
