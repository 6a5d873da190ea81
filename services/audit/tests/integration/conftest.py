"""Fixtures: a running audit service for each module, and a producer of valid and invalid records."""

import secrets
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest

from audit.settings import Settings
from audit.wiring import build
from contracts.ids import CouncilKey, PackageId
from service_runtime.kafka.client import Producer
from testkit.audit.harness import AuditHarness
from testkit.clocks import MovableClock
from testkit.running_services import run_service
from testkit.servers import TestKafka, TestPostgres
from testkit.tokens import TokenIssuer


@pytest.fixture
def package() -> PackageId:
    return PackageId(uuid4())


@pytest.fixture(scope="module")
async def harness(postgres: TestPostgres, own_kafka: TestKafka) -> AsyncGenerator[AuditHarness]:
    """Uses its own Kafka, because audit reads every topic and other tests would have to process these records."""
    council = CouncilKey(f"council-{secrets.token_hex(4)}")
    async with AsyncExitStack() as stack:
        issuer = await stack.enter_async_context(TokenIssuer().serve())
        audit = await stack.enter_async_context(
            run_service(
                Settings, build, databases=postgres, kafka=own_kafka.connection, issuer=issuer, clock=MovableClock()
            )
        )
        producer = Producer(own_kafka.connection, client_id="test-producer")
        await producer.start()
        stack.push_async_callback(producer.close, within=5)
        yield AuditHarness(audit, producer, council)
