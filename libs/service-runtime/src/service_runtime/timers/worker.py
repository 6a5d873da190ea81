"""The sleeper: asleep until the earliest timer is due, then performs what is due, in order for each stream.

It reads due timers without locking them; each is claimed under its stream's lock, key first and timer second. The other
order would deadlock with an acceptance, which holds the key and cancels the timer.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, Generic, TypeVar

from opentelemetry.trace import SpanKind

from service_runtime.clock import SimulatedClock, horizon_of
from service_runtime.dead_letters.parked_keys import DeadLetters
from service_runtime.idempotency import TimerClaim
from service_runtime.observability.logs import Logger
from service_runtime.observability.metrics import TimerMetrics
from service_runtime.observability.tracing import linked_span, subject_attributes
from service_runtime.postgres.database import is_transient
from service_runtime.subscriptions import TimerSubscription
from service_runtime.timers import timers
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
        wake: Wakeup,
        log: Logger,
        metrics: TimerMetrics,
    ) -> None:
        self._performer = performer
        self._by_kind: Mapping[str, TimerSubscription[WorkT]] = {each.kind: each for each in subscriptions}
        self._wake = wake
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
                await self._wake.wait(await self._round())
            except Exception as error:  # noqa: BLE001  an outage of the database ends, and timers are due all the same
                self._log.warning("sleeper interrupted", error=type(error).__name__)
                await asyncio.sleep(0.5)

    async def _round(self) -> float:
        """Performs what is due; returns how many seconds to sleep."""
        horizon = horizon_of(self._performer.clock)
        async with self._performer.database.read_connection() as connection:
            found = await timers.find_due(connection, within=horizon, limit=MAX_DUE_TIMERS)
            following = None if found else await timers.find_next_due(connection)
        if found:
            by_stream: dict[StreamKey, list[DueTimer]] = {}
            for timer in found:
                by_stream.setdefault(timer.stream, []).append(timer)
            await asyncio.gather(*(self._in_order(each) for each in by_stream.values()))
            return 0.05 if self._failures else 0
        if following is None or self._stands_still:
            return MAX_SLEEP  # whoever moves a simulated clock rings
        return max(0.0, min(MAX_SLEEP, (following - self._performer.clock.now()).total_seconds()))

    async def _in_order(self, due: list[DueTimer]) -> None:
        async with self._slots:
            for timer in due:
                if not await self._perform(timer):
                    return

    async def _perform(self, timer: DueTimer) -> bool:
        """False when the timer failed: later ones of its stream wait for it."""
        try:
            outcome = await self._once(timer)
        except Exception as error:  # noqa: BLE001  here errors are sorted, whatever they are
            await self._failed(timer, error)
            return False
        self._failures.pop(str(timer.id), None)
        if isinstance(outcome, Executed):
            self._metrics.lag.observe(max(0.0, (self._performer.clock.now() - timer.due_at).total_seconds()))
        return True

    async def _once(self, timer: DueTimer) -> Executed[None] | Skipped:
        subscription = self._by_kind[timer.kind]
        said = {"calloff.timer": timer.kind, **subject_attributes(timer.stream.topic, timer.stream.key)}
        with linked_span(timer.traceparent, f"timer {timer.kind}", SpanKind.INTERNAL, said) as span:

            async def handle(work: WorkT) -> None:
                await subscription.handler(timer, work)

            return await self._performer.execute(TimerClaim(timer, self._performer.service), handle, span=span)

    async def _failed(self, timer: DueTimer, error: Exception) -> None:
        if is_transient(error):
            raise error
        self._failures[str(timer.id)] += 1
        if self._failures[str(timer.id)] < MAX_ATTEMPTS:
            return
        del self._failures[str(timer.id)]
        because = f"timer {timer.kind} could not be performed: {type(error).__name__}"
        await self._parking.park(timer.stream, council=timer.council, because=because)
