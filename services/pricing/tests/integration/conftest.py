"""Pricing's repositories, and a running pricing service for each module that uses one."""

import secrets
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from contracts.ids import CouncilKey
from pricing.settings import Settings
from pricing.store import TABLES
from pricing.wiring import build
from service_runtime.postgres.database import Database
from testkit.clocks import MovableClock
from testkit.databases import a_database
from testkit.pricing.harness import PricingHarness
from testkit.pricing.repositories import Repositories, build_in_memory, build_on_postgres
from testkit.running_services import EventPublisher, run_service
from testkit.servers import TestKafka, TestPostgres
from testkit.tokens import TokenIssuer


@pytest.fixture(scope="module")
async def harness(postgres: TestPostgres, kafka: TestKafka) -> AsyncGenerator[PricingHarness]:
    council = CouncilKey(f"council-{secrets.token_hex(4)}")
    clock = MovableClock()
    async with AsyncExitStack() as stack:
        issuer = await stack.enter_async_context(TokenIssuer().serve())
        sourcing = await stack.enter_async_context(EventPublisher(kafka.connection, "sourcing", council=council))
        registry = await stack.enter_async_context(
            EventPublisher(kafka.connection, "provider-registry", council=council)
        )
        service = run_service(Settings, build, databases=postgres, kafka=kafka.connection, issuer=issuer, clock=clock)
        pricing = await stack.enter_async_context(service)
        harness = PricingHarness(pricing, sourcing, registry, clock, council, kafka.connection)
        await harness.publish_matrix()
        yield harness


@pytest_asyncio.fixture
async def database(postgres: TestPostgres) -> AsyncGenerator[Database]:
    async with a_database(postgres, TABLES, name="pricing") as database:
        yield database


@pytest_asyncio.fixture(params=["in memory", "on PostgreSQL"])
async def repositories(request: pytest.FixtureRequest, postgres: TestPostgres) -> AsyncGenerator[Repositories]:
    if request.param == "in memory":
        yield build_in_memory()
        return
    async with a_database(postgres, TABLES, name="pricing") as database:
        yield build_on_postgres(database)
