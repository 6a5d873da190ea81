"""Webhooks on a real PostgreSQL to real receivers: delivered once or more, in order, and every result counts once."""

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from socket import AF_INET
from uuid import UUID

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from opentelemetry.trace import INVALID_SPAN
from sqlalchemy import text
from standardwebhooks import Webhook as Verifier

from contracts.errors import InvalidInput
from service_runtime.dead_letters import parked_keys as parking
from service_runtime.observability.logs import build_logger
from service_runtime.observability.metrics import Metrics
from service_runtime.postgres.database import Connection, Database, is_transient
from service_runtime.unit_of_work import streams
from service_runtime.unit_of_work.executor import Executed, Executor
from service_runtime.unit_of_work.streams import Cause, Stream, StreamKey
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.unit_of_work.wakeups import Wakeups
from service_runtime.webhooks.addresses import AddressRules
from service_runtime.webhooks.config import Limits, WebhookConfig
from service_runtime.webhooks.deliveries import Webhook
from service_runtime.webhooks.endpoints import Endpoint, EndpointNotFound
from service_runtime.webhooks.engine import MAX_EXECUTED, WebhookEngine
from service_runtime.webhooks.log import LoggedDelivery, load_delivery_log
from service_runtime.webhooks.results import Delivered, EndpointGone, Undeliverable, subscribe_to_deliveries
from service_runtime.webhooks.secret_box import SecretBox
from testkit.clocks import MONDAY_NINE, MovableClock
from testkit.databases import a_database
from testkit.servers import TestPostgres
from testkit.waiting import until

GRACE = timedelta(minutes=2)
SECOND = timedelta(seconds=1)
LEASE = Limits().lease
VAULT = SecretBox([base64.b64encode(b"k" * 32).decode()])
TOPIC = "homecare.packages.v1"
P17 = StreamKey(TOPIC, "P-17")
CAUSE = Cause("command:test", "officer:1", "essex")

TABLES = """
CREATE TABLE told (delivery uuid PRIMARY KEY, what text NOT NULL, at timestamptz);
CREATE TABLE gone (owner text PRIMARY KEY);
"""

Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Received:
    """A webhook as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> UUID:
        return UUID(self.headers["webhook-id"])

    @property
    def about(self) -> str:
        return json.loads(self.body)["data"]["about"]


@dataclass
class Receiver:
    """An owner's system: a real HTTP server, which answers 200 on every path where nothing else was agreed."""

    answers: dict[str, Answering] = field(default_factory=dict[str, Answering])
    received: list[Received] = field(default_factory=list[Received])
    accepted: list[Received] = field(default_factory=list[Received])
    address: str = ""

    async def take(self, request: web.Request) -> web.StreamResponse:
        received = Received(request.path, {k.lower(): v for k, v in request.headers.items()}, await request.read())
        self.received.append(received)
        answer = await self.answers.get(request.path, always(200))(request)
        if answer.status < 300:
            self.accepted.append(received)
        return answer

    def at(self, path: str) -> list[Received]:
        return [each for each in self.received if each.path == path]


def always(status: int, **headers: str) -> Answering:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return answer


def in_turn(*statuses: int) -> Answering:
    """These, one after the other; the last for ever."""
    remaining = list(statuses)

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=remaining.pop(0) if len(remaining) > 1 else remaining[0])

    return answer


class Gate:
    """Keeps requests waiting until it is opened, then answers them with `status`."""

    def __init__(self, status: int = 200) -> None:
        self.waiting = 0
        self.opened = asyncio.Event()
        self.status = status

    async def __call__(self, _: web.Request) -> web.Response:
        self.waiting += 1
        await self.opened.wait()
        return web.Response(status=self.status)


@dataclass(frozen=True)
class ByHand:
    """An occasion that is always taken."""

    stream: StreamKey
    cause: Cause = CAUSE
    lock_timeout: str | None = None

    async def lock(self, connection: Connection) -> Stream:
        return await streams.lock_stream(connection, self.stream)

    async def acquire(self, connection: Connection, stream: Stream, work: PostgresUnitOfWork) -> bool:
        return True

    async def finish(self, connection: Connection, result: object) -> None: ...


