"""A running sourcing service for each module, with the rest of the harness played by the test."""

import io
import secrets
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, redirect_stderr

import pytest

from contracts.ids import CouncilKey
from sourcing.settings import Settings
from sourcing.wiring import build
from testkit.clocks import MovableClock
from testkit.running_services import EventPublisher, run_service
from testkit.servers import TestKafka, TestPostgres
from testkit.sourcing.harness import LINK_KEY, SourcingHarness
from testkit.sourcing.link_desk import LinkDesk
from testkit.sourcing.offer_desk import OfferDesk
from testkit.sourcing.scenario_market import ScenarioMarket
from testkit.tokens import TokenIssuer


@pytest.fixture(scope="module")
async def module_harness(postgres: TestPostgres, kafka: TestKafka) -> AsyncGenerator[SourcingHarness]:
    council = CouncilKey(f"council-{secrets.token_hex(4)}")
    clock, logs = MovableClock(), io.StringIO()
    async with AsyncExitStack() as stack:
        issuer = await stack.enter_async_context(TokenIssuer().serve())
        registry = await stack.enter_async_context(
            EventPublisher(kafka.connection, "provider-registry", council=council)
        )
        referral = await stack.enter_async_context(EventPublisher(kafka.connection, "referral", council=council))
        pricing = await stack.enter_async_context(EventPublisher(kafka.connection, "pricing", council=council))
        ours = run_service(
            Settings,
            build,
            databases=postgres,
            kafka=kafka.connection,
            issuer=issuer,
            clock=clock,
            log_level="debug",
            offer_link_key=LINK_KEY,
        )
        with redirect_stderr(logs):  # where the service's logger writes from its making on
            sourcing = await stack.enter_async_context(ours)
        yield SourcingHarness(sourcing, registry, referral, pricing, clock, council, kafka.connection, logs)
    sys.stderr.write(logs.getvalue())


@pytest.fixture
def harness(module_harness: SourcingHarness) -> SourcingHarness:
    """The module's harness on a Monday morning of its own."""
    module_harness.move_to_next_monday()
    return module_harness


@pytest.fixture
async def offer_desk(harness: SourcingHarness) -> OfferDesk:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    offer = await market.wait_for_offer("Alder", await market.request_package())
    to_call = await market.wait_for_offer("Alder", await market.request_package())
    await market.report_undeliverable("Alder", to_call)
    await harness.wait_for_work_item(to_call.package_id)
    return OfferDesk(harness, market, offer, to_call)


@pytest.fixture
async def link_desk(harness: SourcingHarness) -> LinkDesk:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    offer = await market.receive_offer("Alder", await market.wait_for_offer("Alder", await market.request_package()))
    return LinkDesk(harness, market, offer, market.build_link("Alder", offer))
