"""The order of a start: projections before any decision, and events that arrived meanwhile before overdue timers."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import aiohttp
from pydantic import SecretStr

from contracts.events.packages import WithdrawalRequested
from service_runtime.clock import SystemClock
from service_runtime.outbox.outbox_table import is_outbox_empty
from service_runtime.postgres.database import Database
from service_runtime.projections.projections import Projection
from service_runtime.runner import Runner
from service_runtime.service import Service
from service_runtime.settings import RuntimeSettings
from service_runtime.subscriptions import Subscription, on
from testkit.databases import fetch_number
from testkit.running_services import find_free_port
from testkit.sample_service import SAMPLE_TIMER, SAVE_ROWS, TIMERS, SampleService, SampleUnitOfWork, run_tasks
from testkit.waiting import wait_until

REQUESTS = Projection("requests", event_types=(WithdrawalRequested,), key=lambda event: str(event.package_id))
EVENTS = 40
"""Enough that the consumer of events and that of projections would overlap if they started together."""


@asynccontextmanager
async def run_service(
    sample: SampleService,
    subscriptions: Sequence[Subscription[SampleUnitOfWork]],
    # Any: projections of different events have no common type.
    projections: Sequence[Projection[Any]] = (),
    *,
    role: Literal["api", "worker", "all"] = "all",
) -> AsyncGenerator[str]:
    """Runs the sample service as a process does, on the database and the groups of `sample`; yields its URL."""
    settings = RuntimeSettings(
        database_url=SecretStr(sample.database.url),
        kafka_bootstrap=sample.kafka.bootstrap,
        token_issuer="https://nobody.example",
        token_jwks_url="https://nobody.example/keys",
        fingerprint_key=SecretStr("f" * 32),
        port=find_free_port(),
        role=role,
    )
    service = Service(
        name=sample.name,
        description="a test",
        settings=settings,
        database=Database(sample.database.url),  # which the process closes at its end
        unit_of_work=SampleUnitOfWork,
        save_rows=SAVE_ROWS,
        migrations=Path(),
        subscriptions=subscriptions,
        timers=TIMERS,
        projections=projections,
    )
    stop = asyncio.Event()
    running = asyncio.create_task(Runner(service, log=sample.logs).run(stop))
    try:
        yield f"http://127.0.0.1:{settings.port}"
    finally:
        stop.set()
        await running


async def test_an_overdue_timer_does_not_overtake_the_events_that_cancel_it(sample: SampleService) -> None:
    """The answer arrived while the service was down, before its offer expired."""

    async def cancel_timer(event: WithdrawalRequested, work: SampleUnitOfWork) -> None:
        await work.record_event(event.package_id)
        work.cancel(SAMPLE_TIMER, str(event.package_id))

    overdue = SystemClock().now() - timedelta(minutes=1)
    async with run_tasks(sample.build_relay().run()):
        for _ in range(EVENTS):
            await sample.request_withdrawal(uuid4(), close_at=overdue)
        await wait_until(lambda: is_outbox_empty(sample.database), within=60)
    assert await fetch_number(sample.database, "SELECT count(*) FROM timers") == EVENTS

    async def is_handled() -> bool:
        return await fetch_number(sample.database, "SELECT count(*) FROM handled_events") == EVENTS

    async with run_service(sample, [on(WithdrawalRequested, cancel_timer)]):
        await wait_until(is_handled, within=60)
        fresh = uuid4()
        async with run_tasks(sample.build_timer_worker().run()):  # shows that timers fire by now
            await sample.request_withdrawal(fresh, close_at=overdue)
            await wait_until(lambda: fetch_number(sample.database, "SELECT count(*) FROM fired_timers"))
        assert (
            await fetch_number(
                sample.database, "SELECT count(*) FROM fired_timers WHERE package_id <> :fresh", fresh=fresh
            )
            == 0
        )


async def test_no_event_is_decided_before_the_projections_have_caught_up(sample: SampleService) -> None:
    """Every event is in the projection as well, so a decision that does not find it was made too early."""
    missing: list[str] = []

    async def look_up(event: WithdrawalRequested, work: SampleUnitOfWork) -> None:
        await work.record_event(event.package_id)
        if await work.projections.get(REQUESTS, str(event.package_id)) is None:
            missing.append(str(event.package_id))

    async with run_tasks(sample.build_relay().run()):
        for _ in range(EVENTS):
            await sample.request_withdrawal(uuid4())
        await wait_until(lambda: is_outbox_empty(sample.database), within=60)

    async def is_handled() -> bool:
        return await fetch_number(sample.database, "SELECT count(*) FROM handled_events") == EVENTS

    async with run_service(sample, [on(WithdrawalRequested, look_up)], [REQUESTS]):
        await wait_until(is_handled, within=60)
    assert missing == []


async def test_an_api_process_is_ready_when_a_worker_has_brought_the_projections_to_their_end(
    sample: SampleService,
) -> None:
    async with run_tasks(sample.build_relay().run()):
        await sample.request_withdrawal(uuid4())
        await wait_until(lambda: is_outbox_empty(sample.database), within=60)

    async def fetch_readiness(url: str) -> int | None:
        try:
            async with aiohttp.ClientSession() as session, session.get(f"{url}/readyz") as response:
                return response.status
        except aiohttp.ClientError:
            return None

    async def is_ready(url: str) -> bool:
        return await fetch_readiness(url) == 200

    async with run_service(sample, (), [REQUESTS], role="api") as api:
        assert await wait_until(lambda: fetch_readiness(api), within=60) == 503
        async with run_service(sample, (), [REQUESTS], role="worker"):
            await wait_until(lambda: is_ready(api), within=60)
