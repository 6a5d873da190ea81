"""Sourcing as two processes: one takes requests, the other one does everything else."""

import io
import secrets
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Final

import pytest

from contracts.ids import CouncilKey
from sourcing.settings import Settings
from sourcing.wiring import build
from testkit.clocks import MovableClock
from testkit.databases import fetch_number
from testkit.running_services import EventPublisher, RunningService, run_peer, run_service
from testkit.servers import TestKafka, TestPostgres
from testkit.sourcing.harness import LINK_KEY, SourcingHarness
from testkit.sourcing.scenario_market import ScenarioMarket
from testkit.tokens import TokenIssuer

pytestmark = pytest.mark.xdist_group("sourcing")

PACKAGES: Final = 5


@dataclass(frozen=True)
class TwoProcesses:
    """The harness sends its requests to `api`."""

    harness: SourcingHarness
    api: RunningService
    worker: RunningService


@pytest.fixture
async def processes(postgres: TestPostgres, kafka: TestKafka) -> AsyncGenerator[TwoProcesses]:
    council = CouncilKey(f"council-{secrets.token_hex(4)}")
    async with AsyncExitStack() as stack:
        issuer = await stack.enter_async_context(TokenIssuer().serve())
        registry, referral, pricing = [
            await stack.enter_async_context(EventPublisher(kafka.connection, name, council=council))
            for name in ("provider-registry", "referral", "pricing")
        ]
        worker = await stack.enter_async_context(
            run_service(
                Settings,
                build,
                databases=postgres,
                kafka=kafka.connection,
                issuer=issuer,
                clock=MovableClock(),
                role="worker",
                offer_link_key=LINK_KEY,
            )
        )
        api = await stack.enter_async_context(run_peer(worker, build, role="api"))
        clock = worker.service.clock
        assert isinstance(clock, MovableClock)
        harness = SourcingHarness(worker, registry, referral, pricing, clock, council, kafka.connection, io.StringIO())
        harness.move_to_next_monday()
        yield TwoProcesses(replace(harness, sourcing=api), api, worker)


async def test_what_the_api_process_is_asked_the_worker_process_carries_on(processes: TwoProcesses) -> None:
    harness = processes.harness
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    requested = [await market.request_package() for _ in range(PACKAGES)]
    for package in requested:
        offer = await market.receive_offer("Alder", await market.wait_for_offer("Alder", package))
        assert (await market.decline("Alder", offer)).status == 200
        second = await market.receive_offer("Birch", await market.wait_for_offer("Birch", offer.package_id))
        assert (await market.accept("Birch", second)).status == 200
        await harness.wait_for_status(offer.package_id, "placed")
    assert await fetch_number(harness.database, "SELECT count(*) FROM placements WHERE NOT voided") == PACKAGES
    assert await harness.find_faults(requested) == []


async def test_both_processes_are_healthy(processes: TwoProcesses) -> None:
    for process in (processes.api, processes.worker):
        for path in ("/healthz", "/readyz"):
            assert (await process.request("GET", path)).status == 200
