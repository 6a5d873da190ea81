"""Planted personal values are searched for wherever Call-off writes, and found in `persons` alone."""

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
from contracts.events.packages import PackagePlaced, PlacementVoided
from contracts.ids import PackageId
from service_runtime.postgres.database import Database
from testkit.databases import rows
from testkit.http_client import Client, ServiceResponse
from testkit.referral.builders import a_body, a_provider_id
from testkit.referral.harness import ReferralHarness
from testkit.topics import everything_in
from testkit.waiting import until

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
ALDER = a_provider_id("Alder")


def planted_body() -> dict[str, object]:
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


def found_in(places: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Where something planted stands: the place and the value."""
    return [(place, value) for place, text in places for value in PLANTED if value in text]


def readable(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


async def tables_of(database: Database) -> list[tuple[str, str]]:
    """Every table but `persons`, as text."""
    names = await rows(database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    texts: list[tuple[str, str]] = []
    for (name,) in names:
        if name != "persons":
            content = await rows(database, f"SELECT * FROM {name}")
            texts.append((name, " ".join(readable(value) for row in content for value in row)))
    return texts


async def topics_at(bootstrap: str) -> list[tuple[str, str]]:
    records = [record for topic in (PACKAGES, FRAMEWORKS) for record in await everything_in(bootstrap, topic)]
    return [
        (record.topic, " ".join((record.key, readable(record.value), *(f"{n}={v!r}" for n, v in record.headers))))
        for record in records
    ]


async def log_of_postgres(database: Database) -> str:
    """What the embedded server has logged; nothing where the server is somebody else's."""
    (row,) = await rows(database, "SELECT current_setting('data_directory')")
    log = Path(row[0]).parent / "server.log"
    return log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""


@pytest.fixture
def spans() -> InMemorySpanExporter:
    """Every span that ends from now on."""
    exporter = InMemorySpanExporter()
    provider_in_use = trace.get_tracer_provider()
    if not isinstance(provider_in_use, TracerProvider):
        provider_in_use = TracerProvider()
        trace.set_tracer_provider(provider_in_use)
    provider_in_use.add_span_processor(SimpleSpanProcessor(exporter))
    return exporter


def served(spans: InMemorySpanExporter) -> list[ReadableSpan]:
    """Spans of requests."""
    return [span for span in spans.get_finished_spans() if span.kind is SpanKind.SERVER]


async def test_a_person_is_found_in_no_place_but_the_one_that_is_theirs(
    client: Client,
    harness: ReferralHarness,
    spans: InMemorySpanExporter,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    body = planted_body()
    taken = await client.post("/v1/referrals", body, key="PLANTED-REFERENCE of Quillfeather")
    location, package_id = taken.headers["Location"], PackageId(UUID(taken.body["package_id"]))
    refused = [
        await client.post("/v1/referrals", body),
        await client.post("/v1/referrals", {**body, "starts_on": "2020-01-01"}),
        await client.post("/v1/referrals", {**body, "visits": "PLANTED-REFERENCE"}),
    ]
    assert [reply.status for reply in refused] == [409, 422, 422]
    refused += [await with_the_table_gone(client, harness.database, body)]
    refused += [
        await client.get("/v1/referrals?status=Quillfeather&cursor=9990000026"),
        await client.get("/v1/referrals/Quillfeather"),
        await client.get("/v1/packages/Quillfeather/person?package_id=Quillfeather"),
        await client.get("/Quillfeather/Plantagenet%20Mews"),
    ]

    await harness.publish_events(package_id, PackagePlaced, provider_id=ALDER)

    async def shown() -> bool:
        return (await client.for_provider(ALDER).get(f"/v1/packages/{package_id}/person")).status == 200

    await until(shown, within=30)
    await client.post(f"{location}/withdrawal", {"reason": "person has died"}, key="PLANTED-REFERENCE again")
    await harness.publish_events(package_id, PlacementVoided, provider_id=ALDER)

    async def withdrawn() -> bool:
        return (await client.get(location)).body["status"] == "withdrawn"

    await until(withdrawn, within=30)

    async def relayed() -> bool:
        return not await rows(harness.database, "SELECT 1 FROM outbox")

    await until(relayed, within=30)
    captured = capfd.readouterr()
    places = [
        *(("answer", reply.text + str(reply.headers)) for reply in (taken, *refused)),
        *await tables_of(harness.database),
        *await topics_at(harness.bootstrap),
        ("log", harness.logs.getvalue()),
        ("library logs", caplog.text),
        ("output", captured.out + captured.err),
        ("metrics", (await client.get("/metrics")).text),
        ("spans", " ".join(span.to_json() for span in spans.get_finished_spans())),
        ("PostgreSQL's log", await log_of_postgres(harness.database)),
    ]
    assert found_in(places) == []
    assert "service ready" in harness.logs.getvalue()
    assert {str((span.attributes or {}).get("url.path")) for span in served(spans)} == {"REDACTED"}
    named = [span for span in served(spans) if (span.attributes or {}).get("calloff.package_id") == str(package_id)]
    assert {str((span.attributes or {})["http.route"]) for span in named} == {
        "/v1/referrals",
        "/v1/referrals/{referral_id}",
        "/v1/referrals/{referral_id}/withdrawal",
        "/v1/packages/{package_id}/person",
    }
    assert len(found_in([("persons", await persons_of(harness.database))])) > len(PLANTED) / 2, (
        "the search finds what is there"
    )


async def with_the_table_gone(client: Client, database: Database, body: dict[str, object]) -> ServiceResponse:
    """The worst that PostgreSQL can do: fail in the statement that carries the person."""
    await rows(database, "ALTER TABLE persons RENAME TO gone")
    try:
        reply = await client.post("/v1/referrals", {**body, "service_type": "night sleep"})
    finally:
        await rows(database, "ALTER TABLE gone RENAME TO persons")
    assert reply.status == 500
    return reply


async def persons_of(database: Database) -> str:
    return " ".join(readable(row[0]) for row in await rows(database, "SELECT about FROM persons"))
