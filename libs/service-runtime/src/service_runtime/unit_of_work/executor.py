"""Executor: runs the handler of every command, event, due timer and delivery result in a unit of work.

1. Take the stream's turn, and the stream from the cache, or load it together with all others that wait. 2. Read the
clock and run the handler: it loads, decides, saves and publishes in memory. 3. Apply everything that was decided,
together with all other units of work that wait, in one statement. It changes nothing unless the stream is still at the
revision that was decided on and the trigger was not claimed before. 4. After a conflict, start again with the stream as
it is and the clock read anew. A response is sent only after the commit.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Generic, Protocol, TypeVar

from opentelemetry.trace import Span

from contracts.envelope import Envelope
from contracts.trace_context import keep_valid_traceparent
from service_runtime.clock import Clock
from service_runtime.observability.guard import METRICS
from service_runtime.observability.instruments import Observation
from service_runtime.observability.tracing import format_traceparent, mark_failed
from service_runtime.postgres.database import Database, Reader
from service_runtime.postgres.errors import is_serialization_failure, is_transient
from service_runtime.projections.memory import ProjectionMemory, ProjectionSnapshot
from service_runtime.unit_of_work.changes import Changes, RevisionConflict
from service_runtime.unit_of_work.claims import Claim, Executed, Job, Outcomes, Skipped
from service_runtime.unit_of_work.commit_rounds import CommitRounds
from service_runtime.unit_of_work.loading import StateQuery, StreamLoader
from service_runtime.unit_of_work.rounds import Rounds
from service_runtime.unit_of_work.stream_cache import StreamCache
from service_runtime.unit_of_work.stream_run import StreamRun
from service_runtime.unit_of_work.streams import Cause, Stream, StreamKey
from service_runtime.unit_of_work.turns import Turns
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork, WorkContext
from service_runtime.unit_of_work.wakeups import Wakeups

WorkT = TypeVar("WorkT", bound=PostgresUnitOfWork)
WorkT_co = TypeVar("WorkT_co", bound=PostgresUnitOfWork, covariant=True)
ResultT = TypeVar("ResultT")

MAX_ATTEMPTS: Final = 20
"""Decisions on one trigger that end in a conflict before its error is raised."""
LOAD_CONCURRENCY: Final = 2


class UnitOfWorkFactory(Protocol[WorkT_co]):
    """Builds a service's unit of work."""

    def __call__(self, reader: Reader, context: WorkContext, /) -> WorkT_co: ...


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
        states: Sequence[StateQuery] = (),
        save_rows: str = "",
        projections: ProjectionMemory | None = None,
        count_conflict: Callable[[], None] = lambda: None,
        note_commit: Callable[[Iterable[Envelope]], None] = lambda _: None,
    ) -> None:
        self._count_conflict = METRICS(count_conflict)
        self._note_commit = METRICS(note_commit)
        self.service = service
        self.database = database
        self.clock = clock
        self.projections = projections or ProjectionMemory(database)
        self._unit_of_work = unit_of_work
        self._wakeups = wakeups
        self._observe = METRICS(observe)
        self._cache = StreamCache()
        self._turns = Turns()
        self._loader = StreamLoader(database, states)
        self._loads = Rounds[StreamKey, Stream](self._load_round, max_concurrency=LOAD_CONCURRENCY)
        self.commits = CommitRounds(database, clock, save_rows=save_rows)
        self.executed_count = 0
        """Executions begun by this process; shows whether it is active."""

    async def execute(
        self, claim: Claim[ResultT], handle: Callable[[WorkT], Awaitable[ResultT]], *, span: Span
    ) -> Executed[ResultT] | Skipped:
        """Executes `handle` once for `claim`. Raises the handler's error; then nothing of it was applied.

        Raises TimeoutError if the stream's turn did not come within the claim's `turn_timeout`.
        """
        outcomes = await self.execute_in_order([Job(claim, handle, lambda: nullcontext(span))])
        if outcomes.error is not None:
            raise outcomes.error
        return outcomes.done[0]

    async def execute_in_order(self, jobs: Sequence[Job[WorkT]]) -> Outcomes:
        """Executes jobs of one stream in order; what several of them decided is applied together.

        A job that fails ends the execution: the jobs before it are applied, those after it have not run.
        """
        self.executed_count += len(jobs)
        claim = jobs[0].claim
        done: list[Executed[Any] | Skipped] = []
        async with self._turns.take(claim.stream, timeout=claim.turn_timeout):
            for attempt in range(1, MAX_ATTEMPTS + 1):
                try:
                    error = await self._run_jobs(jobs, done, is_first_attempt=attempt == 1)
                except RevisionConflict as conflict:
                    if attempt == MAX_ATTEMPTS or (attempt > 1 and not _is_worth_retrying(conflict)):
                        raise conflict.__cause__ or TimeoutError(
                            f"{attempt} conflicts on {claim.stream.topic}"
                        ) from None
                else:
                    return Outcomes(done, error)
                self._count_conflict()
                self._cache.remove(claim.stream)
                if attempt > 1:
                    await asyncio.sleep(random.uniform(0, 0.005 * attempt))  # noqa: S311  jitter, no secret
        raise AssertionError

    async def _run_jobs(
        self, jobs: Sequence[Job[WorkT]], done: list[Executed[Any] | Skipped], *, is_first_attempt: bool
    ) -> Exception | None:
        """Decides and applies the jobs that are not in `done`, and adds their outcomes; returns the error of a job."""
        if not is_first_attempt:
            self.projections.mark_stale()
        await self.projections.refresh()
        stream, is_confirmed = await self._get_stream(jobs[0].claim, is_first_attempt=is_first_attempt)
        run = StreamRun(stream, self._apply, is_confirmed=is_confirmed)
        decided: list[Executed[Any] | Skipped] = []

        async def apply_decided() -> None:
            await run.apply()
            done.extend(decided)
            decided.clear()

        error: Exception | None = None
        with ExitStack() as spans:  # spans end after the commit
            for job in jobs[len(done) :]:
                span = spans.enter_context(job.span())
                try:
                    outcome = await self._decide(job, run, span, apply_decided, may_be_claimed=not is_first_attempt)
                except RevisionConflict:
                    raise
                except Exception as failure:  # noqa: BLE001  returned to the caller with the outcomes before it
                    mark_failed(span, type(failure).__name__)
                    error = failure
                    break
                decided.append(outcome)
            await apply_decided()
        return error

    async def _get_stream(self, claim: Claim[Any], *, is_first_attempt: bool) -> tuple[Stream, bool]:
        """Returns the stream, and True if it was loaded just now."""
        if is_first_attempt:
            cached = self._cache.get(claim.stream)
            if cached is not None:
                return cached, False
            if claim.begins_stream:
                return Stream(claim.stream), False
        return await self._loads.submit(claim.stream), True

    async def _load_round(self, keys: Sequence[StreamKey]) -> list[Stream]:
        return await self._loader.load(keys)

    async def _decide(
        self,
        job: Job[WorkT],
        run: StreamRun,
        span: Span,
        apply_decided: Callable[[], Awaitable[None]],
        *,
        may_be_claimed: bool,
    ) -> Executed[Any] | Skipped:
        claim = job.claim
        now = self.clock.now()
        if may_be_claimed and not await claim.is_open(self.database, at=now):
            return Skipped()
        if run.stream.parked and not claim.even_if_parked:
            await claim.handle_parked(self.database, at=now)
            return Skipped()
        cause = _set_traceparent(claim.cause, span)
        context = WorkContext(
            self.service, run.after, now, cause, ProjectionSnapshot(self.projections), self._loader.load
        )
        work = self._unit_of_work(_DecisionReader(self.database, apply_decided), context)
        try:
            result = await job.handle(work)
            changes = await run.collect(work)
            claim.add_to(changes, result, at=now)
        except RevisionConflict:
            raise
        except Exception as error:
            if not is_transient(error) and not await self._confirm(claim, run, at=now):
                return Skipped()
            if is_serialization_failure(error):
                raise RevisionConflict from error
            raise
        if not changes.is_empty:
            run.merge(changes)
        elif await self._confirm(claim, run, at=now):
            self._observe(changes.observations)
        else:
            return Skipped()
        return Executed(result)

    async def _confirm(self, claim: Claim[Any], run: StreamRun, *, at: datetime) -> bool:
        """Confirms a decision that changes nothing, and that is therefore not confirmed by being applied.

        Returns False if the trigger was claimed before. Raises RevisionConflict if the stream has changed.
        """
        if not await claim.is_open(self.database, at=at):
            return False
        if not run.is_confirmed:
            (current,) = await self._loader.load([run.stream.key])
            if current.revision != run.stream.revision:
                raise RevisionConflict
        return True

    async def _apply(self, changes: Changes) -> None:
        """Applies the changes of one stream, and puts the stream after them into the cache."""
        try:
            await self.commits.apply(changes)
        except BaseException:
            self._cache.remove(changes.stream.key)
            raise
        for other in changes.others:
            self._cache.remove(other)
        if changes.after.parked:
            self._cache.remove(changes.stream.key)
        else:
            self._cache.put(changes.committed)
        self._notify_workers(changes)

    def _notify_workers(self, changes: Changes) -> None:
        """Counts this commit, records its observations, and notifies the workers that have work after it."""
        self._note_commit(event.envelope for event in changes.events)
        self._observe(changes.observations)
        due = [armed[0].at for armed in changes.timers.values() if armed is not None]
        if due:
            self._wakeups.timers.notify_due(min(due))


@dataclass(frozen=True)
class _DecisionReader:
    """Reads for a handler; what earlier jobs of its stream decided is applied first, so that it is read."""

    database: Database
    apply_decided: Callable[[], Awaitable[None]]

    async def execute(self, statement: Any, values: Any = None) -> Any:
        await self.apply_decided()
        async with self.database.open_read_connection() as connection:
            return await connection.execute(statement, values or {})


def _is_worth_retrying(conflict: RevisionConflict) -> bool:
    """False if the row that exists already is still in the way of a decision on the stream as it is."""
    return conflict.__cause__ is None or is_serialization_failure(conflict.__cause__)


def _set_traceparent(cause: Cause, span: Span) -> Cause:
    return replace(cause, traceparent=format_traceparent(span) or keep_valid_traceparent(cause.traceparent))
