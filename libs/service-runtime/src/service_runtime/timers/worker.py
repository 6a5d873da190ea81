"""Timer worker: sleeps until the earliest timer is due, then fires due timers, in order for each stream.

It reads due timers without locking them; the statement that applies what a timer's handler decided deletes its row.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final, Generic, TypeVar

from opentelemetry.trace import SpanKind

from contracts.telemetry import build_subject_attributes
from service_runtime.dead_letters.parked_keys import DeadLetters
from service_runtime.due_policy import NOTHING_DUE, DuePolicy, RealTimePolicy
from service_runtime.observability.logs import Logger
from service_runtime.observability.metrics import TimerMetrics
from service_runtime.observability.tracing import start_linked_span
from service_runtime.postgres.errors import is_transient
from service_runtime.subscriptions import TimerSubscription
from service_runtime.timers import timers
from service_runtime.timers.claim import TimerClaim
from service_runtime.timers.timers import DueTimer
from service_runtime.unit_of_work.claims import Executed, Skipped
from service_runtime.unit_of_work.executor import Executor
from service_runtime.unit_of_work.streams import StreamKey
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.unit_of_work.wakeups import TimerWakeup

WorkT = TypeVar("WorkT", bound=PostgresUnitOfWork)

MAX_DUE_TIMERS: Final = 200
"""Timers of one reading; timers of different streams fire concurrently."""
MAX_SLEEP: Final = 1.0
"""Seconds; another process may have armed an earlier timer."""
MAX_ATTEMPTS: Final = 3
_LONGEST_WAIT: Final = 3_600
"""Seconds that the worker of a service without timers waits."""


class TimerWorker(Generic[WorkT]):
    """Fires due timers until it is cancelled; a timer that fails MAX_ATTEMPTS times parks its key."""

    def __init__(
        self,
        executor: Executor[WorkT],
        subscriptions: Iterable[TimerSubscription[WorkT]],
        *,
        wakeup: TimerWakeup,
        log: Logger,
        metrics: TimerMetrics,
        due_policy: DuePolicy | None = None,
    ) -> None:
        self._executor = executor
        self._by_kind: Mapping[str, TimerSubscription[WorkT]] = {item.kind: item for item in subscriptions}
        self._wakeup = wakeup
        self._log = log
        self._metrics = metrics
        self._dead_letters = DeadLetters(executor.service, executor.database, executor.clock, metrics.parked, log)
        self._failures: Counter[str] = Counter()
        self._due_policy = due_policy or RealTimePolicy(executor.clock)
        self._slots = asyncio.Semaphore(1 if self._due_policy.is_stepped else MAX_DUE_TIMERS)

    async def run(self) -> None:
        while True:
            if not self._by_kind:
                await self._wakeup.wait(_LONGEST_WAIT)
                continue
            try:
                seconds = await self._fire_due()
                self._wakeup.wakes_at = self._executor.clock.now() + timedelta(seconds=seconds)
                await self._wakeup.wait(seconds)
            except Exception as error:  # noqa: BLE001  timers stay due during an outage of the database
                self._log.warning("timer worker interrupted", error=type(error).__name__)
                await asyncio.sleep(0.5)
            finally:
                self._wakeup.wakes_at = None

    async def _fire_due(self) -> float:
        """Fires the due timers; returns the number of seconds to sleep."""
        due_limit = self._due_policy.get_due_limit()
        async with self._executor.database.open_read_connection() as connection:
            found = await timers.find_due(connection, due_limit=due_limit, max_timers=MAX_DUE_TIMERS)
            following = None if found else await timers.find_next_due(connection)
        if found:
            by_stream: dict[StreamKey, list[DueTimer]] = {}
            for timer in found:
                by_stream.setdefault(timer.stream, []).append(timer)
            await asyncio.gather(*(self._fire_in_order(due) for due in by_stream.values()))
            return 0.05 if self._failures else 0
        if following is None or self._due_policy.is_stepped or due_limit is NOTHING_DUE:
            return MAX_SLEEP
        return max(0.0, min(MAX_SLEEP, (following - self._executor.clock.now()).total_seconds()))

    async def _fire_in_order(self, due: list[DueTimer]) -> None:
        async with self._slots:
            for timer in due:
                if not await self.fire(timer):
                    return

    async def fire(self, timer: DueTimer) -> bool:
        """Fires a timer; returns False if it failed, because later timers of its stream must wait for it."""
        try:
            outcome = await self._execute(timer)
        except Exception as error:  # noqa: BLE001  `_handle_failure` sorts errors
            await self._handle_failure(timer, error)
            return False
        self._failures.pop(str(timer.id), None)
        if isinstance(outcome, Executed):
            self._metrics.lag.observe(max(0.0, (self._executor.clock.now() - timer.due_at).total_seconds()))
        return True

    async def _execute(self, timer: DueTimer) -> Executed[None] | Skipped:
        subscription = self._by_kind[timer.kind]
        attributes = {"calloff.timer": timer.kind, **build_subject_attributes(timer.stream.topic, timer.stream.key)}
        with start_linked_span(timer.traceparent, f"timer {timer.kind}", SpanKind.INTERNAL, attributes) as span:

            async def handle(work: WorkT) -> None:
                await subscription.handler(timer, work)

            return await self._executor.execute(TimerClaim(timer, self._executor.service), handle, span=span)

    async def _handle_failure(self, timer: DueTimer, error: Exception) -> None:
        if is_transient(error):
            raise error
        self._failures[str(timer.id)] += 1
        if self._failures[str(timer.id)] < MAX_ATTEMPTS:
            return
        del self._failures[str(timer.id)]
        because = f"timer {timer.kind} could not be fired: {type(error).__name__}"
        await self._dead_letters.park(timer.stream, council=timer.council, because=because)
