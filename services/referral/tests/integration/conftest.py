"""Fixtures: a running referral service for each module, and a client of a council's system."""

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
from testkit.http_client import ServiceClient
from testkit.referral.harness import CouncilWebhookReceiver, ReferralHarness
from testkit.running_services import EventPublisher, find_free_port, run_service
from testkit.servers import TestKafka, TestPostgres
from testkit.tokens import TokenIssuer


@pytest.fixture(scope="module")
async def harness(
    postgres: TestPostgres, kafka: TestKafka, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[ReferralHarness]:
    council = CouncilKey(f"council-{secrets.token_hex(4)}")
    clock, receiver, logs = MovableClock(), CouncilWebhookReceiver(find_free_port()), io.StringIO()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(receiver.serve())
        issuer = await stack.enter_async_context(TokenIssuer().serve())
        sourcing = await stack.enter_async_context(EventPublisher(kafka.connection, "sourcing", council=council))
        service = run_service(
            Settings,
            build,
            databases=postgres,
            kafka=kafka.connection,
            issuer=issuer,
            clock=clock,
            log_level="debug",
            postcode_directory=tmp_path_factory.mktemp("geography"),
            referral_url="https://referral.example",
            webhook_keys=(base64.b64encode(secrets.token_bytes(32)).decode(),),
            webhook_private_addresses=(f"127.0.0.1:{receiver.port}",),
        )
        with redirect_stderr(logs):  # the service's logger writes to the stderr of its creation
            referral = await stack.enter_async_context(service)
        harness = ReferralHarness(referral, receiver, sourcing, clock, council, kafka.connection, logs)
        await harness.publish_definition()
        yield harness
    sys.stderr.write(logs.getvalue())


@pytest.fixture
def client(harness: ReferralHarness) -> ServiceClient:
    """A client with the scopes of the council's system."""
    return harness.client
