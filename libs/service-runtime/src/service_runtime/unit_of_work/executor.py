"""Executor: runs the handler of every command, event, due timer and delivery result in a unit of work.

1. Lock the stream, then read the clock. 2. Acquire the claim, so that the trigger counts once. 3. Run the handler: it
loads, decides, saves and publishes. 4. Commit state, journal, outbox, timers and claim together. Serialization failures
and deadlocks are retried; a response is sent only after the commit.

Events and delivery results may share a transaction in a batch: all of it commits or none; the caller then executes the
items of a failed batch singly.
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
from service_runtime.observability.tracing import format_traceparent
from service_runtime.postgres.database import Connection, Database, is_serialization_failure
from service_runtime.unit_of_work.streams import Cause, Stream, StreamKey
from service_runtime.unit_of_work.unit_of_work import FlushResult, PostgresUnitOfWork, WorkContext
from service_runtime.unit_of_work.wakeups import Wakeups

WorkT = TypeVar("WorkT", bound=PostgresUnitOfWork)
WorkT_co = TypeVar("WorkT_co", bound=PostgresUnitOfWork, covariant=True)
ResultT = TypeVar("ResultT")
ResultT_contra = TypeVar("ResultT_contra", contravariant=True)

MAX_ATTEMPTS: Final = 20
"""Attempts at a transaction with serialization failures before its error is raised."""
BATCH_LOCK_TIMEOUT: Final = "100ms"
"""Lock timeout in a batch: it is short because other transactions wait for the locks the batch holds."""


class Claim(Protocol[ResultT_contra]):
    """A claim of a trigger, acquired under the stream's lock so that the trigger counts once."""

    @property
    def stream(self) -> StreamKey: ...
    @property
    def cause(self) -> Cause: ...

    @property
    def lock_timeout(self) -> str | None:
        """Timeout of each lock ('2s'); None for no limit."""
        ...

    async def lock(self, connection: Connection) -> Stream:
        """Locks the stream until the transaction ends."""
        ...

    async def acquire(self, connection: Connection, stream: Stream, work: PostgresUnitOfWork) -> bool:
        """Acquires the claim. False if it was handled before, cancelled, or its stream is parked."""
        ...

    async def finish(self, connection: Connection, result: ResultT_contra) -> None:
        """Stores what is needed of the result, after the handler, in the same transaction."""
        ...


@dataclass(frozen=True)
class Executed(Generic[ResultT]):
    """The handler ran and its transaction is committed."""

    result: ResultT


class Skipped:
    """The handler did not run: the trigger was handled before, cancelled, or its key is parked."""


@dataclass(frozen=True)
class Job(Generic[WorkT]):
    """A claim with its handler, for execution in a batch."""

    claim: Claim[None]
    handle: Callable[[WorkT], Awaitable[None]]
    span: Callable[[], AbstractContextManager[Span]]


class UnitOfWorkFactory(Protocol[WorkT_co]):
    """Builds a service's unit of work on a connection."""

    def __call__(self, connection: Connection, context: WorkContext, /) -> WorkT_co: ...


def _ignore_observations(_: Iterable[Observation]) -> None:
    """Drops the observations; the default of `observe`."""


class Executor(Generic[WorkT]):
    """Executes handlers in units of work and notifies workers after a commit."""

    def __init__(
        self,
        *,
        service: str,
        database: Database,
        clock: Clock,
        unit_of_work: UnitOfWorkFactory[WorkT],
        wakeups: Wakeups,
        observe: Callable[[Iterable[Observation]], None] = _ignore_observations,
    ) -> None:
        self.service = service
        self.database = database
        self.clock = clock
        self._unit_of_work = unit_of_work
        self._wakeups = wakeups
        self._observe = observe
        self.executed_count = 0
        """Executions begun by this process; shows whether it is active."""

    async def execute(
        self, claim: Claim[ResultT], handle: Callable[[WorkT], Awaitable[ResultT]], *, span: Span
    ) -> Executed[ResultT] | Skipped:
        """Executes `handle` once for `claim`. An error of the handler rolls back and is raised."""
        self.executed_count += 1
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                return await self._execute_once(claim, handle, span)
            except Exception as error:
                if not is_serialization_failure(error) or attempt == MAX_ATTEMPTS:
                    raise
            await asyncio.sleep(random.uniform(0, 0.005 * attempt))  # noqa: S311  jitter, no secret
        raise AssertionError

    async def execute_batch(self, jobs: Sequence[Job[WorkT]]) -> list[Executed[None] | Skipped]:
        """Executes `jobs` in one transaction, in order within each stream; returns the outcomes in the order of `jobs`.

        An error of any job rolls back all of them and is raised; the caller then executes each job singly.
        """
        self.executed_count += len(jobs)
        steps: dict[int, tuple[Executed[None] | Skipped, FlushResult | None]] = {}
        async with self.database.begin_transaction(lock_timeout=BATCH_LOCK_TIMEOUT) as connection:
            # Streams are locked in sorted order, so that two batches do not deadlock on them.
            for index, job in sorted(enumerate(jobs), key=lambda item: item[1].claim.stream):
                with job.span() as span:
                    steps[index] = await self._execute_in_transaction(connection, job.claim, job.handle, span)
        self._notify_workers([flushed for _, flushed in steps.values() if flushed is not None])
        return [steps[index][0] for index in range(len(jobs))]

    async def _execute_once(
        self, claim: Claim[ResultT], handle: Callable[[WorkT], Awaitable[ResultT]], span: Span
    ) -> Executed[ResultT] | Skipped:
        async with self.database.begin_transaction(lock_timeout=claim.lock_timeout) as connection:
            outcome, flushed = await self._execute_in_transaction(connection, claim, handle, span)
        if flushed is not None:
            self._notify_workers([flushed])
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
        cause = _set_traceparent(claim.cause, span)
        work = self._unit_of_work(connection, WorkContext(self.service, stream, now, cause))
        if not await claim.acquire(connection, stream, work):
            return Skipped(), None
        result = await handle(work)
        flushed = await work.flush()
        await claim.finish(connection, result)
        return Executed(result), flushed

    def _notify_workers(self, committed: Sequence[FlushResult]) -> None:
        """Records observations, and notifies the workers that have work after this commit."""
        for flushed in committed:
            self._observe(flushed.measured)
        if any(flushed.events for flushed in committed):
            self._wakeups.relay.notify()
        if any(flushed.first_timer is not None for flushed in committed):
            self._wakeups.timers.notify()
        if any(flushed.queued_webhooks for flushed in committed):
            self._wakeups.webhooks.notify()


def _set_traceparent(cause: Cause, span: Span) -> Cause:
    return replace(cause, traceparent=format_traceparent(span) or cause.traceparent)
