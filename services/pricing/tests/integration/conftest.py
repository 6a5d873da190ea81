"""A running pricing service for each module, with the rest of the harness played by the test."""

import secrets
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

import pytest

from contracts.ids import CouncilKey
from pricing.settings import Settings
from pricing.wiring import build
from testkit.clocks import MovableClock
from testkit.pricing.harness import PricingHarness
from testkit.running_services import Voice, a_service
from testkit.servers import TestKafka, TestPostgres
from testkit.tokens import TokenIssuer


@pytest.fixture(scope="module")
async def harness(postgres: TestPostgres, kafka: TestKafka) -> AsyncGenerator[PricingHarness]:
    council = CouncilKey(f"council-{secrets.token_hex(4)}")
    clock = MovableClock()
    async with AsyncExitStack() as stack:
        issuer = await stack.enter_async_context(TokenIssuer().serve())
        sourcing = await stack.enter_async_context(Voice(kafka.bootstrap, "sourcing", council=council))
        registry = await stack.enter_async_context(Voice(kafka.bootstrap, "provider-registry", council=council))
        ours = a_service(Settings, build, databases=postgres, bootstrap=kafka.bootstrap, issuer=issuer, clock=clock)
        pricing = await stack.enter_async_context(ours)
        played = PricingHarness(pricing, sourcing, registry, clock, council, kafka.bootstrap)
        await played.publish_matrix()
        yield played
