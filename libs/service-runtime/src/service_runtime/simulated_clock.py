"""A service on a simulated clock: it tells a driver whether anything goes on in it, and is told what time it is.

Two routes before all others, for the embedded stack only: they are there when the service was given a clock that
stands still, for callers on this machine that know the stack's secret (docs/decisions/0013-simulated-clock.md).
"""

import asyncio
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, computed_field
from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from service_runtime.clock import EVERY_CLASS, Horizon, SimulatedClock
from service_runtime.http.spans import PROBES
from service_runtime.kafka.batch_consumer import BatchConsumer
from service_runtime.kafka.client import PARTITIONS, EndOffsetReader, Partition
from service_runtime.kafka.consumer import EventConsumer
from service_runtime.postgres.database import Connection, Database
from service_runtime.unit_of_work.executor import Executor
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.unit_of_work.wakeups import Wakeups
from service_runtime.webhooks.engine import WebhookEngine

WorkT = TypeVar("WorkT", bound=PostgresUnitOfWork)

ACTIVITY: Final = "/simulation/activity"
CLOCK: Final = "/simulation/clock"
KEY_HEADER: Final = "x-calloff-simulation-key"
_THIS_MACHINE: Final = frozenset({"127.0.0.1", "::1"})


class Activity(BaseModel):
    """How busy a participant is. It is at rest when nothing is in flight, nothing behind, and `counter` stays."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    now: AwareDatetime
    released: int = EVERY_CLASS
    counter: int = Field(description="everything handled so far; grows with whatever happens")
    requests: int = 0
    outbox: int = 0
    webhooks: int = Field(default=0, description="attempts that run, and deliveries that are due")
    timers: int = Field(default=0, description="due, and released")
    behind: int | None = Field(default=0, description="records not handled yet; null while partitions are not assigned")
    next_wake: AwareDatetime | None = None
    due_classes: tuple[int, ...] = Field(default=(), description="of what is due now and not released yet")

    @computed_field
    @property
    def in_flight(self) -> int:
        return self.requests + self.outbox + self.webhooks + self.timers

    @property
    def is_at_rest(self) -> bool:
        return self.in_flight == 0 and self.behind == 0


class Order(BaseModel):
    """What time it is from now on; of what is due then, the classes up to `release` may happen (null: all)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    now: AwareDatetime
    release: int | None = Field(default=None, ge=0, le=EVERY_CLASS)


# Heads: the deliveries that do not wait behind an earlier one of their owner and stream.
_STANDING = text(
    """
    WITH due_timers AS (
        SELECT due_at, precedence FROM timers
        WHERE due_at <= :now AND NOT EXISTS (
            SELECT 1 FROM streams WHERE streams.topic = timers.topic AND streams.key = timers.key
                                    AND streams.parked_because IS NOT NULL)
    ), heads AS (
        SELECT next_attempt_at AS due_at,
               CASE WHEN attempts = 0 THEN 0 WHEN first_attempt_at + give_up_after <= :now THEN 5
                    ELSE 4 END AS precedence
        FROM deliveries AS waiting
        WHERE finished_at IS NULL AND NOT EXISTS (
            SELECT 1 FROM deliveries AS earlier
            WHERE earlier.finished_at IS NULL AND earlier.owner = waiting.owner AND earlier.topic = waiting.topic
              AND earlier.key = waiting.key AND earlier.position < waiting.position)
          AND (outcome IS NULL OR NOT EXISTS (
              SELECT 1 FROM streams WHERE streams.topic = waiting.topic AND streams.key = waiting.key
                                      AND streams.parked_because IS NOT NULL))
    ), held_back AS (
        SELECT precedence FROM due_timers WHERE due_at = :now AND precedence > :released
        UNION SELECT precedence FROM heads WHERE due_at = :now AND precedence > :released
    )
    SELECT
        (SELECT count(*) FROM due_timers WHERE due_at < :now OR precedence <= :released) AS timers,
        (SELECT count(*) FROM heads WHERE due_at < :now OR due_at = :now AND precedence <= :released) AS webhooks,
        ARRAY(SELECT precedence FROM held_back ORDER BY precedence) AS due_classes,
        least((SELECT due_at FROM timers WHERE due_at > :now AND NOT EXISTS (
                   SELECT 1 FROM streams WHERE streams.topic = timers.topic AND streams.key = timers.key
                                           AND streams.parked_because IS NOT NULL)
               ORDER BY due_at LIMIT 1),
              (SELECT min(due_at) FROM heads WHERE due_at > :now)) AS next_wake,
        (SELECT count(*) FROM outbox JOIN journal USING (position) WHERE NOT EXISTS (
             SELECT 1 FROM outbox AS refused JOIN journal AS earlier USING (position)
             WHERE refused.refused_because IS NOT NULL AND earlier.topic = journal.topic
               AND earlier.key = journal.key AND refused.position <= outbox.position)) AS outbox,
        (SELECT count(*) FROM outbox) AS unsent,
        coalesce((SELECT max(position) FROM journal), 0) AS published
    """
)
_LAST_RECORD = text("SELECT occurred_at FROM journal ORDER BY position DESC LIMIT 1")


