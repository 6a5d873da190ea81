"""A minimal service with one command, one event handler and one timer, for tests of the runtime.

The command publishes WithdrawalRequested. The handler of that event inserts a row into `handled_events` and publishes
PackageWithdrawn. The timer inserts a row into `fired_timers`. A row in `blocked` makes the handler or the timer fail.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from opentelemetry.trace import INVALID_SPAN
from sqlalchemy import text

from contracts.catalogue import PACKAGES
from contracts.errors import CallOffError
from contracts.events.packages import PackageWithdrawn, WithdrawalRequested
from contracts.example_words import WithdrawalReasons
from contracts.examples import COUNCIL
from contracts.ids import PackageId
from contracts.precedence import Precedence
from service_runtime.clock import Clock, SystemClock
from service_runtime.dead_letters.operations import DeadLetterOperations
from service_runtime.idempotency import CommandClaim, StoredResponse
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.kafka.consumer import EventConsumer
from service_runtime.kafka.event_handler import EventHandler
from service_runtime.observability.metrics import Metrics
from service_runtime.outbox.relay import Relay
from service_runtime.postgres.database import Database
from service_runtime.subscriptions import on, on_timer
from service_runtime.timers.timers import DueTimer, Timer
from service_runtime.timers.worker import TimerWorker
from service_runtime.unit_of_work.claims import Executed, Job, Skipped
from service_runtime.unit_of_work.executor import Executor
from service_runtime.unit_of_work.streams import Cause, StreamKey
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.unit_of_work.wakeups import Wakeups
from testkit.captured_logs import CapturedLogs

TABLES: Final = """
CREATE TABLE handled_events (
    position bigint GENERATED ALWAYS AS IDENTITY, package_id uuid NOT NULL, event_id text NOT NULL
);
CREATE TABLE fired_timers (
    position bigint GENERATED ALWAYS AS IDENTITY, package_id uuid NOT NULL, about text NOT NULL,
    performed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE blocked (what text PRIMARY KEY);
"""
"""No constraint prevents duplicate rows, so that tests can detect an effect that happened twice."""

SAVE_ROWS: Final = """
    added_events AS (
        INSERT INTO handled_events (package_id, event_id)
        SELECT * FROM jsonb_to_recordset(:rows -> 'handled_events') AS added(package_id uuid, event_id text)
    ), added_timers AS (
        INSERT INTO fired_timers (package_id, about)
        SELECT * FROM jsonb_to_recordset(:rows -> 'fired_timers') AS added(package_id uuid, about text)
    )
"""
"""Writes the rows that the handlers record."""

SAMPLE_TIMER: Final = "close"

NO_KAFKA: Final = KafkaConnection("127.0.0.1:1")
"""For tests that run no part that needs Kafka: nothing listens there."""


class SampleServiceBlocked(CallOffError):
    """The package or timer is blocked; delete its row in `blocked` first."""


class SampleUnitOfWork(PostgresUnitOfWork):
    """The sample service's unit of work, with the statements on its tables."""

    async def is_blocked(self, what: str) -> bool:
        found = await self.execute(text("SELECT 1 FROM blocked WHERE what = :what"), {"what": what})
        return found.first() is not None

    async def record_event(self, package: PackageId) -> None:
        self.put_row("handled_events", object(), {"package_id": package, "event_id": self.cause.id})

    async def record_timer(self, package: UUID, about: str) -> None:
        self.put_row("fired_timers", object(), {"package_id": package, "about": about})


@dataclass(frozen=True)
class RequestWithdrawal:
    """The command: publishes `count` WithdrawalRequested events and schedules the timer for `close_at`, if given."""

    package_id: PackageId
    count: int = 1
    close_at: datetime | None = None


async def publish_requests(command: RequestWithdrawal, work: SampleUnitOfWork) -> None:
    """Handles the command."""
    event = WithdrawalRequested(package_id=command.package_id, reason=WithdrawalReasons.NO_LONGER_NEEDED)
    work.publish(*[event] * command.count)
    if command.close_at is not None:
        work.schedule(Timer(SAMPLE_TIMER, str(command.package_id), command.close_at, Precedence.EXPIRY))


async def handle_withdrawal(event: WithdrawalRequested, work: SampleUnitOfWork) -> None:
    """Records the event and publishes PackageWithdrawn. Raises SampleServiceBlocked if the package is blocked."""
    await work.record_event(event.package_id)
    if await work.is_blocked(str(event.package_id)):
        raise SampleServiceBlocked(f"package {event.package_id} is blocked; delete its row in blocked")
    work.publish(PackageWithdrawn(package_id=event.package_id, reason=event.reason))


async def handle_timer(timer: DueTimer, work: SampleUnitOfWork) -> None:
    """Records the timer. Raises SampleServiceBlocked if the timer is blocked."""
    await work.record_timer(UUID(timer.stream.key), timer.about)
    if await work.is_blocked(f"timer {timer.about}"):
        raise SampleServiceBlocked(f"timer {timer.about} is blocked; delete its row in blocked")


SUBSCRIPTIONS: Final = (on(WithdrawalRequested, handle_withdrawal),)
TIMERS: Final = (on_timer(SAMPLE_TIMER, handle_timer),)


def to_stream_key(package: UUID) -> StreamKey:
    """The stream of the events about `package`."""
    return StreamKey(PACKAGES, str(package))


def build_empty_response(_: object) -> StoredResponse:
    """Builds the response 204 without a body."""
    return StoredResponse(204, b"")


@dataclass
class SampleService:
    """The parts of one process of the sample service, wired as in a real service."""

    name: str
    database: Database
    kafka: KafkaConnection
    clock: Clock = field(default_factory=SystemClock)
    logs: CapturedLogs = field(default_factory=CapturedLogs)
    unit_of_work: type[SampleUnitOfWork] = SampleUnitOfWork

    def __post_init__(self) -> None:
        self.wakeups = Wakeups()
        self.metrics = Metrics()
        self.executor = Executor[SampleUnitOfWork](
            service=self.name,
            database=self.database,
            clock=self.clock,
            unit_of_work=self.unit_of_work,
            wakeups=self.wakeups,
            save_rows=SAVE_ROWS,
        )
        self.event_handler = EventHandler(self.executor, SUBSCRIPTIONS, log=self.logs, metrics=self.metrics.consumer)
        self.dead_letters = DeadLetterOperations(self.executor, self.event_handler, self.wakeups)

    def build_relay(self, *, notify_peers: Callable[[], None] = lambda: None) -> Relay:
        """Builds the relay of this process, to which the executor hands what it has committed."""
        relay = Relay(
            service=self.name,
            database=self.database,
            kafka=self.kafka,
            clock=self.clock,
            wakeup=self.wakeups.relay,
            log=self.logs,
            metrics=self.metrics.relay,
            notify_peers=notify_peers,
        )
        self.executor.commits.outbox = relay
        return relay

    def build_consumer(self) -> EventConsumer[SampleUnitOfWork]:
        return EventConsumer(
            service=self.name,
            kafka=self.kafka,
            handling=self.event_handler,
            topics=[PACKAGES],
            log=self.logs,
            metrics=self.metrics.consumer,
        )

    def build_timer_worker(self) -> TimerWorker[SampleUnitOfWork]:
        return TimerWorker(
            self.executor, TIMERS, wakeup=self.wakeups.timers, log=self.logs, metrics=self.metrics.timers
        )

    async def request_withdrawal(self, package: UUID, *, count: int = 1, close_at: datetime | None = None) -> None:
        """Executes the command as an HTTP request does."""
        command = RequestWithdrawal(PackageId(package), count, close_at)
        await self.execute(package, lambda work: publish_requests(command, work))

    async def execute(
        self, package: UUID, handle: Callable[[SampleUnitOfWork], Coroutine[object, object, None]]
    ) -> Executed[None] | Skipped:
        """Executes `handle` as a command on the package's stream, without an idempotency key."""
        return await self.executor.execute(build_command_claim(package), handle, span=INVALID_SPAN)

    def build_job(
        self, package: UUID, handle: Callable[[SampleUnitOfWork], Coroutine[object, object, None]]
    ) -> Job[SampleUnitOfWork]:
        """Builds the job that `execute` executes, for an execution together with others of its stream."""
        return Job(build_command_claim(package), handle, lambda: nullcontext(INVALID_SPAN))


def build_command_claim(package: UUID) -> CommandClaim[None]:
    """Builds the claim of a command without an idempotency key."""
    return CommandClaim[None](
        on=to_stream_key(package),
        why=Cause("command:ask", "system:test", COUNCIL),
        caller=f"{COUNCIL}/system:test",
        idempotency_key=None,
        fingerprint="",
        answer=build_empty_response,
    )


@asynccontextmanager
async def run_tasks(*parts: Coroutine[object, object, None]) -> AsyncGenerator[Sequence["asyncio.Task[None]"]]:
    """Runs `parts` of a service as tasks until the context ends, then cancels them."""
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        yield tasks
    finally:
        await cancel_tasks(tasks)


async def cancel_tasks(tasks: Iterable["asyncio.Task[None]"]) -> None:
    """Cancels the tasks and waits for their end."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
