"""Readiness: a consumer that fails while Kafka answers makes the process unready, and it recovers by itself."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

import aiohttp
import pytest

from contracts.catalogue import PACKAGES
from contracts.events.packages import WithdrawalRequested
from service_runtime.kafka import progress
from service_runtime.postgres.database import Database
from service_runtime.projections.projections import Projection
from service_runtime.runner import Runner
from service_runtime.service import Service
from service_runtime.settings import RuntimeSettings
from testkit.databases import fetch_rows
from testkit.running_services import build_settings
from testkit.sample_service import SAVE_ROWS, SUBSCRIPTIONS, TIMERS, SampleService, SampleUnitOfWork
from testkit.servers import TestKafka
from testkit.tokens import TokenIssuer
from testkit.topics import move_group_to_end
from testkit.waiting import wait_until

pytestmark = pytest.mark.timeout(600)

REQUESTS: Final = Projection("requests", (WithdrawalRequested,), lambda event: str(event.package_id))


@asynccontextmanager
async def run_process(sample: SampleService) -> AsyncGenerator[str]:
    """Runs the sample service with a projection as one process that logs to `sample`; yields its probe's address."""
    async with TokenIssuer().serve() as issuer:
        settings = build_settings(RuntimeSettings, database_url=sample.database.url, kafka=sample.kafka, issuer=issuer)
        service = Service(
            name=sample.name,
            description="a test",
            settings=settings,
            database=Database(sample.database.url, name=sample.name),
            unit_of_work=SampleUnitOfWork,
            save_rows=SAVE_ROWS,
            migrations=Path(),
            subscriptions=SUBSCRIPTIONS,
            timers=TIMERS,
            projections=(REQUESTS,),
        )
        stop = asyncio.Event()
        running = asyncio.create_task(Runner(service, log=sample.logs).run(stop))
        try:
            yield f"http://127.0.0.1:{settings.port}/readyz"
        finally:
            stop.set()
            await running


async def read_probe(url: str) -> tuple[int, str]:
    """Returns the status and the text of a probe; 0 while nothing answers."""
    async with aiohttp.ClientSession(trust_env=False) as http:
        try:
            async with http.get(url) as response:
                return response.status, await response.text()
        except aiohttp.ClientError:
            return 0, ""


async def is_ready(url: str) -> bool:
    return (await read_probe(url))[0] == 200


async def test_a_process_is_not_ready_while_a_consumer_fails_and_is_ready_again_when_it_succeeds(
    sample: SampleService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "UNREADY_AFTER", 1.0)
    group = f"calloff.{sample.name}.view.1"
    await move_group_to_end(sample.kafka, group, [PACKAGES])
    async with run_process(sample) as url:
        await wait_until(lambda: is_ready(url), within=120)
        await fetch_rows(sample.database, "ALTER TABLE holds RENAME TO hidden")
        await sample.request_withdrawal(package := uuid4())

        async def explains_consumer() -> bool:
            status, content = await read_probe(url)
            return status == 503 and group in content and "StatementRefused" in content

        await wait_until(explains_consumer, within=120)
        assert await fetch_rows(sample.database, "SELECT 1 FROM unreadable_records") == []
        await fetch_rows(sample.database, "ALTER TABLE hidden RENAME TO holds")
        await wait_until(lambda: is_ready(url), within=120)
        found = "SELECT 1 FROM projections WHERE key = :key"
        assert await fetch_rows(sample.database, found, key=str(package))


async def test_a_process_stays_ready_while_kafka_does_not_answer(
    sample: SampleService, own_kafka: TestKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = own_kafka.server
    assert server is not None
    await move_group_to_end(sample.kafka, f"calloff.{sample.name}.view.1", [PACKAGES])
    async with run_process(sample) as url:
        await wait_until(lambda: is_ready(url), within=120)
        monkeypatch.setattr(progress, "UNREADY_AFTER", 3.0)
        await wait_until(lambda: is_ready(url), within=60)
        await asyncio.to_thread(server.kill)

        async def has_failed_while_ready() -> bool:
            assert await is_ready(url), await read_probe(url)
            failures = [
                *sample.logs.find_entries("batch consumer rebuilt"),
                *sample.logs.find_entries("consumer rebuilt"),
            ]
            return len(failures) >= 20

        try:
            await sample.request_withdrawal(uuid4())
            await wait_until(has_failed_while_ready, within=120)
        finally:
            await asyncio.to_thread(server.start)