class _RestState:
    """Asks the database how things stand, over a connection that no load can take away."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._questions: asyncio.Queue[tuple[Horizon, asyncio.Future[Any]]] = asyncio.Queue()

    async def ask(self, horizon: Horizon) -> Any:  # a row of _STANDING
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._questions.put_nowait((horizon, answer))
        return await answer

    async def run(self) -> None:
        while True:
            horizon, answer = await self._questions.get()
            try:
                async with self._database.open_unpooled_connection() as connection:
                    await self._answer(connection, horizon, answer)
                    while True:
                        horizon, answer = await self._questions.get()
                        await self._answer(connection, horizon, answer)
            except Exception as error:  # noqa: BLE001  whoever asked is told; the next question finds a new connection
                if not answer.done():
                    answer.set_exception(error)

    async def _answer(self, connection: Connection, horizon: Horizon, answer: asyncio.Future[Any]) -> None:
        found = await connection.execute(_STANDING, {"now": horizon.instant, "released": horizon.released})
        if not answer.done():
            answer.set_result(found.one())


class SimulatedClockControl(Generic[WorkT]):
    """One service's side of the simulation."""

    def __init__(
        self,
        clock: SimulatedClock,
        *,
        key: str,
        performer: Executor[WorkT],
        consumer: EventConsumer[WorkT],
        feeds: Sequence[BatchConsumer],
        webhooks: WebhookEngine[WorkT] | None,
        wakeups: Wakeups,
        bootstrap: str,
    ) -> None:
        self._clock = clock
        self._key = key.encode()
        self._performer = performer
        self._consumer = consumer
        self._feeds = tuple(feeds)
        self._webhooks = webhooks
        self._wakeups = wakeups
        self._bootstrap = bootstrap
        self._rest_state = _RestState(performer.database)
        self._ends: EndOffsetReader | None = None
        self._under_way = 0
        self._answered = 0

    async def resume(self) -> None:
        """After a restart it is not earlier than what is on record; the driver says what time it is."""
        async with self._performer.database.begin_transaction() as connection:
            last: datetime | None = (await connection.execute(_LAST_RECORD)).scalar_one_or_none()
        if last is not None and last > self._clock.now():
            self._clock.set_to(last)

    async def run(self) -> None:
        """Keeps the connections over which it asks, until cancelled."""
        try:
            await self._rest_state.run()
        finally:
            if self._ends is not None:
                await self._ends.stop()

    async def report_activity(self) -> Activity:
        behind, reached = await self._count_unhandled()
        horizon = self._clock.horizon
        standing = await self._rest_state.ask(horizon)
        engine = self._webhooks
        # Read last: what was claimed since the database was asked is in flight now, or has counted.
        running, attempts = (engine.in_flight, engine.attempts) if engine else (0, 0)
        handled = self._performer.executed_count + self._answered + attempts
        return Activity(
            now=horizon.instant,
            released=horizon.released,
            counter=handled + reached + standing.published - standing.unsent,
            requests=self._under_way,
            outbox=standing.outbox,
            webhooks=standing.webhooks + running,
            timers=standing.timers,
            behind=behind,
            next_wake=standing.next_wake,
            due_classes=tuple(standing.due_classes),
        )

    async def _count_unhandled(self) -> tuple[int | None, int]:
        """How many records are to be handled still, and how far it has come."""
        readers = (self._consumer, *self._feeds)
        wanted = PARTITIONS * sum(len(each.topics) for each in readers)
        if not wanted:
            return 0, 0
        everywhere = [await each.get_positions() for each in readers]
        come = sum(at for reached in everywhere for at in reached.values())
        if sum(len(reached) for reached in everywhere) < wanted:
            return None, come
        ends = await self._ask_ends({partition for reached in everywhere for partition in reached})
        lacking = [ends[each] - at for reached in everywhere for each, at in reached.items()]
        return sum(lacking), come

    async def _ask_ends(self, partitions: set[Partition]) -> dict[Partition, int]:
        if self._ends is None:
            ends = EndOffsetReader(self._bootstrap, client_id=f"{self._performer.service}-simulation")
            await ends.start()
            self._ends = ends
        return await self._ends.get_end_offsets(partitions)

    async def set_clock(self, order: Order) -> Activity:
        """Raises ValueError for an instant in the past."""
        released = EVERY_CLASS if order.release is None else order.release
        self._clock.set_to(order.now, released=released)
        self._wakeups.timers.notify()
        self._wakeups.webhooks.notify()
        return await self.report_activity()

    def wrap_app(self, app: ASGIApp) -> ASGIApp:
        """The application with the simulation's routes before its own, which are counted."""

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            path: str = scope.get("path", "")
            if scope["type"] != "http" or path in PROBES:
                await app(scope, receive, send)
            elif path in {ACTIVITY, CLOCK}:
                await (await self._respond(Request(scope, receive)))(scope, receive, send)
            else:
                self._under_way += 1
                try:
                    await app(scope, receive, send)
                finally:
                    self._under_way -= 1
                    self._answered += 1

        return counted

    async def _respond(self, request: Request) -> Response:
        if not self._may(request):
            return Response(status_code=404)
        if (request.method, request.url.path) == ("GET", ACTIVITY):
            return _json(await self.report_activity())
        if (request.method, request.url.path) != ("POST", CLOCK):
            return Response(status_code=405)
        try:
            return _json(await self.set_clock(Order.model_validate_json(await request.body())))
        except ValidationError as error:
            return Response(f"{error.error_count()} fields are not understood", status_code=422)
        except ValueError as error:
            return Response(str(error), status_code=409)

    def _may(self, request: Request) -> bool:
        here = request.client is not None and request.client.host in _THIS_MACHINE
        return here and hmac.compare_digest(_get_simulation_headers(request.headers), self._key)


def _get_simulation_headers(headers: Mapping[str, str]) -> bytes:
    return headers.get(KEY_HEADER, "").encode()


def _json(activity: Activity) -> Response:
    return Response(activity.model_dump_json(), media_type="application/json")
