"""The one way that anything is done: a command, an event and a due timer all pass through `perform`.

1. Lock the stream, and read the clock after that. 2. Claim the occasion, so that it counts once. 3. Let the handler
load, decide, save and publish. 4. Commit everything together: state, journal, outbox, timers and claim.
Serialization failures and deadlocks run again; only after the commit does an answer leave.

What nobody waits for by name (events, results of webhooks) may share a transaction with its like; then all of it
counts or none of it, and what could not be done together is done one by one.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Final, Generic, Protocol, TypeVar

from opentelemetry.trace import Span

from service_runtime.clock import Clock
from service_runtime.observability.instruments import Measured
from service_runtime.observability.tracing import traceparent_of
from service_runtime.postgres.database import Connection, Database, lost_a_race
from service_runtime.unit_of_work.streams import Cause, Stream, StreamKey
from service_runtime.unit_of_work.unit_of_work import Occasion, PostgresWork, Written
from service_runtime.unit_of_work.wakeups import Wakes

WorkT = TypeVar("WorkT", bound=PostgresWork)
WorkT_co = TypeVar("WorkT_co", bound=PostgresWork, covariant=True)
ResultT = TypeVar("ResultT")
ResultT_contra = TypeVar("ResultT_contra", contravariant=True)

MOST_RUNS: Final = 20
"""How often a transaction that lost a race runs before its error is let out."""
PATIENCE_TOGETHER: Final = "100ms"
"""How long those who share a transaction wait for each lock: others wait for those that they hold already."""


class Claim(Protocol[ResultT_contra]):
    """An occasion to do something, claimed under the stream's lock so that it counts once."""

    @property
    def stream(self) -> StreamKey: ...
    @property
    def cause(self) -> Cause: ...

    @property
    def patience(self) -> str | None:
        """How long each lock is waited for ('2s'); None: as long as it takes."""
        ...

    async def lock(self, connection: Connection) -> Stream:
        """Locks the stream until the transaction ends."""
        ...

    async def take(self, connection: Connection, stream: Stream, work: PostgresWork) -> bool:
        """Claims the occasion. False: it was done before, cancelled, or its stream is parked; nothing is to be done."""
        ...

    async def finish(self, connection: Connection, result: ResultT_contra) -> None:
        """After the handler, in the same transaction: what has to be kept of the result."""
        ...


@dataclass(frozen=True)
class Done(Generic[ResultT]):
    """The handler ran and its transaction is committed."""

    result: ResultT


class NotOurs:
    """Nothing was done: somebody did it before, or it no longer is to be done."""


@dataclass(frozen=True)
class Job(Generic[WorkT]):
    """Something to be done once for its claim, which may be done together with others."""

    claim: Claim[None]
    handle: Callable[[WorkT], Awaitable[None]]
    span: Callable[[], AbstractContextManager[Span]]


class OpenWork(Protocol[WorkT_co]):
    """Makes a service's unit of work on a connection."""

    def __call__(self, connection: Connection, occasion: Occasion, /) -> WorkT_co: ...


def _unmeasured(_: Iterable[Measured]) -> None:
    """Where nobody counts."""


class Performer(Generic[WorkT]):
    """Runs handlers, each in one transaction, and wakes those whom a commit concerns."""

    def __init__(
        self,
        *,
        service: str,
        database: Database,
        clock: Clock,
        open_work: OpenWork[WorkT],
        wakes: Wakes,
        measured: Callable[[Iterable[Measured]], None] = _unmeasured,
    ) -> None:
        self.service = service
        self.database = database
        self.clock = clock
        self._open_work = open_work
        self._wakes = wakes
        self._measured = measured
        self.performed = 0
        """How much this process has undertaken so far: whether anything goes on shows in it."""

    async def perform(
        self, claim: Claim[ResultT], handle: Callable[[WorkT], Awaitable[ResultT]], *, span: Span
    ) -> Done[ResultT] | NotOurs:
        """Runs `handle` once for `claim`. What the handler raises rolls everything back and is raised."""
        self.performed += 1
        for run in range(1, MOST_RUNS + 1):
            try:
                return await self._once(claim, handle, span)
            except Exception as error:
                if not lost_a_race(error) or run == MOST_RUNS:
                    raise
            await asyncio.sleep(random.uniform(0, 0.005 * run))  # noqa: S311  spreading two runs needs no secrecy
        raise AssertionError

    async def perform_together(self, jobs: Sequence[Job[WorkT]]) -> list[Done[None] | NotOurs]:
        """Runs `jobs` once each in one transaction, those of one stream in their order; their outcomes in that of all.

        Whatever any of them raises undoes them all and is raised: perform each of them alone then.
        """
        self.performed += len(jobs)
        steps: dict[int, tuple[Done[None] | NotOurs, Written | None]] = {}
        async with self.database.transaction(lock_timeout=PATIENCE_TOGETHER) as connection:
            # Stream after stream, alike everywhere: two transactions must not each wait for a stream of the other's.
            for place, job in sorted(enumerate(jobs), key=lambda placed: placed[1].claim.stream):
                with job.span() as span:
                    steps[place] = await self._within(connection, job.claim, job.handle, span)
        self._tell([written for _, written in steps.values() if written is not None])
        return [steps[place][0] for place in range(len(jobs))]

    async def _once(
        self, claim: Claim[ResultT], handle: Callable[[WorkT], Awaitable[ResultT]], span: Span
    ) -> Done[ResultT] | NotOurs:
        async with self.database.transaction(lock_timeout=claim.patience) as connection:
            outcome, written = await self._within(connection, claim, handle, span)
        if written is not None:
            self._tell([written])
        return outcome

    async def _within(
        self,
        connection: Connection,
        claim: Claim[ResultT],
        handle: Callable[[WorkT], Awaitable[ResultT]],
        span: Span,
    ) -> tuple[Done[ResultT] | NotOurs, Written | None]:
        stream = await claim.lock(connection)
        now = self.clock.now()
        cause = _with_trace(claim.cause, span)
        work = self._open_work(connection, Occasion(self.service, stream, now, cause))
        if not await claim.take(connection, stream, work):
            return NotOurs(), None
        result = await handle(work)
        written = await work.flush()
        await claim.finish(connection, result)
        return Done(result), written

    def _tell(self, committed: Sequence[Written]) -> None:
        """Counts what was measured, and wakes those who have something to do now."""
        for written in committed:
            self._measured(written.measured)
        if any(written.events for written in committed):
            self._wakes.relay.ring()
        if any(written.first_timer is not None for written in committed):
            self._wakes.sleeper.ring()
        if any(written.queued_webhooks for written in committed):
            self._wakes.webhooks.ring()


def _with_trace(cause: Cause, span: Span) -> Cause:
    return replace(cause, traceparent=traceparent_of(span) or cause.traceparent)
