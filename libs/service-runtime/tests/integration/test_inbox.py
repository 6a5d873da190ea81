"""The inbox: a repeated event has one effect."""

import asyncio
from uuid import uuid4

import pytest
from opentelemetry.trace import INVALID_SPAN

from contracts.ids import PackageId
from service_runtime.inbox import EventClaim
from service_runtime.kafka.records import Record
from service_runtime.postgres.database import Database
from service_runtime.unit_of_work.claims import Skipped
from testkit.databases import fetch_number, fetch_rows
from testkit.sample_service import NO_KAFKA, SampleService, SampleUnitOfWork, to_stream_key


@pytest.fixture
def sample(database: Database) -> SampleService:
    """A sample service without Kafka."""
    return SampleService("sample", database, NO_KAFKA)


async def test_an_event_delivered_again_is_handled_once(sample: SampleService) -> None:
    package = uuid4()
    await sample.request_withdrawal(package)
    rows = await fetch_rows(sample.database, "SELECT headers, payload FROM journal")
    record = Record.from_stored(to_stream_key(package), rows[0].headers, rows[0].payload)

    async def record_event(work: SampleUnitOfWork) -> None:
        await work.record_event(PackageId(package))

    def build_claim() -> EventClaim:
        return EventClaim(record, "sample")

    outcomes = await asyncio.gather(
        *(sample.executor.execute(build_claim(), record_event, span=INVALID_SPAN) for _ in range(5))
    )
    assert len([outcome for outcome in outcomes if isinstance(outcome, Skipped)]) == 4
    assert await fetch_number(sample.database, "SELECT count(*) FROM handled_events") == 1
