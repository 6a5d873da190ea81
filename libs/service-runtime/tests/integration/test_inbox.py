"""The inbox: a repeated event has one effect."""

import asyncio
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from opentelemetry.trace import INVALID_SPAN

from contracts.ids import PackageId
from service_runtime.inbox import EventClaim
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.kafka.records import Record
from service_runtime.postgres.database import Database
from service_runtime.retention.archiver import Archiver
from service_runtime.retention.journal_archive import JournalTable
from service_runtime.unit_of_work.claims import Executed, Skipped
from testkit.clocks import MovableClock
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


async def test_an_event_of_an_archived_month_is_delivered_again_and_is_handled_once(
    database: Database, tmp_path: Path
) -> None:
    clock, package = MovableClock(), uuid4()
    sample = SampleService("sample", database, KafkaConnection("127.0.0.1:1"), clock=clock)
    await sample.request_withdrawal(package)
    rows = await fetch_rows(database, "SELECT headers, payload FROM journal")
    claim = EventClaim(Record.from_stored(to_stream_key(package), rows[0].headers, rows[0].payload), "sample")

    async def record_event(work: SampleUnitOfWork) -> None:
        await work.record_event(PackageId(package))

    assert isinstance(await sample.executor.execute(claim, record_event, span=INVALID_SPAN), Executed)
    await fetch_rows(database, "DELETE FROM outbox")
    later = clock.advance(timedelta(days=3_650))
    moved = await Archiver(database, "sample", [JournalTable()]).archive(tmp_path, keep_months=1, now=later)
    assert sum(each.row_count for each in moved) == 1
    restarted = SampleService("sample", database, KafkaConnection("127.0.0.1:1"), clock=clock)
    assert isinstance(await restarted.executor.execute(claim, record_event, span=INVALID_SPAN), Skipped)
    assert await fetch_number(database, "SELECT count(*) FROM handled_events") == 1