@dataclass
class Stage:
    """A service with webhooks, its database and its clock."""

    database: Database
    receiver: Receiver
    clock: MovableClock = field(default_factory=MovableClock)
    failing: bool = False

    def __post_init__(self) -> None:
        self.rules = AddressRules([self.receiver.address])
        self.metrics = Metrics()
        self.wakes = Wakeups()
        self.performer = self.another_performer(self.wakes)

    def another_performer(self, wakes: Wakeups) -> Executor[PostgresUnitOfWork]:
        return Executor(
            service="registry", database=self.database, clock=self.clock, unit_of_work=PostgresUnitOfWork, wakeups=wakes
        )

    def outlet(self, **changed: object) -> WebhookConfig[PostgresUnitOfWork]:
        told = subscribe_to_deliveries("offer.made", delivered=self._delivered, undeliverable=self._undeliverable)
        usual = {"secret_box": VAULT, "rules": self.rules, "deliveries": (told,), "gone": self._gone}
        return WebhookConfig(**(usual | changed))  # pyright: ignore[reportArgumentType]  a test changes what it likes

    @asynccontextmanager
    async def engine(self, **changed: object) -> AsyncGenerator[None]:
        """An engine as another process would run it, until the block ends."""
        wakes = Wakeups() if changed.pop("elsewhere", False) else self.wakes
        engine = WebhookEngine(
            self.another_performer(wakes),
            self.outlet(**changed),
            wakeup=wakes.webhooks,
            log=build_logger("registry", level="error"),
            metrics=self.metrics.webhooks,
        )
        task = asyncio.create_task(engine.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _tell(self, work: PostgresUnitOfWork, delivery: UUID, what: str, at: datetime | None) -> None:
        if self.failing or what.startswith("Poison"):
            message = "a handler with a mistake in it"
            raise RuntimeError(message)
        row = {"delivery": delivery, "what": what, "at": at}
        await work.connection.execute(text("INSERT INTO told VALUES (:delivery, :what, :at)"), row)

    async def _delivered(self, result: Delivered, work: PostgresUnitOfWork) -> None:
        await self._tell(work, result.id, f"{result.owner} has {result.about}", result.delivered_at)

    async def _undeliverable(self, result: Undeliverable, work: PostgresUnitOfWork) -> None:
        await self._tell(work, result.id, f"{result.about}: {result.reason}", result.first_attempt_at)

    async def _gone(self, gone: EndpointGone, work: PostgresUnitOfWork) -> None:
        await work.connection.execute(text("INSERT INTO gone VALUES (:owner)"), {"owner": gone.owner})

    async def do(self, act: Callable[[PostgresUnitOfWork], Awaitable[object]], *, stream: StreamKey = P17) -> object:
        done = await self.performer.execute(ByHand(stream), act, span=INVALID_SPAN)
        assert isinstance(done, Executed)
        return done.result

    async def has_endpoint(self, owner: str, path: str = "/ok", **changed: object) -> str:
        async def put(work: PostgresUnitOfWork) -> str | None:
            endpoints = self.outlet(**changed).open_endpoints(work.connection, now=work.now)
            return await endpoints.put(owner, path if "://" in path else f"http://{self.receiver.address}{path}")

        return str(await self.do(put, stream=StreamKey("homecare.providers.v1", owner)))

    async def send(self, *abouts: str, to: str = "Alder", stream: StreamKey = P17, kind: str = "offer.made") -> None:
        async def queue(work: PostgresUnitOfWork) -> None:
            work.send_webhooks(*(Webhook(to, kind, about, {"about": about}, GRACE) for about in abouts))

        await self.do(queue, stream=stream)

    async def recall(self, about: str) -> bool:
        async def withdraw(work: PostgresUnitOfWork) -> bool:
            return await work.cancel_webhook("offer.made", about)

        return bool(await self.do(withdraw))

    async def told(self) -> list[str]:
        async with self.database.begin_transaction() as connection:
            return [row.what for row in await connection.execute(text("SELECT what FROM told ORDER BY what"))]

    async def told_of(self, count: int) -> bool:
        return len(await self.told()) == count

    async def hands_are_full(self) -> bool:
        """Whether as many handlers wait for the table of what was told as results are performed side by side."""
        waiting = text("SELECT count(*) FROM pg_locks WHERE relation = CAST('told' AS regclass) AND NOT granted")
        async with self.database.begin_transaction() as connection:
            return (await connection.execute(waiting)).scalar_one() == MAX_EXECUTED

    async def parked(self, key: str) -> bool:
        async with self.database.begin_transaction() as connection:
            return [one.stream.key for one in await parking.list_parked_keys(connection)] == [key]

    async def told_at(self) -> datetime | None:
        async with self.database.begin_transaction() as connection:
            return (await connection.execute(text("SELECT at FROM told"))).scalar_one()

    async def log(self, about: str | StreamKey = "Alder") -> list[LoggedDelivery]:
        async with self.database.begin_transaction() as connection:
            return await load_delivery_log(connection, about)

    async def attempts(self, owner: str = "Alder") -> int:
        return sum(len(delivery.attempts) for delivery in await self.log(owner))

    async def endpoint(self, owner: str = "Alder") -> Endpoint | None:
        async with self.database.begin_transaction() as connection:
            return await self.outlet().open_endpoints(connection, now=self.clock.now()).get(owner)

    async def next_attempt_at(self) -> datetime:
        async with self.database.begin_transaction() as connection:
            row = await connection.execute(text("SELECT next_attempt_at FROM deliveries WHERE finished_at IS NULL"))
            return row.scalar_one()

    async def outcome(self, what: str) -> None:
        async def it_is() -> bool:
            return what in await self.told()

        await until(it_is)

    async def attempted(self, times: int, owner: str = "Alder") -> None:
        async def so_often() -> bool:
            return await self.attempts(owner) == times

        await until(so_often)

    async def park(self, stream: StreamKey = P17) -> None:
        async with self.database.begin_transaction() as connection:
            await parking.park_key(
                connection, stream, service="registry", council="essex", because="a test", at=self.clock.now()
            )

    async def release(self, stream: StreamKey = P17) -> None:
        async with self.database.begin_transaction() as connection:
            await streams.lock_stream(connection, stream)
            await parking.unpark(connection, stream)


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/{path:.*}", receiver.take)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0]
    receiver.address = f"{host}:{port}"
    yield receiver
    await runner.cleanup()


@pytest_asyncio.fixture
async def stage(postgres: TestPostgres, receiver: Receiver) -> AsyncIterator[Stage]:
    async with a_database(postgres, TABLES, name="webhooks") as database:
        yield Stage(database, receiver)


async def test_a_webhook_arrives_signed_and_its_delivery_is_performed(stage: Stage) -> None:
    secret = await stage.has_endpoint("Alder")
    await stage.send("O-1")
    async with stage.engine():
        await stage.outcome("Alder has O-1")
    [received] = stage.receiver.received
    payload = Verifier(secret).verify(received.body, received.headers)
    assert payload == {"type": "offer.made", "timestamp": MONDAY_NINE.isoformat(), "data": {"about": "O-1"}}
    assert received.headers["content-type"] == "application/json"


async def test_what_failed_is_tried_again_with_the_same_id_and_bytes_until_it_is_accepted(stage: Stage) -> None:
    stage.receiver.answers["/ok"] = in_turn(500, 503, 200)
    await stage.has_endpoint("Alder")
    await stage.send("O-1")
    async with stage.engine():
        for times in (1, 2):
            await stage.attempted(times)
            stage.clock.advance(5 * SECOND)
        await stage.outcome("Alder has O-1")
    assert len(stage.receiver.received) == 3
    assert len({(each.id, each.body) for each in stage.receiver.received}) == 1
    [logged] = await stage.log()
    assert [each.status for each in logged.attempts] == [500, 503, 200]
    assert [each.failure for each in logged.attempts] == ["status 500", "status 503", None]
    assert await stage.told_at() == MONDAY_NINE + 10 * SECOND


async def test_one_owners_webhooks_about_one_package_arrive_in_order(stage: Stage) -> None:
    stage.receiver.answers["/ok"] = in_turn(500, 200, 500, 200)
    await stage.has_endpoint("Alder")
    await stage.send("O-1", "O-2")
    await stage.send("O-3", kind="offer.withdrawn")
    async with stage.engine(), stage.engine(elsewhere=True):
        for accepted, tried in ((1, 1), (2, 3)):
            await stage.attempted(tried)
            stage.clock.advance(SECOND)
            await until(lambda expected=accepted: len(stage.receiver.accepted) >= expected)
        await until(lambda: len(stage.receiver.accepted) == 3)
    assert [each.about for each in stage.receiver.accepted] == ["O-1", "O-2", "O-3"]


async def test_an_endpoint_that_hangs_keeps_nobody_else_waiting(stage: Stage) -> None:
    gate = stage.receiver.answers["/hangs"] = Gate()
    await stage.has_endpoint("Alder", "/hangs")
    await stage.has_endpoint("Birch")
    for number in range(20):
        await stage.send(f"O-{number}", stream=StreamKey(TOPIC, f"P-{number}"))
    async with stage.engine(limits=Limits(requests=8, requests_for_each=3, drain=timedelta(0))):
        await until(lambda: gate.waiting == 3)
        await stage.send("B-1", to="Birch", stream=StreamKey(TOPIC, "P-1"))
        await stage.outcome("Birch has B-1")
        assert gate.waiting == 3


async def test_one_owners_packages_do_not_wait_for_each_other(stage: Stage) -> None:
    gate = Gate()

    async def hang_for_one(request: web.Request) -> web.Response:
        return await (gate if b"O-1" in await request.read() else always(200))(request)  # type: ignore[return-value]

    stage.receiver.answers["/ok"] = hang_for_one
    await stage.has_endpoint("Alder")
    await stage.send("O-1")
    await stage.send("O-2", stream=StreamKey(TOPIC, "P-18"))
    async with stage.engine(limits=Limits(drain=timedelta(0))):
        await stage.outcome("Alder has O-2")
        assert await stage.told() == ["Alder has O-2"]


async def test_retry_after_is_honoured(stage: Stage) -> None:
    stage.receiver.answers["/ok"] = always(429, Retry_After="40")
    await stage.has_endpoint("Alder")
    await stage.send("O-1")
    async with stage.engine():
        await stage.attempted(1)
        assert await stage.next_attempt_at() == MONDAY_NINE + 40 * SECOND
        stage.receiver.answers["/ok"] = always(200)
        stage.clock.advance(40 * SECOND)
        await stage.outcome("Alder has O-1")


async def test_410_disables_the_endpoint_once_and_for_all(stage: Stage) -> None:
    stage.receiver.answers["/ok"] = always(410)
    await stage.has_endpoint("Alder")
    await stage.send("O-1")
    async with stage.engine():
        await stage.outcome("O-1: gone")
        await stage.send("O-2")
        await stage.outcome("O-2: endpoint disabled")
    endpoint = await stage.endpoint()
    assert endpoint is not None
    assert endpoint.disabled_because == "gone"
    assert len(stage.receiver.received) == 1
    async with stage.database.begin_transaction() as connection:
        assert [row.owner for row in await connection.execute(text("SELECT owner FROM gone"))] == ["Alder"]


async def test_410_from_an_old_url_does_not_disable_the_new_one(stage: Stage) -> None:
    gate = stage.receiver.answers["/old"] = Gate(410)
    await stage.has_endpoint("Alder", "/old")
    await stage.send("O-1")
    async with stage.engine():
        await until(lambda: gate.waiting == 1)
        await stage.has_endpoint("Alder", "/new")
        gate.opened.set()
        await stage.outcome("O-1: gone")
        await stage.send("O-2")
        await stage.outcome("Alder has O-2")


async def test_an_owner_without_an_endpoint_is_undeliverable_at_once(stage: Stage) -> None:
    await stage.send("O-1")
    async with stage.engine():
        await stage.outcome("O-1: no endpoint")
    assert await stage.told_at() is None
    assert await stage.attempts() == 0


async def test_what_a_dead_process_was_sending_is_sent_again_with_the_same_id(stage: Stage) -> None:
    gate = stage.receiver.answers["/ok"] = Gate()
    await stage.has_endpoint("Alder")
    await stage.send("O-1")
    async with stage.engine(elsewhere=True, limits=Limits(drain=timedelta(0))):
        await until(lambda: gate.waiting == 1)
    stage.receiver.answers["/ok"] = always(200)
    async with stage.engine():
        assert await stage.told() == []
        stage.clock.advance(LEASE)
        await stage.outcome("Alder has O-1")
    first, second = stage.receiver.received
    assert first.id == second.id


async def test_an_engine_that_is_stopped_lets_its_requests_finish(stage: Stage) -> None:
    gate = stage.receiver.answers["/ok"] = Gate()
    await stage.has_endpoint("Alder")
    await stage.send("O-1")
    async with stage.engine():
        await until(lambda: gate.waiting == 1)
        asyncio.get_running_loop().call_later(0.1, gate.opened.set)
    assert await stage.told() == ["Alder has O-1"]


async def test_a_2xx_counts_after_the_lease_was_lost_and_the_other_ones_failure_does_not(stage: Stage) -> None:
    gate = stage.receiver.answers["/ok"] = Gate()
    await stage.has_endpoint("Alder")
    await stage.send("O-1")
    async with stage.engine(elsewhere=True):
        await until(lambda: gate.waiting == 1)
        second = stage.receiver.answers["/ok"] = Gate(500)
        stage.clock.advance(LEASE)
        async with stage.engine():
            await until(lambda: second.waiting == 1)
            gate.opened.set()
            await stage.outcome("Alder has O-1")
            second.opened.set()
            await stage.attempted(2)
    [logged] = await stage.log()
    assert logged.outcome == "delivered"
    assert await stage.told() == ["Alder has O-1"]


async def test_a_failure_after_the_lease_was_lost_changes_nothing(stage: Stage) -> None:
    late = stage.receiver.answers["/ok"] = Gate(410)
    await stage.has_endpoint("Alder")
    await stage.send("O-1")
    async with stage.engine(elsewhere=True):
        await until(lambda: late.waiting == 1)
        second = stage.receiver.answers["/ok"] = Gate()
        stage.clock.advance(LEASE)
        async with stage.engine():
            await until(lambda: second.waiting == 1)
            late.opened.set()
            await stage.attempted(1)
            second.opened.set()
            await stage.outcome("Alder has O-1")
    assert await stage.told() == ["Alder has O-1"]
    endpoint = await stage.endpoint()
    assert endpoint is not None
    assert endpoint.disabled_because is None


async def test_two_engines_send_everything_and_perform_nothing_twice(stage: Stage) -> None:
    owners = [f"owner-{number}" for number in range(8)]
    for owner in owners:
        await stage.has_endpoint(owner)
    packages = [StreamKey(TOPIC, f"P-{number}") for number in range(6)]
    names = count()
    for package in packages:
        for owner in owners:
            await stage.send(f"O-{next(names)}", f"O-{next(names)}", to=owner, stream=package)

    async def all_told() -> bool:
        return len(await stage.told()) == 96

    async with stage.engine(), stage.engine(elsewhere=True), stage.engine(elsewhere=True):
        await until(all_told)
    assert sorted(each.about for each in stage.receiver.received) == sorted(f"O-{number}" for number in range(96))


async def test_at_two_minutes_it_is_given_up(stage: Stage) -> None:
    stage.receiver.answers["/ok"] = always(500)
    await stage.has_endpoint("Alder")
    stage.clock.advance(timedelta(hours=1))
    await stage.send("O-1")
    async with stage.engine():
        await stage.attempted(1)
        stage.clock.advance(GRACE - 11 * SECOND)
        await stage.attempted(2)
        assert await stage.told() == []
        stage.clock.advance(11 * SECOND)
        await stage.outcome("O-1: status 500")
    assert await stage.told_at() == MONDAY_NINE + timedelta(hours=1)
    assert len(stage.receiver.received) == 2


async def test_two_minutes_count_from_the_first_attempt_not_from_the_queue(stage: Stage) -> None:
    await stage.has_endpoint("Alder")
    await stage.send("O-1")
    stage.clock.advance(timedelta(days=1))
    async with stage.engine():
        await stage.outcome("Alder has O-1")


async def test_an_answer_at_exactly_two_minutes_is_in_time(stage: Stage) -> None:
    gate = stage.receiver.answers["/ok"] = Gate()
    await stage.has_endpoint("Alder")
    await stage.send("O-1")
    async with stage.engine():
        await until(lambda: gate.waiting == 1)
        stage.clock.advance(GRACE)
        gate.opened.set()
        await stage.outcome("Alder has O-1")
    assert await stage.told_at() == MONDAY_NINE + GRACE


async def test_a_request_that_hangs_at_two_minutes_is_cut(stage: Stage) -> None:
    gate = stage.receiver.answers["/ok"] = Gate()
    await stage.has_endpoint("Alder")
    await stage.send("O-1")
    async with stage.engine():
        await until(lambda: gate.waiting == 1)
        stage.clock.advance(GRACE + timedelta(milliseconds=1))
        await stage.outcome("O-1: timed out")
    assert await stage.told_at() == MONDAY_NINE


async def test_what_was_withdrawn_before_it_was_sent_is_never_sent(stage: Stage) -> None:
    await stage.has_endpoint("Alder")
    await stage.send("O-1", "O-2")
    assert await stage.recall("O-1")
    assert not await stage.recall("O-1")
    async with stage.engine():
        await stage.outcome("Alder has O-2")
    assert [each.about for each in stage.receiver.received] == ["O-2"]
    assert {(each.about, each.outcome) for each in await stage.log()} == {("O-1", "cancelled"), ("O-2", "delivered")}


async def test_what_was_sent_and_withdrawn_in_one_unit_of_work_is_never_sent(stage: Stage) -> None:
    async def change_ones_mind(work: PostgresUnitOfWork) -> bool:
        work.send_webhooks(Webhook("Alder", "offer.made", "O-1", {"about": "O-1"}, GRACE))
        return await work.cancel_webhook("offer.made", "O-1")

    assert await stage.do(change_ones_mind) is True
    assert await stage.log() == []


async def test_what_was_attempted_cannot_be_recalled(stage: Stage) -> None:
    gate = stage.receiver.answers["/ok"] = Gate()
    await stage.has_endpoint("Alder")
    await stage.send("O-1")
    async with stage.engine():
        await until(lambda: gate.waiting == 1)
        assert not await stage.recall("O-1")
        gate.opened.set()
        await stage.outcome("Alder has O-1")


async def test_a_2xx_for_a_parked_package_is_kept_and_handed_over_when_it_is_released(stage: Stage) -> None:
    await stage.has_endpoint("Alder")
    await stage.send("O-1")
    await stage.park()
    async with stage.engine():
        await stage.attempted(1)
        stage.clock.advance(timedelta(hours=1))
        await stage.release()
        await stage.outcome("Alder has O-1")
    assert len(stage.receiver.received) == 1
    assert await stage.told_at() == MONDAY_NINE


async def test_a_result_that_cannot_be_performed_parks_its_package_and_is_not_lost(stage: Stage) -> None:
    stage.failing = True
    await stage.has_endpoint("Alder")
    await stage.send("O-1")

    def is_counted() -> bool:
        return stage.metrics.registry.get_sample_value("calloff_parked_events_total", {"by": "webhook"}) == 1

    async with stage.engine():
        await until(is_counted)
        assert await stage.parked(P17.key)
        stage.failing = False
        await stage.release()
        await stage.outcome("Alder has O-1")
    assert len(stage.receiver.received) == 1


async def test_a_redirect_is_a_failure_and_is_not_followed(stage: Stage) -> None:
    stage.receiver.answers["/ok"] = always(302, Location=f"http://{stage.receiver.address}/elsewhere")
    await stage.has_endpoint("Alder")
    await stage.send("O-1")
    async with stage.engine():
        await stage.attempted(1)
    assert stage.receiver.at("/elsewhere") == []
    [logged] = await stage.log()
    assert logged.failure == "status 302"


async def test_a_2xx_counts_however_slowly_its_body_follows(stage: Stage) -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await asyncio.Event().wait()
        return response

    stage.receiver.answers["/ok"] = drip
    await stage.has_endpoint("Alder")
    await stage.send("O-1")
    async with stage.engine():
        await stage.outcome("Alder has O-1")


async def test_an_endless_body_is_not_read(stage: Stage) -> None:
    async def flood(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65_536)

    stage.receiver.answers["/ok"] = flood
    await stage.has_endpoint("Alder")
    await stage.send("O-1")
    async with stage.engine():
        await stage.outcome("Alder has O-1")


class Rebinding(AbstractResolver):
    """A name that points at the machine itself."""

    async def resolve(self, host: str, port: int = 0, family: int = AF_INET) -> list[ResolveResult]:
        found = ResolveResult(hostname=host, host="127.0.0.1", port=port, family=AF_INET, proto=0, flags=0)
        return [found, found]

    async def close(self) -> None: ...


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "rebound.example", "localhost"])
async def test_nothing_connects_to_a_private_address(stage: Stage, host: str) -> None:
    connected = 0

    def count_it(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connected
        connected += 1
        writer.close()

    resolver = Rebinding() if host == "rebound.example" else None
    async with await asyncio.start_server(count_it, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        await stage.has_endpoint("Alder", f"https://{host}:{port}/", rules=AddressRules([f"{host}:{port}"]))
        await stage.send("O-1")
        async with stage.engine(rules=AddressRules(), resolver=resolver):
            await stage.attempted(1)
    [logged] = await stage.log()
    assert logged.failure == "address refused"
    assert connected == 0


async def test_a_private_url_is_refused_when_it_is_registered(stage: Stage) -> None:
    with pytest.raises(InvalidInput, match="public internet"):
        await stage.has_endpoint("Alder", "https://10.0.0.1/hooks")


async def test_an_unreachable_endpoint_is_a_failure_in_closed_words(stage: Stage, unused_tcp_port: int) -> None:
    address = f"127.0.0.1:{unused_tcp_port}"
    await stage.has_endpoint("Alder", f"http://{address}/", rules=AddressRules([address]))
    await stage.send("O-1")
    async with stage.engine(rules=AddressRules([address])):
        await stage.attempted(1)
    [logged] = await stage.log()
    assert logged.failure == "connection failed"


async def test_while_a_secret_is_rotated_both_are_good_then_only_the_new_one(stage: Stage) -> None:
    old = await stage.has_endpoint("Alder")

    async def rotate(work: PostgresUnitOfWork) -> str:
        endpoints = stage.outlet().open_endpoints(work.connection, now=work.now)
        return await endpoints.rotate_secret("Alder", overlap=timedelta(days=1))

    new = str(await stage.do(rotate))
    async with stage.engine():
        await stage.send("O-1")
        await stage.outcome("Alder has O-1")
        stage.clock.advance(timedelta(days=1))
        await stage.send("O-2")
        await stage.outcome("Alder has O-2")
    during, after = stage.receiver.received
    for secret in (old, new):
        Verifier(secret).verify(during.body, during.headers)
    Verifier(new).verify(after.body, after.headers)
    assert " " not in after.headers["webhook-signature"]


async def test_a_secret_is_shown_once_and_stored_encrypted(stage: Stage) -> None:
    secret = await stage.has_endpoint("Alder")
    assert secret.startswith("whsec_")
    assert await stage.has_endpoint("Alder", "/moved") == "None"
    assert secret not in repr(await stage.endpoint())
    async with stage.database.begin_transaction() as connection:
        stored = (await connection.execute(text("SELECT secret FROM endpoints"))).scalar_one()
    assert secret.encode() not in stored
    assert base64.b64decode(secret.removeprefix("whsec_")) not in stored


async def test_a_disabled_endpoint_gets_nothing_until_it_is_put_again(stage: Stage) -> None:
    await stage.has_endpoint("Alder")

    async def disable(work: PostgresUnitOfWork) -> bool:
        return await stage.outlet().open_endpoints(work.connection, now=work.now).disable("Alder", because="by officer")

    assert await stage.do(disable) is True
    assert await stage.do(disable) is False
    await stage.send("O-1")
    async with stage.engine():
        await stage.outcome("O-1: endpoint disabled")
        await stage.has_endpoint("Alder")
        await stage.send("O-2")
        await stage.outcome("Alder has O-2")


async def test_rotating_the_secret_of_nobody_says_so(stage: Stage) -> None:
    async def rotate(work: PostgresUnitOfWork) -> str:
        return await stage.outlet().open_endpoints(work.connection, now=work.now).rotate_secret("Alder", overlap=SECOND)

    with pytest.raises(EndpointNotFound):
        await stage.do(rotate)


async def test_the_log_is_read_by_owner_and_by_package_and_holds_no_bodies(stage: Stage) -> None:
    await stage.has_endpoint("Alder")
    await stage.has_endpoint("Birch")
    await stage.send("O-1")
    await stage.send("O-2", to="Birch")
    async with stage.engine():
        await stage.outcome("Alder has O-1")
        await stage.outcome("Birch has O-2")
    assert [each.about for each in await stage.log("Alder")] == ["O-1"]
    both = await stage.log(P17)
    assert [each.about for each in both] == ["O-2", "O-1"]
    assert all(each.attempts[0].status == 200 for each in both)
    assert "data" not in repr(both)


async def test_a_kind_that_nobody_follows_is_simply_finished(stage: Stage) -> None:
    await stage.has_endpoint("Alder")
    await stage.send("O-1", kind="offer.withdrawn")

    async def finished() -> bool:
        return [each.outcome for each in await stage.log()] == ["delivered"]

    async with stage.engine():
        await until(finished)
    assert await stage.told() == []


@asynccontextmanager
async def no_result_counted_yet(stage: Stage) -> AsyncGenerator[None]:
    """Handlers wait, so that more results gather than can be performed side by side."""
    async with stage.database.begin_transaction() as connection:
        await connection.execute(text("LOCK TABLE told IN ACCESS EXCLUSIVE MODE"))
        yield


async def sent_at_once(stage: Stage, owners: Sequence[str]) -> Gate:
    """A webhook about a package of its own for each owner, all of them waiting for their answer."""
    gate = stage.receiver.answers["/ok"] = Gate()
    for owner in owners:
        await stage.has_endpoint(owner)
        await stage.send(f"O-{owner}", to=owner, stream=StreamKey(TOPIC, f"P-{owner}"))
    return gate


async def test_results_that_wait_together_share_a_transaction(stage: Stage) -> None:
    owners = [f"Owner {number}" for number in range(3 * MAX_EXECUTED)]
    gate = await sent_at_once(stage, owners)
    async with stage.engine():
        await until(lambda: gate.waiting == len(owners))
        async with no_result_counted_yet(stage):
            gate.opened.set()
            await until(lambda: len(stage.receiver.accepted) == len(owners))
            await until(stage.hands_are_full)
        await until(lambda: stage.told_of(len(owners)))
    async with stage.database.begin_transaction() as connection:
        transactions = await connection.execute(text("SELECT count(DISTINCT xmin::text) FROM told"))
        assert transactions.scalar_one() < len(owners)


async def test_a_result_that_fails_costs_those_beside_it_nothing(stage: Stage) -> None:
    owners = ["Poison", *(f"Owner {number}" for number in range(2 * MAX_EXECUTED))]
    gate = await sent_at_once(stage, owners)
    async with stage.engine():
        await until(lambda: gate.waiting == len(owners))
        async with no_result_counted_yet(stage):
            gate.opened.set()
            await until(lambda: len(stage.receiver.accepted) == len(owners))
            await until(stage.hands_are_full)
        await until(lambda: stage.told_of(len(owners) - 1))
        await until(lambda: stage.parked("P-Poison"))
    assert await stage.told() == sorted(f"{owner} has O-{owner}" for owner in owners[1:])


async def test_a_database_that_goes_away_for_a_moment_loses_no_answer(stage: Stage) -> None:
    gate = stage.receiver.answers["/ok"] = Gate()
    await stage.has_endpoint("Alder")
    await stage.send("O-1")
    cut = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
               "AND pid <> pg_backend_pid()")  # fmt: skip

    async def told_in_the_end() -> bool:
        try:
            return await stage.told() == ["Alder has O-1"]
        except Exception as error:  # our own connections were cut as well
            if is_transient(error):
                return False
            raise

    async with stage.engine():
        await until(lambda: gate.waiting == 1)
        async with stage.database.begin_transaction() as connection:
            await connection.execute(cut)
        gate.opened.set()
        await until(told_in_the_end)
    assert len(stage.receiver.received) == 1
