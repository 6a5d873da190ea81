"""What the runtime's tests share: databases with the turnstile's tables, its parts, and Kafka with the topics."""

import asyncio
import os
import secrets
import signal
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from contracts.catalogue import PACKAGES, PARKED, PROVIDERS
from service_runtime.kafka import client as kafka
from service_runtime.kafka.client import create_topics
from service_runtime.postgres.database import Database
from testkit import sample_service as turnstile
from testkit.databases import a_database
from testkit.sample_service import Turnstile
from testkit.servers import TestKafka, TestPostgres
from testkit.topics import begin_at_the_end

LARGEST_PROVIDER_RECORD = 20_000
"""Bytes: what Kafka takes in the providers' topic here, far below our own limit, so that it is Kafka that refuses."""
CHILD = Path(__file__).parent / "child.py"

Crash = Callable[[str, Turnstile], Awaitable[None]]


@pytest_asyncio.fixture
async def database(postgres: TestPostgres) -> AsyncGenerator[Database]:
    async with a_database(postgres, turnstile.TABLES) as made:
        yield made


@pytest_asyncio.fixture(scope="session")
async def bootstrap(own_kafka: TestKafka) -> str:
    """Kafka with the topics; tests may kill it, and leave it running."""
    admin = AIOKafkaAdminClient(bootstrap_servers=own_kafka.bootstrap)
    await admin.start()
    limit = {"max.message.bytes": str(LARGEST_PROVIDER_RECORD)}
    await admin.create_topics([NewTopic(PROVIDERS, 12, 1, topic_configs=limit)])
    await admin.close()
    await create_topics(own_kafka.bootstrap, [PACKAGES, PARKED])
    return own_kafka.bootstrap


@pytest_asyncio.fixture
async def gate(database: Database, bootstrap: str) -> Turnstile:
    """A turnstile of its own: a new database, a new name, and so a new consumer group."""
    gate = Turnstile(f"turnstile-{secrets.token_hex(4)}", database, bootstrap)
    await begin_at_the_end(bootstrap, gate.consumer().group, [PACKAGES])
    return gate


@pytest.fixture
def short_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    """A member that was killed is missed after 2 s, not 6; the child does the same."""
    monkeypatch.setattr(kafka, "SESSION_TIMEOUT_MS", 2_000)


@pytest.fixture
def crash(short_sessions: None) -> Crash:
    """Runs a real process until it reaches the named point, where it kills itself with SIGKILL."""

    async def run(point: str, gate: Turnstile) -> None:
        environment = {
            **os.environ,
            "TURNSTILE_NAME": gate.name,
            "TURNSTILE_DATABASE": gate.database.url,
            "TURNSTILE_KAFKA": gate.bootstrap,
        }
        child = await asyncio.create_subprocess_exec(
            sys.executable, CHILD, point, env=environment, stderr=asyncio.subprocess.PIPE
        )
        try:
            async with asyncio.timeout(40):
                _, said = await child.communicate()
        except TimeoutError:
            child.kill()
            await child.communicate()
            raise
        assert child.returncode == -signal.SIGKILL, said.decode()

    return run
