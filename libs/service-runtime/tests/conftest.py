"""What the runtime's tests share: databases with the sample service's tables, its parts, and Kafka with the topics."""

import asyncio
import os
import secrets
import signal
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from pydantic import SecretStr

from contracts.catalogue import PACKAGES, PARKED, PROVIDERS
from service_runtime.kafka import client as kafka
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.kafka.topic_admin import create_topics
from service_runtime.postgres.database import Database
from service_runtime.runner import Runner
from service_runtime.service import Service
from service_runtime.settings import RuntimeSettings
from testkit import http_edge, sample_service, webhooks
from testkit.captured_logs import CapturedLogs
from testkit.databases import a_database
from testkit.http_edge import EdgeClient
from testkit.http_server import serve_app
from testkit.sample_service import SAVE_ROWS, SUBSCRIPTIONS, TIMERS, SampleService, SampleUnitOfWork
from testkit.servers import TestKafka, TestPostgres
from testkit.tokens import TokenIssuer
from testkit.topics import move_group_to_end
from testkit.webhook_receiver import Receiver
from testkit.webhooks import WebhookHarness

CHILD = Path(__file__).parent / "child.py"

Crash = Callable[[str, SampleService], Awaitable[None]]


@pytest_asyncio.fixture
async def database(postgres: TestPostgres) -> AsyncGenerator[Database]:
    async with a_database(postgres, sample_service.TABLES) as made:
        yield made


@pytest_asyncio.fixture(scope="session")
async def kafka_connection(own_kafka: TestKafka) -> KafkaConnection:
    """How to reach a Kafka with the topics. A test that kills it starts it again."""
    await create_topics(own_kafka.connection, [PROVIDERS, PACKAGES, PARKED])
    return own_kafka.connection


@pytest_asyncio.fixture
async def sample(database: Database, kafka_connection: KafkaConnection) -> SampleService:
    """A sample service with a new database, a new name, and therefore a new consumer group."""
    sample = SampleService(f"sample-{secrets.token_hex(4)}", database, kafka_connection)
    await move_group_to_end(kafka_connection, sample.build_consumer().group, [PACKAGES])
    return sample


@pytest.fixture
def short_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kafka removes a killed member from its group after 2 s instead of 6 s; child.py sets the same."""
    monkeypatch.setattr(kafka, "SESSION_TIMEOUT_MS", 2_000)


@pytest.fixture
def crash(short_sessions: None) -> Crash:
    """Runs child.py until it reaches the named point, where it kills itself with SIGKILL."""

    async def run(point: str, sample: SampleService) -> None:
        environment = {
            **os.environ,
            "SAMPLE_NAME": sample.name,
            "SAMPLE_DATABASE": sample.database.url,
            "SAMPLE_KAFKA": sample.kafka.bootstrap,
        }
        child = await asyncio.create_subprocess_exec(
            sys.executable, CHILD, point, env=environment, stderr=asyncio.subprocess.PIPE
        )
        try:
            async with asyncio.timeout(40):
                _, errors = await child.communicate()
        except TimeoutError:
            child.kill()
            await child.communicate()
            raise
        assert child.returncode == -signal.SIGKILL, errors.decode()

    return run


@pytest_asyncio.fixture
async def webhook_receiver() -> AsyncGenerator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/{path:.*}", receiver.receive)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0]
    receiver.address = f"{host}:{port}"
    yield receiver
    await runner.cleanup()


@pytest_asyncio.fixture
async def harness(postgres: TestPostgres, webhook_receiver: Receiver) -> AsyncGenerator[WebhookHarness]:
    async with a_database(postgres, webhooks.TABLES, name="webhooks") as database:
        yield WebhookHarness(database, webhook_receiver)


@pytest_asyncio.fixture
async def client(database: Database) -> AsyncGenerator[EdgeClient]:
    async with TokenIssuer().serve() as issuer:
        log = CapturedLogs()
        service = Service(
            name="sample",
            description="a test",
            settings=RuntimeSettings(
                database_url=SecretStr(database.url),
                kafka_bootstrap=http_edge.NOWHERE,
                token_issuer=issuer.issuer,
                token_jwks_url=issuer.jwks_url,
                fingerprint_key=SecretStr("f" * 32),
            ),
            database=database,
            unit_of_work=SampleUnitOfWork,
            save_rows=SAVE_ROWS,
            migrations=Path(),
            routes=(http_edge.router,),
            subscriptions=SUBSCRIPTIONS,
            timers=TIMERS,
        )
        app = Runner(service, log=log).build_app()
        app.state.ready.set()
        async with serve_app(app) as url:
            client = EdgeClient(url, issuer, app, log)
            yield client
            await client.session.close()
