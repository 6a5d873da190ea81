"""A running referral for each module, with a council's system and sourcing played by the test."""

import base64
import io
import secrets
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, redirect_stderr

import pytest

from contracts.ids import CouncilKey
from referral.settings import Settings
from referral.wiring import build
from testkit.clocks import MovableClock
from testkit.http_client import Client
from testkit.referral.harness import CouncilsSystem, ReferralHarness
from testkit.running_services import Voice, a_service, free_port
from testkit.servers import TestKafka, TestPostgres
from testkit.tokens import TokenIssuer


@pytest.fixture(scope="module")
async def harness(
    postgres: TestPostgres, kafka: TestKafka, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[ReferralHarness]:
    council = CouncilKey(f"council-{secrets.token_hex(4)}")
    clock, system, logs = MovableClock(), CouncilsSystem(free_port()), io.StringIO()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(system.serve())
        issuer = await stack.enter_async_context(TokenIssuer().serve())
        sourcing = await stack.enter_async_context(Voice(kafka.bootstrap, "sourcing", council=council))
        ours = a_service(
            Settings,
            build,
            databases=postgres,
            bootstrap=kafka.bootstrap,
            issuer=issuer,
            clock=clock,
            log_level="debug",
            postcode_directory=tmp_path_factory.mktemp("geography"),
            referral_url="https://referral.example",
            webhook_keys=(base64.b64encode(secrets.token_bytes(32)).decode(),),
            webhook_private_addresses=(f"127.0.0.1:{system.port}",),
        )
        with redirect_stderr(logs):  # where the service's logger writes from its making on
            referral = await stack.enter_async_context(ours)
        played = ReferralHarness(referral, system, sourcing, clock, council, kafka.bootstrap, logs)
        await played.publish_definition()
        yield played
    sys.stderr.write(logs.getvalue())


@pytest.fixture
def client(harness: ReferralHarness) -> Client:
    """The council's system, as it calls."""
    return harness.client
