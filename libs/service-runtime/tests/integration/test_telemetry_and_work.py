"""Telemetry never decides about work: commands and events have their outcome whatever trace context they carry."""

from uuid import uuid4

import pytest

from service_runtime.kafka.client import KafkaRecord
from service_runtime.outbox.journal import decode_headers
from service_runtime.postgres.database import Database
from testkit.databases import fetch_number, fetch_rows
from testkit.http_edge import EdgeClient, build_body
from testkit.sample_service import NO_KAFKA, SampleService

SAMPLED = f"00-{'ab' * 16}-{'cd' * 8}-01"
FOREIGN = (None, b"", b"\xff\xfe1", b"\x001", b"x" * 100_000 + b"1", b"00-00-00-01", SAMPLED.upper().encode())


@pytest.fixture
def sample(database: Database) -> SampleService:
    """A sample service without Kafka."""
    return SampleService("sample", database, NO_KAFKA)


@pytest.mark.parametrize("traceparent", FOREIGN, ids=range(len(FOREIGN)))
async def test_an_event_is_handled_whatever_its_trace_context(sample: SampleService, traceparent: bytes | None) -> None:
    package = uuid4()
    await sample.request_withdrawal(package)
    (row,) = await fetch_rows(sample.database, "SELECT key, headers, payload, topic FROM journal")
    known = [each for each in decode_headers(row.headers) if each[0] != "traceparent"]
    record = KafkaRecord(
        topic=row.topic,
        partition=0,
        offset=0,
        timestamp=0,
        timestamp_type=0,
        key=row.key.encode(),
        value=row.payload,
        checksum=None,
        serialized_key_size=len(row.key),
        serialized_value_size=len(row.payload),
        headers=(*known, ("traceparent", traceparent)),  # pyright: ignore[reportArgumentType]  other tools write null
    )
    await sample.event_handler.handle([record])
    assert await fetch_number(sample.database, "SELECT count(*) FROM handled_events") == 1
    assert not sample.logs.find_entries("key parked")


@pytest.mark.parametrize(
    "headers",
    [
        {"traceparent": "garbage"},
        {"traceparent": SAMPLED, "tracestate": "x" * 8_000},
        {"traceparent": SAMPLED, "tracestate": "é=ü,,,==,a=b=c"},
        {"traceparent": f"00-{'0' * 32}-{'0' * 16}-01"},
        {"baggage": "=,;=" * 1_000},
    ],
)
async def test_a_command_is_executed_whatever_trace_context_it_names(
    client: EdgeClient, headers: dict[str, str]
) -> None:
    status, _, _ = await client.request("POST", "/v1/withdrawals", body=build_body(), headers=headers)
    assert status == 201
