"""PostgreSQL killed or read-only under load: callers are asked to try again, and nothing is parked, lost or doubled."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import aiohttp
import pytest
import pytest_asyncio
from pydantic import SecretStr
from sqlalchemy import text

from contracts.catalogue import PACKAGES
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.kafka.event_handler import build_group_id
from service_runtime.outbox.outbox_table import is_outbox_empty
from service_runtime.postgres.database import Database
from service_runtime.runner import Runner
from service_runtime.service import Service
from service_runtime.settings import RuntimeSettings
from testkit import http_edge, sample_service, webhooks
from testkit.captured_logs import CapturedLogs
from testkit.databases import a_database, fetch_number, fetch_rows
from testkit.running_services import find_free_port
from testkit.sample_service import SAVE_ROWS, SUBSCRIPTIONS, TIMERS, SampleUnitOfWork, run_tasks, to_stream_key
from testkit.servers import TestPostgres
from testkit.tokens import TokenIssuer
from testkit.topics import move_group_to_end
from testkit.waiting import wait_until
from testkit.webhook_receiver import Receiver
from testkit.webhooks import WebhookHarness

pytestmark = pytest.mark.timeout(900)

KILLS = 4
SEED = 1411
SENDERS = 6


@dataclass
class Load:
    """Requests to a running service, each repeated with its Idempotency-Key until it is answered 201."""

    url: str
    issuer: TokenIssuer
    session: aiohttp.ClientSession
    done: list[UUID] = field(default_factory=list[UUID])
    answers: Counter[int] = field(default_factory=Counter[int])
    without_retry_after: int = 0
    is_ending: bool = False

    async def post_until_done(self, package: UUID) -> None:
        headers = self.issuer.build_bearer_header(http_edge.SCOPE) | {"Idempotency-Key": uuid4().hex}
        body = {"package_id": str(package), "times": 1}
        while True:
            async with self.session.post(f"{self.url}/v1/withdrawals", json=body, headers=headers) as answer:
                self.answers[answer.status] += 1
                if answer.status == 201:
                    self.done.append(package)
                    return
                self.without_retry_after += "Retry-After" not in answer.headers
            await asyncio.sleep(0.1)

    async def _keep_posting(self) -> None:
        packages = [uuid4() for _ in range(5)]
        while not self.is_ending:
            for package in packages:
                await self.post_until_done(package)

    @asynccontextmanager
    async def sending(self) -> AsyncGenerator[None]:
        """Posts from several senders until the block ends; then waits until each has its last answer."""
        async with asyncio.TaskGroup() as senders:
            for _ in range(SENDERS):
                senders.create_task(self._keep_posting())
            yield
            self.is_ending = True

    async def read_readiness(self) -> tuple[int, str]:
        async with self.session.get(f"{self.url}/readyz") as answer:
            return answer.status, await answer.text()

    async def wait_for_answers(self, more: int, status: int = 201) -> None:
        until = self.answers[status] + more
        await wait_until(lambda: self.answers[status] >= until, within=300)


@dataclass
class RunningSample:
    """The sample service as a process runs it, and a webhook engine on the same database."""

    database: Database
    load: Load
    logs: CapturedLogs
    webhooks: WebhookHarness
    server: TestPostgres

    async def is_finished(self) -> bool:
        """True when every request was handled once as an event, and nothing waits for Kafka."""
        handled = await fetch_number(self.database, "SELECT count(*) FROM handled_events")
        return handled >= len(self.load.done) and await is_outbox_empty(self.database)

    async def check(self) -> None:
        await wait_until(self.is_finished, within=300)
        rows = await fetch_rows(self.database, "SELECT key FROM journal WHERE type LIKE '%WithdrawalRequested%'")
        assert Counter(row.key for row in rows) == Counter(map(str, self.load.done)), "each request counted once"
        handled = await fetch_rows(self.database, "SELECT event_id FROM handled_events")
        assert len({row.event_id for row in handled}) == len(handled) == len(self.load.done)
        assert await fetch_number(self.database, "SELECT count(*) FROM streams WHERE parked_because IS NOT NULL") == 0
        assert set(self.load.answers) <= {201, 409, 503}, self.load.answers
        assert self.load.without_retry_after == 0


@pytest_asyncio.fixture
async def running(
    own_postgres: TestPostgres, kafka_connection: KafkaConnection, webhook_receiver: Receiver
) -> AsyncGenerator[RunningSample]:
    async with (
        a_database(own_postgres, sample_service.TABLES, webhooks.TABLES) as database,
        TokenIssuer().serve() as issuer,
        aiohttp.ClientSession() as session,
    ):
        logs = CapturedLogs()
        service = build_service(database, kafka_connection, issuer)
        await move_group_to_end(kafka_connection, build_group_id(service.name), [PACKAGES])
        load = Load(f"http://127.0.0.1:{service.settings.port}", issuer, session)
        harness = WebhookHarness(database, webhook_receiver)
        async with running_process(service, logs):
            await wait_until(lambda: is_ready(load), within=60)
            yield RunningSample(database, load, logs, harness, own_postgres)


def build_service(database: Database, kafka: KafkaConnection, issuer: TokenIssuer) -> Service[SampleUnitOfWork]:
    settings = RuntimeSettings(
        database_url=SecretStr(database.url),
        kafka_bootstrap=kafka.bootstrap,
        token_issuer=issuer.issuer,
        token_jwks_url=issuer.jwks_url,
        fingerprint_key=SecretStr("f" * 32),
        port=find_free_port(),
        drain_within=3,
    )
    return Service(
        name=f"sample-{uuid4().hex[:8]}",
        description="a test",
        settings=settings,
        database=database,
        unit_of_work=SampleUnitOfWork,
        save_rows=SAVE_ROWS,
        migrations=Path(),
        routes=(http_edge.router,),
        subscriptions=SUBSCRIPTIONS,
        timers=TIMERS,
    )


@asynccontextmanager
async def running_process(service: Service[SampleUnitOfWork], logs: CapturedLogs) -> AsyncGenerator[None]:
    stop = asyncio.Event()
    process = asyncio.create_task(Runner(service, log=logs).run(stop))
    try:
        yield
    finally:
        stop.set()
        await process


async def is_ready(load: Load) -> bool:
    try:
        return (await load.read_readiness())[0] == 200
    except aiohttp.ClientError:
        return False


async def is_not_ready(load: Load) -> str | None:
    status, reason = await load.read_readiness()
    return reason if status == 503 else None


async def queue_webhooks(harness: WebhookHarness, queued: list[str]) -> None:
    """Queues webhooks about different packages until it is cancelled; lists those whose commit was acknowledged."""
    while True:
        about = f"A-{uuid4().hex[:12]}"
        try:
            await harness.queue_webhooks(about, stream=to_stream_key(uuid4()))
        except Exception:  # noqa: BLE001  the database is away; what was queued nevertheless is delivered, too
            await asyncio.sleep(0.1)
        else:
            queued.append(about)
            await asyncio.sleep(0.02)


async def test_kills_of_postgresql_under_load_park_nothing_and_lose_nothing(running: RunningSample) -> None:
    server, chance = running.server.server, random.Random(SEED)
    assert server is not None
    queued: list[str] = []
    await running.webhooks.put_endpoint("Alder")
    async with running.webhooks.run_engine():
        async with running.load.sending(), run_tasks(queue_webhooks(running.webhooks, queued)):
            for _ in range(KILLS):
                await running.load.wait_for_answers(chance.randrange(20, 60))
                await asyncio.to_thread(server.kill)
                await running.load.wait_for_answers(1, status=503)
                await asyncio.to_thread(server.start)
            await running.load.wait_for_answers(20)
            await wait_until(lambda: is_ready(running.load), within=60)
        await running.check()
        await wait_until(lambda: has_all_results(running.webhooks, queued), within=120)
    assert running.logs.find_entries("key parked") == []
    assert running.logs.find_entries("request failed") == []


async def has_all_results(harness: WebhookHarness, queued: list[str]) -> bool:
    """True when every queued webhook has its result; the clock passes the leases of those that were cut off."""
    harness.clock.advance(webhooks.LEASE)
    return {f"Alder has {about}" for about in queued} <= set(await harness.list_results())


async def set_read_only(server: TestPostgres, *, value: str) -> None:
    administration = Database(server.url, name="administration", pool_size=2)
    try:
        async with administration.open_unpooled_connection() as connection:
            await connection.run("SET default_transaction_read_only = off")
            await connection.run(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
            await connection.run("SELECT pg_reload_conf()")
    finally:
        await administration.close()


async def test_a_read_only_database_is_answered_with_retry_after_and_work_continues_afterwards(
    running: RunningSample,
) -> None:
    async with running.load.sending():
        await running.load.wait_for_answers(30)
        former = await list_connections(running)
        await set_read_only(running.server, value="on")
        try:
            reason = await wait_until(lambda: is_not_ready(running.load), within=60)
            assert "read-only" in reason
            await running.load.wait_for_answers(3 * SENDERS, status=503)
            # The listener looks every two seconds, and does not notice a shorter time.
            await wait_until(lambda: running.logs.find_entries("not listening to other processes"), within=60)
        finally:
            await set_read_only(running.server, value="off")
        await wait_until(lambda: is_ready(running.load), within=60)
        await running.load.wait_for_answers(30)
    await running.check()
    await wait_until(lambda: has_left(running, former), within=60)
    assert running.logs.find_entries("request failed") == []


async def has_left(running: RunningSample, former: set[int]) -> bool:
    """Returns True when no connection to the former primary is kept: an idle one is replaced when it is next used."""
    async with AsyncExitStack() as used:
        for _ in range(running.database.pool_usage[0]):
            await used.enter_async_context(running.database.open_read_connection())
    return not (former & await list_connections(running))


async def list_connections(running: RunningSample) -> set[int]:
    """Returns the server processes of the pool, without that of the relay's lock."""
    async with running.database.begin_transaction() as connection:
        rows = await connection.execute(
            text(
                """
                SELECT pid FROM pg_stat_activity
                WHERE datname = current_database() AND pid NOT IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')
                """
            )
        )
        return {row.pid for row in rows}


async def test_a_full_disk_is_answered_with_retry_after_and_named_until_there_is_room(running: RunningSample) -> None:
    async with running.database.begin_transaction() as connection:
        await connection.run(FULL_DISK)
    async with running.load.sending():
        await running.load.wait_for_answers(2, status=503)
        assert "disk of the database is full" in await wait_until(lambda: is_not_ready(running.load))
        async with running.database.begin_transaction() as connection:
            await connection.run("DROP TRIGGER full_disk ON journal")
        await running.load.wait_for_answers(2)
        await wait_until(lambda: is_ready(running.load), within=60)
    await running.check()


FULL_DISK = """
CREATE FUNCTION refuse_for_want_of_room() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full';
END $$;
CREATE TRIGGER full_disk BEFORE INSERT ON journal FOR EACH STATEMENT EXECUTE FUNCTION refuse_for_want_of_room();
"""
