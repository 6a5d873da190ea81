"""What is sealed stays sealed: before the close no table, topic, log, span or answer shows a bid's rate or answers."""

import base64
import secrets
from collections.abc import Iterable
from typing import Final

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from contracts.example_words import Criteria
from testkit.databases import fetch_number, fetch_rows
from testkit.sourcing.competition_market import CompetitionMarket, OpenCompetition
from testkit.sourcing.harness import SourcingHarness
from testkit.waiting import wait_until

pytestmark = pytest.mark.xdist_group("sourcing")
RATE: Final = "7391.46"
"""A rate that no other figure contains."""


@pytest.fixture
def spans() -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    tracing = trace.get_tracer_provider()
    if not isinstance(tracing, TracerProvider):
        tracing = TracerProvider()
        trace.set_tracer_provider(tracing)
    tracing.add_span_processor(SimpleSpanProcessor(exporter))
    return exporter


def list_forms(secret: str) -> list[str]:
    """A text as it is, in hexadecimal as PostgreSQL shows bytes, and in base64."""
    raw = secret.encode()
    return [secret, raw.hex(), base64.b64encode(raw).decode().rstrip("=")[:-1]]


async def count_rows_with(harness: SourcingHarness, secret: str) -> dict[str, int]:
    """Counts the rows of every table that contain the text in any form; tables without one are left out."""
    tables = await fetch_rows(harness.sourcing.owner, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    found = dict[str, int]()
    for (table,) in tables:
        for form in list_forms(secret):
            query = f"SELECT count(*) FROM {table} WHERE strpos(CAST({table} AS text), :form) > 0"
            found[table] = found.get(table, 0) + await fetch_number(harness.sourcing.owner, query, form=form)
    return {table: count for table, count in found.items() if count}


def find_places(places: dict[str, list[str]], secrets_: Iterable[str]) -> list[str]:
    return [place for place, texts in places.items() if any(each in text for text in texts for each in secrets_)]


async def collect_places(
    competition: OpenCompetition, spans: InMemorySpanExporter, written: list[str]
) -> dict[str, list[str]]:
    """Everything that leaves the service, and what officers and providers get from its API."""
    harness = competition.harness
    answers = [
        await competition.as_officer("GET"),
        await competition.as_officer("GET", "/ranking"),
        await harness.request_as_officer("GET", f"/v1/packages/{competition.package}/competitions"),
        await harness.request_as_officer("GET", "/v1/competitions-under-way"),
        await harness.request_as_officer("GET", "/v1/work-list"),
        await harness.request_decision(competition.package),
        await competition.as_provider("Alder", "GET"),
        await competition.as_provider("Birch", "GET"),
        await harness.sourcing.request("GET", "/metrics"),
    ]
    assert {each.status for each in answers} == {200}
    records = await harness.read_kafka_records([competition.package])
    return {
        "answers": [f"{each.body} {dict(each.headers)}" for each in answers],
        "Kafka": [f"{each.key} {each.headers} {each.value!r}" for each in records],
        "logs": [harness.logs.getvalue(), *written],
        "spans": [str(each.to_json()) for each in spans.get_finished_spans()],
    }


async def test_before_the_close_nobody_and_nothing_shows_a_bid(
    harness: SourcingHarness,
    spans: InMemorySpanExporter,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    market = await CompetitionMarket.create(harness, "Alder", "Birch")
    competition = await market.open_competition()
    planted = f"Sealed{secrets.token_hex(8)}"
    answers = {Criteria.CONTINUITY: planted, Criteria.SKILLS: f"{planted} too"}
    for key in ("k-1", "k-1", None):
        assert (await competition.bid("Alder", RATE, answers=answers, key=key)).status == 200
    assert (await competition.bid("Birch", RATE, answers={Criteria.SKILLS: planted})).status == 422

    async def are_spans_there() -> bool:
        return any("/bid" in str(each.to_json()) for each in spans.get_finished_spans())

    await wait_until(are_spans_there)
    written = capfd.readouterr()
    places = await collect_places(competition, spans, [caplog.text, written.out, written.err])
    assert all(places.values())
    assert find_places(places, [planted, RATE]) == []
    assert await count_rows_with(harness, planted) == {}
    assert await count_rows_with(harness, RATE) == {}

    await competition.close()

    bid = (await competition.show())["bids"][0]
    assert bid["opened"]["rate"] == RATE
    assert [each["text"] for each in bid["answers"]] == [planted, f"{planted} too"]
    assert {"journal", "competitions"} <= set(await count_rows_with(harness, RATE))
    opened = await harness.read_kafka_records([competition.package])
    assert find_places({"Kafka": [f"{each.value!r}" for each in opened]}, [RATE]) == ["Kafka"]
    assert await count_rows_with(harness, planted) == {}


async def test_after_the_close_answers_questions_and_notes_are_on_no_topic_and_in_no_log(
    harness: SourcingHarness, spans: InMemorySpanExporter, capfd: pytest.CaptureFixture[str]
) -> None:
    market = await CompetitionMarket.create(harness, "Alder", "Birch")
    competition = await market.open_competition()
    planted = f"TestPerson{secrets.token_hex(6)}"
    asked = await competition.as_provider("Alder", "POST", "/questions", {"text": planted})
    body = {"question_id": asked.body["question_id"], "text": planted}
    assert (await competition.as_officer("POST", "/answers", body)).status == 204
    await competition.bid("Alder", "24.00", answers=dict.fromkeys(Criteria.ALL, planted))
    await competition.close()
    assert (await competition.score("Alder", Criteria.SKILLS, 3, note=planted)).status == 200
    assert (await competition.score("Alder", Criteria.CONTINUITY, 3, note=planted)).status == 200
    assert (await competition.award("Alder", note=planted)).status == 200
    records = await harness.read_kafka_records([competition.package])
    written = capfd.readouterr()
    places = {
        "Kafka": [f"{each.key} {each.headers} {each.value!r}" for each in records],
        "logs": [harness.logs.getvalue(), written.out, written.err],
        "spans": [str(each.to_json()) for each in spans.get_finished_spans()],
    }
    assert find_places(places, [planted]) == []
    assert await count_rows_with(harness, planted) == {}


async def test_a_bid_whose_sealed_row_is_gone_is_refused_at_the_close_and_the_others_count(
    harness: SourcingHarness,
) -> None:
    """Only the owner of the database can delete it unseen."""
    market = await CompetitionMarket.create(harness, "Alder", "Birch")
    competition = await market.open_competition()
    await competition.bid("Alder", "24.00")
    await competition.bid("Birch", "25.00")
    await fetch_rows(
        harness.sourcing.owner,
        "DELETE FROM competition_texts WHERE package_id = :package AND CAST(text_id AS text) = :text",
        package=competition.package,
        text=(await competition.find_bid("Alder"))["bid_id"],
    )
    await competition.close()
    bids = (await competition.show())["bids"]
    assert [each["provider_id"] for each in bids] == [str(market.market.get_provider_id("Birch"))]
    assert "BidRefused" in (await harness.wait_for_decision(competition.package)).event_types
