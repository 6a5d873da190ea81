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
from testkit.running_services import Voice, a_service
from testkit.servers import TestKafka, TestPostgres
from testkit.sourcing.harness import LINK_KEY, SourcingHarness
from testkit.tokens import TokenIssuer


@pytest.fixture(scope="module")
async def module_harness(postgres: TestPostgres, kafka: TestKafka) -> AsyncGenerator[SourcingHarness]:
    council = CouncilKey(f"council-{secrets.token_hex(4)}")
    clock, logs = MovableClock(), io.StringIO()
    async with AsyncExitStack() as stack:
        issuer = await stack.enter_async_context(TokenIssuer().serve())
        registry = await stack.enter_async_context(Voice(kafka.bootstrap, "provider-registry", council=council))
        referral = await stack.enter_async_context(Voice(kafka.bootstrap, "referral", council=council))
        pricing = await stack.enter_async_context(Voice(kafka.bootstrap, "pricing", council=council))
        ours = a_service(
            Settings,
            build,
            databases=postgres,
            bootstrap=kafka.bootstrap,
            issuer=issuer,
            clock=clock,
            log_level="debug",
            offer_link_key=LINK_KEY,
        )
        with redirect_stderr(logs):  # where the service's logger writes from its making on
            sourcing = await stack.enter_async_context(ours)
        yield SourcingHarness(sourcing, registry, referral, pricing, clock, council, kafka.bootstrap, logs)
    sys.stderr.write(logs.getvalue())


@pytest.fixture
def harness(module_harness: SourcingHarness) -> SourcingHarness:
    """The module's harness on a Monday morning of its own."""
    module_harness.move_to_next_monday()
    return module_harness
