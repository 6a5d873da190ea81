"""The registry's units of work, and a running registry for each module that uses one.

The running registry has its own Kafka, because it would send webhooks for the offers of other tests.
"""

import base64
import secrets
from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from contracts.examples import COUNCIL
from contracts.ids import FrameworkKey
from provider_registry.settings import Settings
from provider_registry.store import TABLES
from provider_registry.wiring import build
from testkit.clocks import MovableClock
from testkit.databases import a_database
from testkit.mail_server import FakeMailServer
from testkit.provider_registry.harness import RegistryHarness, WebhookReceiver
from testkit.provider_registry.notice_harness import LINK_KEY, NoticeHarness
from testkit.provider_registry.repositories import RegistryWorkFactory, build_in_memory, build_on_postgres
from testkit.running_services import EventPublisher, find_free_port, run_service
from testkit.servers import TestKafka, TestPostgres
from testkit.tokens import TokenIssuer

WEBHOOK_KEY = base64.b64encode(secrets.token_bytes(32)).decode()


@pytest_asyncio.fixture(scope="module")
async def harness(postgres: TestPostgres, own_kafka: TestKafka) -> AsyncGenerator[RegistryHarness]:
    clock, receiver = MovableClock(), WebhookReceiver(find_free_port())
    async with (
        receiver.serve(),
        TokenIssuer().serve() as issuer,
        run_service(
            Settings,
            build,
            databases=postgres,
            kafka=own_kafka.connection,
            issuer=issuer,
            clock=clock,
            sourcing_url="https://sourcing.example",
            referral_url="https://referral.example",
            webhook_keys=(WEBHOOK_KEY,),
            webhook_private_addresses=(f"127.0.0.1:{receiver.port}",),
        ) as registry,
        EventPublisher(own_kafka.connection, "sourcing", council=COUNCIL) as sourcing,
    ):
        framework = FrameworkKey(f"invented-{secrets.token_hex(4)}")
        yield RegistryHarness(registry, sourcing, receiver, clock, own_kafka.connection, framework)


@pytest_asyncio.fixture(scope="module")
async def notices(postgres: TestPostgres, own_kafka: TestKafka) -> AsyncGenerator[NoticeHarness]:
    clock, receiver = MovableClock(), WebhookReceiver(find_free_port())
    async with (
        receiver.serve(),
        FakeMailServer().run() as mail,
        TokenIssuer().serve() as issuer,
        run_service(
            Settings,
            build,
            databases=postgres,
            kafka=own_kafka.connection,
            issuer=issuer,
            clock=clock,
            sourcing_url="https://sourcing.example",
            referral_url="https://referral.example",
            webhook_keys=(WEBHOOK_KEY,),
            webhook_private_addresses=(f"127.0.0.1:{receiver.port}",),
            smtp_host="127.0.0.1",
            smtp_port=mail.port,
            smtp_from="offers@calloff.example",
            smtp_reply_to="brokerage@council.example",
            smtp_starttls=False,
            offer_link_key=LINK_KEY,
        ) as registry,
        EventPublisher(own_kafka.connection, "sourcing") as sourcing,
    ):
        framework = FrameworkKey(f"invented-{secrets.token_hex(4)}")
        yield NoticeHarness(RegistryHarness(registry, sourcing, receiver, clock, own_kafka.connection, framework), mail)


@pytest.fixture
async def framework(harness: RegistryHarness) -> FrameworkKey:
    """The framework of the harness; the first test that uses it publishes it."""
    assert (await harness.publish_definition()).status in {200, 201}
    return harness.framework


@pytest_asyncio.fixture(params=["in memory", "on PostgreSQL"])
async def registry(request: pytest.FixtureRequest, postgres: TestPostgres) -> AsyncGenerator[RegistryWorkFactory]:
    if request.param == "in memory":
        yield build_in_memory()
        return
    async with a_database(postgres, TABLES, name="registry") as database:
        yield build_on_postgres(database)
