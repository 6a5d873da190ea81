"""The registry as it runs: its own database, real Kafka, real tokens, providers' systems that listen, and a clock.

Its Kafka is the worker's own: a registry that webhook the offers of other tests would answer them.
"""

import base64
import secrets
from collections.abc import AsyncGenerator

import pytest_asyncio

from contracts.ids import FrameworkKey
from provider_registry.settings import Settings
from provider_registry.wiring import build
from testkit.clocks import MovableClock
from testkit.provider_registry.harness import RegistryHarness, WebhookReceiver
from testkit.running_services import Voice, a_service, free_port
from testkit.servers import TestKafka, TestPostgres
from testkit.tokens import TokenIssuer

VAULT_KEY = base64.b64encode(secrets.token_bytes(32)).decode()


@pytest_asyncio.fixture(scope="module")
async def harness(postgres: TestPostgres, own_kafka: TestKafka) -> AsyncGenerator[RegistryHarness]:
    clock, receiver = MovableClock(), WebhookReceiver(free_port())
    async with (
        receiver.serve(),
        TokenIssuer().serve() as issuer,
        a_service(
            Settings,
            build,
            databases=postgres,
            bootstrap=own_kafka.bootstrap,
            issuer=issuer,
            clock=clock,
            sourcing_url="https://sourcing.example",
            referral_url="https://referral.example",
            webhook_keys=(VAULT_KEY,),
            webhook_private_addresses=(f"127.0.0.1:{receiver.port}",),
        ) as registry,
        Voice(own_kafka.bootstrap, "sourcing") as sourcing,
    ):
        framework = FrameworkKey(f"invented-{secrets.token_hex(4)}")
        yield RegistryHarness(registry, sourcing, receiver, clock, own_kafka.bootstrap, framework)
