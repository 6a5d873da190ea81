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
from service_runtime.observability.instruments import Observation
from service_runtime.observability.tracing import traceparent_of
from service_runtime.postgres.database import Connection, Database, is_serialization_failure
from service_runtime.unit_of_work.streams import Cause, Stream, StreamKey
from service_runtime.unit_of_work.unit_of_work import FlushResult, PostgresUnitOfWork, WorkContext
from service_runtime.unit_of_work.wakeups import Wakeups

WorkT = TypeVar("WorkT", bound=PostgresUnitOfWork)
WorkT_co = TypeVar("WorkT_co", bound=PostgresUnitOfWork, covariant=True)
ResultT = TypeVar("ResultT")
ResultT_contra = TypeVar("ResultT_contra", contravariant=True)

MAX_ATTEMPTS: Final = 20
"""How often a transaction that lost a race runs before its error is let out."""
BATCH_LOCK_TIMEOUT: Final = "100ms"
"""How long those who share a transaction wait for each lock: others wait for those that they hold already."""


class Claim(Protocol[ResultT_contra]):
    """An occasion to do something, claimed under the stream's lock so that it counts once."""

    @property
    def stream(self) -> StreamKey: ...
    @property
    def cause(self) -> Cause: ...

    @property
    def lock_timeout(self) -> str | None:
        """How long each lock is waited for ('2s'); None: as long as it takes."""
        ...

    async def lock(self, connection: Connection) -> Stream:
        """Locks the stream until the transaction ends."""
        ...

    async def acquire(self, connection: Connection, stream: Stream, work: PostgresUnitOfWork) -> bool:
        """Claims the occasion. False: it was done before, cancelled, or its stream is parked; nothing is to be done."""
        ...

    async def finish(self, connection: Connection, result: ResultT_contra) -> None:
        """After the handler, in the same transaction: what has to be kept of the result."""
        ...


@dataclass(frozen=True)
class Executed(Generic[ResultT]):
    """The handler ran and its transaction is committed."""

    result: ResultT


class Skipped:
    """Nothing was done: somebody did it before, or it no longer is to be done."""


@dataclass(frozen=True)
class Job(Generic[WorkT]):
    """Something to be done once for its claim, which may be done together with others."""

    claim: Claim[None]
    handle: Callable[[WorkT], Awaitable[None]]
    span: Callable[[], AbstractContextManager[Span]]


class UnitOfWorkFactory(Protocol[WorkT_co]):
    """Makes a service's unit of work on a connection."""

    def __call__(self, connection: Connection, occasion: WorkContext, /) -> WorkT_co: ...


def _unmeasured(_: Iterable[Observation]) -> None:
    """Where nobody counts."""


class Executor(Generic[WorkT]):
    """Runs handlers, each in one transaction, and wakes those whom a commit concerns."""

    def __init__(
        self,
        *,
        service: str,
        database: Database,
        clock: Clock,
        unit_of_work: UnitOfWorkFactory[WorkT],
        wakeups: Wakeups,
        observe: Callable[[Iterable[Observation]], None] = _unmeasured,
    ) -> None:
        self.service = service
        self.database = database
        self.clock = clock
        self._open_work = unit_of_work
        self._wakes = wakeups
        self._measured = observe
        self.executed_count = 0
        """How much this process has undertaken so far: whether anything goes on shows in it."""

    async def execute(
        self, claim: Claim[ResultT], handle: Callable[[WorkT], Awaitable[ResultT]], *, span: Span
    ) -> Executed[ResultT] | Skipped:
        """Runs `handle` once for `claim`. What the handler raises rolls everything back and is raised."""
        self.executed_count += 1
        for run in range(1, MAX_ATTEMPTS + 1):
            try:
                return await self._execute_once(claim, handle, span)
            except Exception as error:
                if not is_serialization_failure(error) or run == MAX_ATTEMPTS:
                    raise
            await asyncio.sleep(random.uniform(0, 0.005 * run))  # noqa: S311  spreading two runs needs no secrecy
        raise AssertionError

    async def execute_batch(self, jobs: Sequence[Job[WorkT]]) -> list[Executed[None] | Skipped]:
        """Runs `jobs` once each in one transaction, those of one stream in their order; their outcomes in that of all.

        Whatever any of them raises undoes them all and is raised: perform each of them alone then.
        """
        self.executed_count += len(jobs)
        steps: dict[int, tuple[Executed[None] | Skipped, FlushResult | None]] = {}
        async with self.database.transaction(lock_timeout=BATCH_LOCK_TIMEOUT) as connection:
            # Stream after stream, alike everywhere: two transactions must not each wait for a stream of the other's.
            for place, job in sorted(enumerate(jobs), key=lambda placed: placed[1].claim.stream):
                with job.span() as span:
                    steps[place] = await self._execute_in_transaction(connection, job.claim, job.handle, span)
        self._notify_workers([written for _, written in steps.values() if written is not None])
        return [steps[place][0] for place in range(len(jobs))]

    async def _execute_once(
        self, claim: Claim[ResultT], handle: Callable[[WorkT], Awaitable[ResultT]], span: Span
    ) -> Executed[ResultT] | Skipped:
        async with self.database.transaction(lock_timeout=claim.lock_timeout) as connection:
            outcome, written = await self._execute_in_transaction(connection, claim, handle, span)
        if written is not None:
            self._notify_workers([written])
        return outcome

    async def _execute_in_transaction(
        self,
        connection: Connection,
        claim: Claim[ResultT],
        handle: Callable[[WorkT], Awaitable[ResultT]],
        span: Span,
    ) -> tuple[Executed[ResultT] | Skipped, FlushResult | None]:
        stream = await claim.lock(connection)
        now = self.clock.now()
        cause = _with_trace(claim.cause, span)
        work = self._open_work(connection, WorkContext(self.service, stream, now, cause))
        if not await claim.acquire(connection, stream, work):
            return Skipped(), None
        result = await handle(work)
        written = await work.flush()
        await claim.finish(connection, result)
        return Executed(result), written

    def _notify_workers(self, committed: Sequence[FlushResult]) -> None:
        """Counts what was measured, and wakes those who have something to do now."""
        for written in committed:
            self._measured(written.measured)
        if any(written.events for written in committed):
            self._wakes.relay.notify()
        if any(written.first_timer is not None for written in committed):
            self._wakes.timers.notify()
        if any(written.queued_webhooks for written in committed):
            self._wakes.webhooks.notify()


def _with_trace(cause: Cause, span: Span) -> Cause:
    return replace(cause, traceparent=traceparent_of(span) or cause.traceparent)
