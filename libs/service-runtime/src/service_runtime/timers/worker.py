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
from service_runtime.dead_letters.parked_keys import ParkingPlace
from service_runtime.idempotency import TimerClaim
from service_runtime.observability.logs import Logger
from service_runtime.observability.metrics import TimerMetrics
from service_runtime.observability.tracing import about, later
from service_runtime.postgres.database import is_passing
from service_runtime.subscriptions import TimerSubscription
from service_runtime.timers import timers
from service_runtime.timers.timers import DueTimer
from service_runtime.unit_of_work.executor import Done, NotOurs, Performer
from service_runtime.unit_of_work.streams import StreamKey
from service_runtime.unit_of_work.unit_of_work import PostgresWork
from service_runtime.unit_of_work.wakeups import Wake

WorkT = TypeVar("WorkT", bound=PostgresWork)

AT_ONCE: Final = 200
SIDE_BY_SIDE: Final = 4
LONGEST_SLEEP: Final = 0.5
"""Seconds; another process may have armed an earlier timer."""
TRIES: Final = 3


class Sleeper(Generic[WorkT]):
    """Runs until it is cancelled; a timer that fails three times parks its key."""

    def __init__(
        self,
        performer: Performer[WorkT],
        subscriptions: Iterable[TimerSubscription[WorkT]],
        *,
        wake: Wake,
        log: Logger,
        metrics: TimerMetrics,
    ) -> None:
        self._performer = performer
        self._by_kind: Mapping[str, TimerSubscription[WorkT]] = {each.kind: each for each in subscriptions}
        self._wake = wake
        self._log = log
        self._metrics = metrics
        self._parking = ParkingPlace(performer.service, performer.database, performer.clock, metrics.parked, log)
        self._failures: Counter[str] = Counter()
        self._stands_still = isinstance(performer.clock, SimulatedClock)
        # On a simulated clock one after the other, so that a story told twice is the same story.
        self._slots = asyncio.Semaphore(1 if self._stands_still else SIDE_BY_SIDE)

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
        async with self._performer.database.reading() as connection:
            found = await timers.due(connection, within=horizon, limit=AT_ONCE)
            following = None if found else await timers.next_due(connection)
        if found:
            by_stream: dict[StreamKey, list[DueTimer]] = {}
            for timer in found:
                by_stream.setdefault(timer.stream, []).append(timer)
            await asyncio.gather(*(self._in_order(each) for each in by_stream.values()))
            return 0.05 if self._failures else 0
        if following is None or self._stands_still:
            return LONGEST_SLEEP  # whoever moves a simulated clock rings
        return max(0.0, min(LONGEST_SLEEP, (following - self._performer.clock.now()).total_seconds()))

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
        if isinstance(outcome, Done):
            self._metrics.lag.observe(max(0.0, (self._performer.clock.now() - timer.due_at).total_seconds()))
        return True

    async def _once(self, timer: DueTimer) -> Done[None] | NotOurs:
        subscription = self._by_kind[timer.kind]
        said = {"calloff.timer": timer.kind, **about(timer.stream.topic, timer.stream.key)}
        with later(timer.traceparent, f"timer {timer.kind}", SpanKind.INTERNAL, said) as span:

            async def handle(work: WorkT) -> None:
                await subscription.handler(timer, work)

            return await self._performer.perform(TimerClaim(timer, self._performer.service), handle, span=span)

    async def _failed(self, timer: DueTimer, error: Exception) -> None:
        if is_passing(error):
            raise error
        self._failures[str(timer.id)] += 1
        if self._failures[str(timer.id)] < TRIES:
            return
        del self._failures[str(timer.id)]
        because = f"timer {timer.kind} could not be performed: {type(error).__name__}"
        await self._parking.park(timer.stream, council=timer.council, because=because)
