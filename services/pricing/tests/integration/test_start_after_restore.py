"""`python -m pricing` on a database that was restored alone, on its newest copy, and after a crash."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import aiohttp
import pytest

from contracts.catalogue import TOPICS
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.kafka.topic_admin import create_topics
from service_runtime.outbox.outbox_table import is_outbox_empty
from service_runtime.postgres import schema
from service_runtime.postgres.database import Database
from testkit import sample_service
from testkit.foreign_topics import set_topic_setting
from testkit.running_services import find_free_port
from testkit.sample_service import SampleService, run_tasks
from testkit.servers import TestKafka, TestPostgres
from testkit.waiting import wait_until

pytestmark = pytest.mark.timeout(1_800)

LONGEST_START = 400.0


@dataclass(frozen=True)
class Program:
    """`python -m pricing` on one database."""

    database_url: str
    bootstrap: str

    @asynccontextmanager
    async def start(self, *arguments: str, port: int = 0) -> AsyncGenerator[asyncio.subprocess.Process]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CALLOFF_")}
        environment |= {
            "CALLOFF_DATABASE_URL": self.database_url,
            "CALLOFF_KAFKA_BOOTSTRAP": self.bootstrap,
            "CALLOFF_PORT": str(port or find_free_port()),
            "CALLOFF_TOKEN_ISSUER": "http://127.0.0.1:1",
            "CALLOFF_TOKEN_JWKS_URL": "http://127.0.0.1:1/jwks",
            "CALLOFF_FINGERPRINT_KEY": "f" * 32,
        }
        command = (sys.executable, "-m", "pricing", *arguments)
        process = await asyncio.create_subprocess_exec(*command, env=environment, stderr=asyncio.subprocess.PIPE)
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    async def run(self, *arguments: str) -> tuple[int | None, str]:
        """Runs to its end; returns its exit status and what it wrote last."""
        async with self.start(*arguments) as process, asyncio.timeout(LONGEST_START):
            _, errors = await process.communicate()
            return process.returncode, (errors.decode().splitlines() or [""])[-1]

    @asynccontextmanager
    async def start_ready(self) -> AsyncGenerator[asyncio.subprocess.Process]:
        """Starts it on a port that is free just now, and waits until it is ready."""
        port = find_free_port()
        async with self.start(port=port) as process:
            await self._wait_until_ready(process, port)
            yield process

    async def _wait_until_ready(self, process: asyncio.subprocess.Process, port: int) -> None:
        async with aiohttp.ClientSession(trust_env=False) as http:

            async def is_ready() -> bool:
                if process.returncode is not None:
                    _, errors = await process.communicate()
                    raise AssertionError(f"the process ended with {process.returncode}: {errors.decode()}")
                try:
                    async with http.get(f"http://127.0.0.1:{port}/readyz") as response:
                        return response.status == 200
                except aiohttp.ClientError:
                    return False

            await wait_until(is_ready, within=LONGEST_START)


class Pricing:
    """The database of pricing, and events that pricing publishes from it."""

    def __init__(self, postgres: TestPostgres, url: str, bootstrap: str) -> None:
        self._postgres = postgres
        self.database = Database(url)
        self.sample = SampleService("pricing", self.database, KafkaConnection(bootstrap))

    async def publish(self) -> None:
        async with run_tasks(self.sample.build_relay().run()):
            await self.sample.request_withdrawal(uuid4())
            await wait_until(lambda: is_outbox_empty(self.database), within=60)

    async def copy(self) -> str:
        await self.database.close()  # PostgreSQL copies only a database without connections
        return await self._postgres.create_database("pricing_copy", template=self.database.url)


@pytest.fixture(scope="module")
async def migrated(postgres: TestPostgres, own_empty_kafka: TestKafka) -> str:
    """The address of a migrated database without rows, to copy."""
    await create_topics(own_empty_kafka.connection, TOPICS)
    url = await postgres.create_database("pricing")
    assert (await Program(url, own_empty_kafka.bootstrap).run("migrate"))[0] == 0
    database = Database(url)
    async with database.begin_transaction() as connection:
        for statement in schema.split_statements(sample_service.TABLES):
            await connection.run(statement)
    await database.close()
    return url


async def test_pricing_restored_alone_is_refused_and_starts_on_its_newest_copy_and_after_a_crash(
    postgres: TestPostgres, migrated: str, own_empty_kafka: TestKafka
) -> None:
    bootstrap = own_empty_kafka.bootstrap
    pricing = Pricing(postgres, await postgres.create_database("pricing", template=migrated), bootstrap)
    await pricing.publish()
    older = await pricing.copy()
    await pricing.publish()
    newest = await pricing.copy()

    status, line = await Program(older, bootstrap).run()
    assert status == 78
    assert line.startswith("calloff pricing: the database of pricing is older than what pricing has published:")
    assert "restore a newer back-up" in line

    program = Program(newest, bootstrap)
    async with program.start_ready():
        pass

    await pricing.sample.request_withdrawal(uuid4())
    assert not await is_outbox_empty(pricing.database)
    program = Program(pricing.database.url, bootstrap)
    async with program.start_ready() as process:
        await wait_until(lambda: is_outbox_empty(pricing.database), within=60)
        process.kill()
        assert await process.wait() == -signal.SIGKILL
    async with program.start_ready() as process:
        process.terminate()
        assert await process.wait() == 0
    await pricing.database.close()


async def test_pricing_does_not_start_on_a_topic_that_deletes_events(migrated: str, own_empty_kafka: TestKafka) -> None:
    program = Program(migrated, own_empty_kafka.bootstrap)
    await set_topic_setting(own_empty_kafka.connection, "homecare.rates.v1", "retention.ms", "60000")
    try:
        async with program.start() as process:
            assert process.stderr is not None
            async with asyncio.timeout(LONGEST_START):
                while not (line := (await process.stderr.readline()).decode()).startswith("calloff"):
                    assert line
        assert line.startswith("calloff pricing: topic homecare.rates.v1 has retention.ms=60000, it must be -1;")
    finally:
        await set_topic_setting(own_empty_kafka.connection, "homecare.rates.v1", "retention.ms", "-1")


async def test_pricing_that_waits_for_kafka_ends_when_it_is_stopped(migrated: str) -> None:
    async with Program(migrated, "127.0.0.1:1").start() as process:
        assert process.stderr is not None
        async with asyncio.timeout(LONGEST_START):
            while b"waiting to start" not in await process.stderr.readline():
                pass
        process.terminate()
        assert await process.wait() == 0
