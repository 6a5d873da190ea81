"""A turnstile: the smallest service there is, to try the runtime on.

Whoever *asks* (a command, which publishes WithdrawalRequested) is let through (the handler of that event notes the
passage and publishes PackageWithdrawn); a timer closes behind them. A blocked package makes the handler fail.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from opentelemetry.trace import INVALID_SPAN
from sqlalchemy import text

from contracts.catalogue import PACKAGES
from contracts.errors import CallOffError
from contracts.events.packages import PackageWithdrawn, WithdrawalRequested
from contracts.ids import PackageId
from contracts.values import WithdrawalReason
from service_runtime.clock import Clock, SystemClock
from service_runtime.dead_letters.operations import DeadLetterOperations
from service_runtime.idempotency import CommandClaim, StoredResponse
from service_runtime.kafka.consumer import EventConsumer, EventHandler
from service_runtime.observability.metrics import Metrics
from service_runtime.outbox.relay import Relay
from service_runtime.postgres.database import Database
from service_runtime.subscriptions import on, on_timer
from service_runtime.timers.timers import DueTimer, Precedence, Timer
from service_runtime.timers.worker import TimerWorker
from service_runtime.unit_of_work.executor import Executed, Executor, Skipped
from service_runtime.unit_of_work.streams import Cause, StreamKey
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.unit_of_work.wakeups import Wakeups
from testkit.captured_logs import Logbook

TABLES: Final = """
CREATE TABLE passages (
    position bigint GENERATED ALWAYS AS IDENTITY, package_id uuid NOT NULL, event_id text NOT NULL
);
CREATE TABLE closings (
    position bigint GENERATED ALWAYS AS IDENTITY, package_id uuid NOT NULL, about text NOT NULL,
    performed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE blocked (what text PRIMARY KEY);
"""
"""No constraint keeps a passage from being noted twice: a doubled effect shall be seen."""

CLOSE: Final = "close"


class TurnstileBlocked(CallOffError):
    """Something stands in the way; take it away first."""


class TurnstileWork(PostgresUnitOfWork):
    """The turnstile's unit of work."""

    async def is_blocked(self, what: str) -> bool:
        found = await self.connection.execute(text("SELECT 1 FROM blocked WHERE what = :what"), {"what": what})
        return found.first() is not None

    async def note_passage(self, package: PackageId) -> None:
        await self.connection.execute(
            text("INSERT INTO passages (package_id, event_id) VALUES (:package, :event)"),
            {"package": package, "event": self.cause.id},
        )

    async def note_closing(self, package: UUID, about: str) -> None:
        await self.connection.execute(
            text("INSERT INTO closings (package_id, about) VALUES (:package, :about)"),
            {"package": package, "about": about},
        )


@dataclass(frozen=True)
class Ask:
    """Ask to be let through, so many times."""

    package_id: PackageId
    times: int = 1
    close_at: datetime | None = None


async def ask(command: Ask, work: TurnstileWork) -> None:
    """Publishes one request for each time."""
    asked = WithdrawalRequested(package_id=command.package_id, reason=WithdrawalReason.NO_LONGER_NEEDED)
    work.publish(*[asked] * command.times)
    if command.close_at is not None:
        work.schedule(Timer(CLOSE, str(command.package_id), command.close_at, Precedence.EXPIRY))


async def let_through(event: WithdrawalRequested, work: TurnstileWork) -> None:
    """Notes the passage and says so; fails for a package that is blocked."""
    await work.note_passage(event.package_id)
    if await work.is_blocked(str(event.package_id)):
        raise TurnstileBlocked("the turnstile is blocked; take away what stands in it")
    work.publish(PackageWithdrawn(package_id=event.package_id, reason=event.reason))


async def close(timer: DueTimer, work: TurnstileWork) -> None:
    """Closes behind those who went through; fails for a timer that is blocked."""
    await work.note_closing(UUID(timer.stream.key), timer.about)
    if await work.is_blocked(f"timer {timer.about}"):
        raise TurnstileBlocked("the turnstile cannot close; take away what stands in it")


SUBSCRIPTIONS: Final = (on(WithdrawalRequested, let_through),)
TIMERS: Final = (on_timer(CLOSE, close),)


def stream_of(package: UUID) -> StreamKey:
    """Where everything about `package` is said."""
    return StreamKey(PACKAGES, str(package))


def answer_nothing(_: object) -> StoredResponse:
    """The answer to a command that has none."""
    return StoredResponse(204, b"")


@dataclass
class Turnstile:
    """One process's parts, put together as a service puts them together."""

    name: str
    database: Database
    bootstrap: str
    clock: Clock = field(default_factory=SystemClock)
    log: Logbook = field(default_factory=Logbook)
    work: type[TurnstileWork] = TurnstileWork

    def __post_init__(self) -> None:
        self.wakes = Wakeups()
        self.metrics = Metrics()
        self.performer = Executor[TurnstileWork](
            service=self.name, database=self.database, clock=self.clock, unit_of_work=self.work, wakeups=self.wakes
        )
        self.handling = EventHandler(self.performer, SUBSCRIPTIONS, log=self.log, metrics=self.metrics.consumer)
        self.parking = DeadLetterOperations(self.performer, self.handling, self.wakes)

    def relay(self) -> Relay:
        return Relay(
            service=self.name,
            database=self.database,
            bootstrap=self.bootstrap,
            clock=self.clock,
            wakeup=self.wakes.relay,
            log=self.log,
            metrics=self.metrics.relay,
        )

    def consumer(self) -> EventConsumer[TurnstileWork]:
        return EventConsumer(
            service=self.name,
            bootstrap=self.bootstrap,
            handling=self.handling,
            topics=[PACKAGES],
            log=self.log,
            metrics=self.metrics.consumer,
        )

    def sleeper(self) -> TimerWorker[TurnstileWork]:
        return TimerWorker(self.performer, TIMERS, wakeup=self.wakes.timers, log=self.log, metrics=self.metrics.timers)

    async def ask(self, package: UUID, *, times: int = 1, close_at: datetime | None = None) -> None:
        """Carries the command out, as HTTP would."""
        command = Ask(PackageId(package), times, close_at)
        await self.do(package, lambda work: ask(command, work))

    async def do(
        self, package: UUID, handle: Callable[[TurnstileWork], Coroutine[object, object, None]]
    ) -> Executed[None] | Skipped:
        """Performs `handle` as a command without an Idempotency-Key on the package's stream."""
        claim = CommandClaim[None](
            on=stream_of(package),
            why=Cause("command:ask", "system:test", "essex"),
            caller="essex/system:test",
            idempotency_key=None,
            fingerprint="",
            answer=answer_nothing,
        )
        return await self.performer.execute(claim, handle, span=INVALID_SPAN)


@asynccontextmanager
async def running(*parts: Coroutine[object, object, None]) -> AsyncGenerator[Sequence["asyncio.Task[None]"]]:
    """Runs parts of a process beside the test, and ends them after it."""
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        yield tasks
    finally:
        await ended(tasks)


async def ended(tasks: Iterable["asyncio.Task[None]"]) -> None:
    """Cancels what runs and waits until it is gone."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
