"""Retention of stored responses: an Idempotency-Key counts for a limited time, then a repeat is a new request."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from opentelemetry.trace import INVALID_SPAN

from contracts.ids import PackageId
from service_runtime.idempotency import CommandClaim, ReplayedResponse, StoredResponse
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.observability.logs import build_logger
from service_runtime.postgres.database import Database
from service_runtime.retention.stored_responses import BATCH_SIZE, ResponseEraser
from service_runtime.unit_of_work.claims import Executed
from service_runtime.unit_of_work.streams import Cause
from testkit.clocks import MovableClock
from testkit.databases import fetch_number, fetch_rows
from testkit.sample_service import SampleService, SampleUnitOfWork, to_stream_key

NOWHERE = KafkaConnection("127.0.0.1:1")
RETENTION = timedelta(days=30)
COUNT = "SELECT count(*) FROM idempotency_keys"


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def sample(database: Database, clock: MovableClock) -> SampleService:
    """A sample service without Kafka."""
    return SampleService("sample", database, NOWHERE, clock=clock)


def an_eraser(sample: SampleService, clock: MovableClock, *, wrong: str | None = None) -> ResponseEraser:
    log = build_logger("test", level="error")
    return ResponseEraser(sample.database, clock, RETENTION, explain_wrong_clock=lambda: wrong, log=log)


async def send(sample: SampleService, *, key: str) -> Executed[str] | StoredResponse:
    """Sends the same request under a key; returns what was executed, or the stored response of a repeat."""
    package = uuid4()
    claim = CommandClaim[str](
        on=to_stream_key(package),
        why=Cause("command:test", "system:test", "amberside"),
        caller="amberside/system:test",
        idempotency_key=key,
        fingerprint="body",
        answer=lambda text: StoredResponse(200, text.encode()),
    )

    async def respond(work: SampleUnitOfWork) -> str:
        await work.record_event(PackageId(package))
        return key

    try:
        executed = await sample.executor.execute(claim, respond, span=INVALID_SPAN)
    except ReplayedResponse as replay:
        return replay.answer
    assert isinstance(executed, Executed)
    return executed


async def test_a_key_counts_until_its_retention_ends_and_then_a_repeat_is_a_new_request(
    sample: SampleService, clock: MovableClock
) -> None:
    eraser = an_eraser(sample, clock)
    assert await send(sample, key="key-1") == Executed("key-1")
    clock.advance(RETENTION)
    assert await eraser.erase_expired() == 0
    assert await send(sample, key="key-1") == StoredResponse(200, b"key-1")
    clock.advance(timedelta(microseconds=1))
    assert await eraser.erase_expired() == 1
    assert await send(sample, key="key-1") == Executed("key-1")


async def test_only_expired_keys_are_deleted(sample: SampleService, clock: MovableClock) -> None:
    await send(sample, key="old")
    clock.advance(RETENTION)
    await send(sample, key="new")
    clock.advance(timedelta(days=1))
    assert await an_eraser(sample, clock).erase_expired() == 1
    rows = await fetch_rows(sample.database, "SELECT idempotency_key FROM idempotency_keys")
    assert [row.idempotency_key for row in rows] == ["new"]


async def test_nothing_is_deleted_while_the_clock_is_wrong(sample: SampleService, clock: MovableClock) -> None:
    await send(sample, key="key-1")
    clock.advance(2 * RETENTION)
    assert await an_eraser(sample, clock, wrong="the clock is ahead").erase_expired() == 0
    assert await fetch_number(sample.database, COUNT) == 1


async def test_two_processes_delete_all_expired_keys_in_several_batches(
    sample: SampleService, clock: MovableClock
) -> None:
    insert = """
        INSERT INTO idempotency_keys (caller, idempotency_key, fingerprint, received_at, status, headers, answer)
        SELECT 'amberside', number, 'f', :at, 200, '[]', '' FROM generate_series(1, :count) AS number RETURNING 1
    """
    await fetch_rows(sample.database, insert, at=clock.now(), count=2 * BATCH_SIZE + 1)
    clock.advance(2 * RETENTION)
    erasers = (an_eraser(sample, clock), an_eraser(sample, clock))
    deleted = sum(await asyncio.gather(*(eraser.erase_expired() for eraser in erasers)))
    left = await fetch_number(sample.database, COUNT)
    assert deleted + left == 2 * BATCH_SIZE + 1
    assert await erasers[0].erase_expired() == left
    assert await fetch_number(sample.database, COUNT) == 0
