"""Timer worker: sleeps until the earliest timer is due, then fires due timers, in order for each stream.

It reads due timers without locking them; each is claimed under its stream's lock, key first and timer second. The other
order would deadlock with an acceptance, which holds the key and cancels the timer.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, Generic, TypeVar

from opentelemetry.trace import SpanKind

from service_runtime.clock import SimulatedClock, get_horizon
from service_runtime.dead_letters.parked_keys import DeadLetters
from service_runtime.observability.logs import Logger
from service_runtime.observability.metrics import TimerMetrics
from service_runtime.observability.tracing import build_subject_attributes, start_linked_span
from service_runtime.postgres.database import is_transient
from service_runtime.subscriptions import TimerSubscription
from service_runtime.timers import timers
from service_runtime.timers.claim import TimerClaim
from service_runtime.timers.timers import DueTimer
from service_runtime.unit_of_work.executor import Executed, Executor, Skipped
from service_runtime.unit_of_work.streams import StreamKey
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.unit_of_work.wakeups import Wakeup

WorkT = TypeVar("WorkT", bound=PostgresUnitOfWork)

MAX_DUE_TIMERS: Final = 200
MAX_CONCURRENCY: Final = 4
MAX_SLEEP: Final = 0.5
"""Seconds; another process may have armed an earlier timer."""
MAX_ATTEMPTS: Final = 3


class TimerWorker(Generic[WorkT]):
    """Runs until it is cancelled; a timer that fails three times parks its key."""

    def __init__(
        self,
        performer: Executor[WorkT],
        subscriptions: Iterable[TimerSubscription[WorkT]],
        *,
        wakeup: Wakeup,
        log: Logger,
        metrics: TimerMetrics,
    ) -> None:
        self._performer = performer
        self._by_kind: Mapping[str, TimerSubscription[WorkT]] = {each.kind: each for each in subscriptions}
        self._wakeup = wakeup
        self._log = log
        self._metrics = metrics
        self._parking = DeadLetters(performer.service, performer.database, performer.clock, metrics.parked, log)
        self._failures: Counter[str] = Counter()
        self._stands_still = isinstance(performer.clock, SimulatedClock)
        # On a simulated clock one after the other, so that a story told twice is the same story.
        self._slots = asyncio.Semaphore(1 if self._stands_still else MAX_CONCURRENCY)

    async def run(self) -> None:
        while True:
            try:
                await self._wakeup.wait(await self._fire_due())
            except Exception as error:  # noqa: BLE001  an outage of the database ends, and timers are due all the same
                self._log.warning("timer worker interrupted", error=type(error).__name__)
                await asyncio.sleep(0.5)

    async def _fire_due(self) -> float:
        """Performs what is due; returns how many seconds to sleep."""
        horizon = get_horizon(self._performer.clock)
        async with self._performer.database.open_read_connection() as connection:
            found = await timers.find_due(connection, within=horizon, limit=MAX_DUE_TIMERS)
            following = None if found else await timers.find_next_due(connection)
        if found:
            by_stream: dict[StreamKey, list[DueTimer]] = {}
            for timer in found:
                by_stream.setdefault(timer.stream, []).append(timer)
            await asyncio.gather(*(self._fire_in_order(each) for each in by_stream.values()))
            return 0.05 if self._failures else 0
        if following is None or self._stands_still:
            return MAX_SLEEP  # whoever moves a simulated clock rings
        return max(0.0, min(MAX_SLEEP, (following - self._performer.clock.now()).total_seconds()))

    async def _fire_in_order(self, due: list[DueTimer]) -> None:
        async with self._slots:
            for timer in due:
                if not await self._fire(timer):
                    return

    async def _fire(self, timer: DueTimer) -> bool:
        """False when the timer failed: later ones of its stream wait for it."""
        try:
            outcome = await self._execute(timer)
        except Exception as error:  # noqa: BLE001  here errors are sorted, whatever they are
            await self._handle_failure(timer, error)
            return False
        self._failures.pop(str(timer.id), None)
        if isinstance(outcome, Executed):
            self._metrics.lag.observe(max(0.0, (self._performer.clock.now() - timer.due_at).total_seconds()))
        return True

    async def _execute(self, timer: DueTimer) -> Executed[None] | Skipped:
        subscription = self._by_kind[timer.kind]
        attributes = {"calloff.timer": timer.kind, **build_subject_attributes(timer.stream.topic, timer.stream.key)}
        with start_linked_span(timer.traceparent, f"timer {timer.kind}", SpanKind.INTERNAL, attributes) as span:

            async def handle(work: WorkT) -> None:
                await subscription.handler(timer, work)

            return await self._performer.execute(TimerClaim(timer, self._performer.service), handle, span=span)

    async def _handle_failure(self, timer: DueTimer, error: Exception) -> None:
        if is_transient(error):
            raise error
        self._failures[str(timer.id)] += 1
        if self._failures[str(timer.id)] < MAX_ATTEMPTS:
            return
        del self._failures[str(timer.id)]
        because = f"timer {timer.kind} could not be performed: {type(error).__name__}"
        await self._parking.park(timer.stream, council=timer.council, because=because)
