"""Referral as it runs: its own database, real Kafka, real tokens, and a test that plays the other services."""

import asyncio
import base64
import secrets
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from calloff.embedded.ports import free_port
from calloff.testing import TestKafka, TestPostgres
from contracts.catalogue import FRAMEWORKS, PACKAGES
from contracts.events.frameworks import FrameworkPublished
from contracts.ids import CouncilKey, FrameworkKey
from contracts.testing import a_definition
from referral.settings import Settings
from referral.wiring import build
from service_runtime.database import Database
from service_runtime.kafka import create_topics
from service_runtime.migrations import migrate
from service_runtime.service import Runner
from service_runtime.testing.client import Client
from service_runtime.testing.clocks import MovableClock
from service_runtime.testing.databases import a_database, number
from service_runtime.testing.logbook import Logbook
from service_runtime.testing.others import AnotherService
from service_runtime.testing.tokens import TokenIssuer
from service_runtime.testing.turnstile import running
from service_runtime.testing.waiting import until

BOTH = ("referrals:write", "referrals:read")


@pytest.fixture(scope="session")
def council() -> CouncilKey:
    """A council of this run alone: others may use the same Kafka."""
    return CouncilKey(f"council-{secrets.token_hex(4)}")


@pytest.fixture(scope="session")
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture(scope="session")
def logbook() -> Logbook:
    return Logbook()


@pytest_asyncio.fixture(scope="session")
async def bootstrap(kafka: TestKafka) -> str:
    await create_topics(kafka.bootstrap, [PACKAGES, FRAMEWORKS])
    return kafka.bootstrap


@pytest_asyncio.fixture(scope="session")
async def others(
    postgres: TestPostgres, bootstrap: str, clock: MovableClock, council: CouncilKey
) -> AsyncGenerator[AnotherService]:
    """Sourcing and the registry, played by the test; a framework of the council is published."""
    async with a_database(postgres, name="others") as database:
        played = AnotherService("sourcing", database, bootstrap, clock=clock)
        async with running(played.relay().run()):
            framework = FrameworkKey(f"invented-{council}")
            definition = a_definition(framework=framework, council=council)
            await played.says(FrameworkPublished(definition=definition), council=council)
            yield played


@pytest_asyncio.fixture(scope="session")
async def tokens() -> AsyncGenerator[TokenIssuer]:
    async with TokenIssuer().serving() as issuer:
        yield issuer


@pytest_asyncio.fixture(scope="session")
async def settings(
    postgres: TestPostgres, bootstrap: str, tokens: TokenIssuer, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    return Settings.model_validate(
        {
            "database_url": await postgres.create_database("referral"),
            "kafka_bootstrap": bootstrap,
            "port": free_port(),
            "token_issuer": tokens.issuer,
            "token_jwks_url": tokens.jwks_url,
            "fingerprint_key": "a secret that only tests have, of some length",
            "postcode_directory": tmp_path_factory.mktemp("geography"),
            "referral_url": "https://referral.example",
            "webhook_keys": (base64.b64encode(secrets.token_bytes(32)).decode(),),
        }
    )


@pytest_asyncio.fixture(scope="session")
async def database(settings: Settings) -> AsyncGenerator[Database]:
    """Referral's database, migrated, seen by the test."""
    seen = Database(settings.database_url.get_secret_value(), name="test")
    await migrate(seen, Path(build(settings).migrations))
    yield seen
    await seen.close()


@pytest_asyncio.fixture(scope="session")
async def client(
    settings: Settings,
    database: Database,
    tokens: TokenIssuer,
    clock: MovableClock,
    logbook: Logbook,
    others: AnotherService,
    council: CouncilKey,
) -> AsyncGenerator[Client]:
    """A system of the council, and the service that it calls."""
    # A name of its own, and so consumer groups of its own: Kafka may remember how far another run has read.
    service = replace(build(settings), name=f"referral-{council}", clock=clock)
    stop = asyncio.Event()
    serving = asyncio.create_task(Runner(service, log=logbook).run(stop))
    async with aiohttp.ClientSession() as session:
        caller = Client(session, f"http://127.0.0.1:{settings.port}", tokens, council, BOTH)

        async def ready() -> bool:
            if serving.done():
                serving.result()
            try:
                return (await caller.get("/readyz")).status == 200
            except aiohttp.ClientConnectionError:
                return False

        await until(ready, within=60)
        await until(lambda: number(database, "SELECT count(*) FROM views WHERE key LIKE :key", key=f"%{council}"))
        yield caller
        stop.set()
        await serving
