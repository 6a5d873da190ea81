"""Planted personal values are in the `persons` table only, and in no response, event, log, span or metric."""

from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from contracts.catalogue import FRAMEWORKS, PACKAGES
from contracts.events.searches import PackagePlaced, PlacementVoided
from contracts.ids import PackageId
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.postgres.database import Database
from testkit.databases import fetch_rows
from testkit.http_client import ServiceClient
from testkit.http_response import HttpResponse
from testkit.referral.builders import a_body, to_provider_id
from testkit.referral.harness import ReferralHarness
from testkit.topics import read_topic
from testkit.waiting import wait_until

pytestmark = pytest.mark.xdist_group("referral")

PLANTED = (
    "Quillfeather",
    "1931-12-09",
    "999 000 0026",
    "9990000026",
    "Plantagenet Mews",
    "CO4 0AE",
    "0AE",
    "01632 960777",
    "Ottoline",
    "lipreads-planted",
    "dog-bites-planted",
    "PLANTED-REFERENCE",
)
ALDER = to_provider_id("Alder")


def a_planted_body() -> dict[str, object]:
    return a_body(
        reference="PLANTED-REFERENCE",
        person={
            "name": "Test Quillfeather",
            "date_of_birth": "1931-12-09",
            "nhs_number": "999 000 0026",
            "address": {"lines": ["1 Plantagenet Mews"], "postcode": "CO4 0AE"},
            "phone": "01632 960777",
            "contacts": [{"name": "Test Ottoline", "relationship": "sister", "phone": "01632 960777"}],
            "communication_needs": "lipreads-planted",
            "notes": "dog-bites-planted",
        },
    )


def find_planted(outputs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Returns each planted value that an output contains, with the name of the output."""
    return [(name, value) for name, text in outputs for value in PLANTED if value in text]


def to_text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


async def read_tables(database: Database) -> list[tuple[str, str]]:
    """Returns the contents of every table except `persons`, as text."""
    names = await fetch_rows(database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    texts: list[tuple[str, str]] = []
    for (name,) in names:
        if name != "persons":
            content = await fetch_rows(database, f"SELECT * FROM {name}")
            texts.append((name, " ".join(to_text(value) for row in content for value in row)))
    return texts


async def read_topics(kafka_connection: KafkaConnection) -> list[tuple[str, str]]:
    records = [record for topic in (PACKAGES, FRAMEWORKS) for record in await read_topic(kafka_connection, topic)]
    return [
        (record.topic, " ".join((record.key, to_text(record.value), *(f"{n}={v!r}" for n, v in record.headers))))
        for record in records
    ]


async def read_postgres_log(database: Database) -> str:
    """Returns the log of the embedded server; empty text for any other server."""
    (row,) = await fetch_rows(database, "SELECT current_setting('data_directory')")
    log = Path(row[0]).parent / "server.log"
    return log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""


@pytest.fixture
def spans() -> InMemorySpanExporter:
    """An exporter of all spans that end during the test."""
    exporter = InMemorySpanExporter()
    provider_in_use = trace.get_tracer_provider()
    if not isinstance(provider_in_use, TracerProvider):
        provider_in_use = TracerProvider()
        trace.set_tracer_provider(provider_in_use)
    provider_in_use.add_span_processor(SimpleSpanProcessor(exporter))
    return exporter


def find_server_spans(spans: InMemorySpanExporter) -> list[ReadableSpan]:
    return [span for span in spans.get_finished_spans() if span.kind is SpanKind.SERVER]


async def test_personal_data_is_stored_in_the_persons_table_only(
    client: ServiceClient,
    harness: ReferralHarness,
    spans: InMemorySpanExporter,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    body = a_planted_body()
    accepted = await client.post("/v1/referrals", body, key="PLANTED-REFERENCE of Quillfeather")
    location, package_id = accepted.headers["Location"], PackageId(UUID(accepted.body["package_id"]))
    refused = [
        await client.post("/v1/referrals", body),
        await client.post("/v1/referrals", {**body, "starts_on": "2020-01-01"}),
        await client.post("/v1/referrals", {**body, "visits": "PLANTED-REFERENCE"}),
    ]
    assert [reply.status for reply in refused] == [409, 422, 422]
    refused += [await post_without_persons_table(client, harness.referral.owner, body)]
    refused += [
        await client.get("/v1/referrals?status=Quillfeather&cursor=9990000026"),
        await client.get("/v1/referrals/Quillfeather"),
        await client.get("/v1/packages/Quillfeather/person?package_id=Quillfeather"),
        await client.get("/Quillfeather/Plantagenet%20Mews"),
    ]

    await harness.publish_events(package_id, PackagePlaced, provider_id=ALDER)

    async def is_shown() -> bool:
        return (await client.with_provider(ALDER).get(f"/v1/packages/{package_id}/person")).status == 200

    await wait_until(is_shown, within=30)
    await client.post(f"{location}/withdrawal", {"reason": "person-died"}, key="PLANTED-REFERENCE again")
    await harness.publish_events(package_id, PlacementVoided, provider_id=ALDER)

    async def is_withdrawn() -> bool:
        return (await client.get(location)).body["status"] == "withdrawn"

    await wait_until(is_withdrawn, within=30)

    async def is_relayed() -> bool:
        return not await fetch_rows(harness.database, "SELECT 1 FROM outbox")

    await wait_until(is_relayed, within=30)
    captured = capfd.readouterr()
    outputs = [
        *(("response", reply.text + str(reply.headers)) for reply in (accepted, *refused)),
        *await read_tables(harness.database),
        *await read_topics(harness.kafka),
        ("log", harness.logs.getvalue()),
        ("library logs", caplog.text),
        ("output", captured.out + captured.err),
        ("metrics", (await client.get("/metrics")).text),
        ("spans", " ".join(span.to_json() for span in spans.get_finished_spans())),
        ("PostgreSQL's log", await read_postgres_log(harness.referral.owner)),
    ]
    assert find_planted(outputs) == []
    assert "service ready" in harness.logs.getvalue()
    assert {str((span.attributes or {}).get("url.path")) for span in find_server_spans(spans)} == {"REDACTED"}
    named = [
        span
        for span in find_server_spans(spans)
        if (span.attributes or {}).get("calloff.package_id") == str(package_id)
    ]
    assert {str((span.attributes or {})["http.route"]) for span in named} == {
        "/v1/referrals",
        "/v1/referrals/{referral_id}",
        "/v1/referrals/{referral_id}/withdrawal",
        "/v1/packages/{package_id}/person",
    }
    assert len(find_planted([("persons", await read_persons(harness.database))])) > len(PLANTED) / 2, (
        "find_planted finds values that are present"
    )


async def post_without_persons_table(
    client: ServiceClient, database: Database, body: dict[str, object]
) -> HttpResponse:
    """Makes PostgreSQL fail in the statement that contains the person; `database` is connected as the owner."""
    await fetch_rows(database, "ALTER TABLE persons RENAME TO gone")
    try:
        reply = await client.post("/v1/referrals", {**body, "service_type": "night-sleep"})
    finally:
        await fetch_rows(database, "ALTER TABLE gone RENAME TO persons")
    assert reply.status == 500
    return reply


async def read_persons(database: Database) -> str:
    return " ".join(to_text(row[0]) for row in await fetch_rows(database, "SELECT about FROM persons"))
