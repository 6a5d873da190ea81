"""Invalid forms and links, headers, and the secrecy of the token, on real PostgreSQL and Kafka."""

import asyncio
import secrets
from datetime import timedelta
from typing import Final
from uuid import uuid4

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from contracts.ids import OfferId
from service_runtime.postgres.database import Database
from sourcing.ports import SearchQueries
from sourcing.settings import Settings
from sourcing.store.offer_index import OfferIndex
from sourcing.store.queries import PostgresSearchQueries
from sourcing.wiring import build
from testkit.databases import fetch_number, fetch_rows
from testkit.http_server import serve_app
from testkit.running_services import run_service
from testkit.servers import TestPostgres
from testkit.sourcing.harness import LINK_KEY
from testkit.sourcing.link_desk import ACCEPT, DECLINE, LinkDesk
from testkit.waiting import wait_until

pytestmark = pytest.mark.xdist_group("sourcing")
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Content-Type": "text/html; charset=utf-8",
}


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (b"", "Choose whether you accept or decline"),
        (b"answer=decline&reason=", "Choose the reason for which you decline"),
        (b"answer=decline&reason=%3Cb%3Ebored", "Choose one of the reasons on the list"),
        (b"answer=accept&answer=decline", "what was sent said both"),
        (b"answer=accept&reason=other", "what was sent said both"),
        (b"answer=accept&pad=" + b"x" * 100_000, "not one of the two forms"),
    ],
)
async def test_an_invalid_form_shows_its_errors_and_answers_nothing(
    link_desk: LinkDesk, form: bytes, words: str
) -> None:
    before = await link_desk.list_event_types()
    answer = await link_desk.send_form(form)
    assert (answer.status, answer.body.count("<form")) == (422, 2)
    assert words in answer.body
    assert "bored" not in answer.body
    assert await link_desk.list_event_types() == before


async def test_a_form_over_a_million_bytes_is_refused_unread(link_desk: LinkDesk) -> None:
    answer = await link_desk.send_form(b"answer=accept&pad=" + b"x" * 1_000_000)
    assert (answer.status, "This is more than we can read" in answer.body) == (413, True)


async def test_every_invalid_link_gets_the_same_page(link_desk: LinkDesk) -> None:
    before = await link_desk.list_event_types()
    path, market = link_desk.link, link_desk.market
    unknown = link_desk.offer.model_copy(update={"offer_id": OfferId(uuid4())})
    links = {
        "damaged": path[:40] + ("A" if path[40] != "A" else "B") + path[41:],
        "cut": path[:-5],
        "longer": path + "AAAA",
        "with the mail's full stop": path + ".",
        "with a folder behind it": path + "/answer",
        "of another key": market.build_link("Alder", link_desk.offer, key=secrets.token_hex(32)),
        "ended": market.build_link("Alder", link_desk.offer, valid_for=timedelta()),
        "of another provider": market.build_link("Birch", link_desk.offer),
        "of no offer": market.build_link("Alder", unknown),
        "no token": "/v1/offer-links/",
        "no letters": "/v1/offer-links/%F0%9F%98%80",
    }
    answers = {
        f"{name}, {method}": await link_desk.harness.browse(link, method=method, form=form)
        for name, link in links.items()
        for method, form in (("GET", None), ("POST", ACCEPT))
    }
    assert {name for name, each in answers.items() if each.status != 404} == set()
    (page,) = {each.body for each in answers.values()}
    assert "This link is not valid" in page
    assert await link_desk.list_event_types() == before


async def test_a_link_expires(link_desk: LinkDesk) -> None:
    link = link_desk.market.build_link("Alder", link_desk.offer, valid_for=timedelta(minutes=10))
    link_desk.harness.advance_clock(timedelta(minutes=10) - timedelta(seconds=1))
    statuses = [(await link_desk.harness.browse(link)).status]
    link_desk.harness.advance_clock(timedelta(seconds=1))
    assert [*statuses, (await link_desk.harness.browse(link)).status] == [200, 404]


async def test_without_a_key_no_link_is_valid(link_desk: LinkDesk, postgres: TestPostgres) -> None:
    harness = link_desk.harness
    service = run_service(
        Settings,
        build,
        databases=postgres,
        kafka=harness.kafka,
        issuer=harness.sourcing.issuer,
        clock=harness.clock,
    )
    async with service as keyless, keyless.http.get(keyless.url + link_desk.link) as answer:
        assert (answer.status, await answer.text()) == (404, (await harness.browse("/v1/offer-links/none")).body)


async def test_during_an_outage_the_page_says_that_nothing_was_recorded(link_desk: LinkDesk) -> None:
    runner, before = link_desk.harness.sourcing.runner, await link_desk.list_event_types()
    starting, cut_off = runner.build_app(), runner.build_app()
    starting.state.ready = asyncio.Event()
    nowhere = Database("postgresql+asyncpg://nobody:nothing@127.0.0.1:1/nowhere", name="nowhere", pool_size=2)
    cut_off.state.ports |= {SearchQueries: PostgresSearchQueries(nowhere, OfferIndex())}
    for app in (starting, cut_off):
        async with (
            serve_app(app) as url,
            link_desk.harness.sourcing.http.post(url + link_desk.link, data=ACCEPT) as answer,
        ):
            assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
            assert "Nothing was recorded" in await answer.text()
    await nowhere.close()
    assert await link_desk.list_event_types() == before


async def test_pages_are_private_and_not_cached(link_desk: LinkDesk) -> None:
    answers = [
        await link_desk.open_link(),
        await link_desk.send_form(b"answer=perhaps"),
        await link_desk.send_form(DECLINE),
        await link_desk.send_form(ACCEPT),
        await link_desk.harness.browse("/v1/offer-links/none"),
    ]
    assert [each.status for each in answers] == [200, 422, 200, 409, 404]
    for answer in answers:
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "form-action 'self'; frame-ancestors 'none'" in policy


async def test_other_methods_are_not_allowed(link_desk: LinkDesk) -> None:
    assert [(await link_desk.harness.browse(link_desk.link, method=method)).status for method in ("PUT", "DELETE")] == [
        405,
        405,
    ]


async def test_the_openapi_page_asks_for_no_bearer_and_shows_no_token(link_desk: LinkDesk) -> None:
    page = (await link_desk.harness.browse("/openapi.json")).body
    assert LINK_KEY not in page
    operations = (await link_desk.harness.sourcing.request("GET", "/openapi.json")).body["paths"][
        "/v1/offer-links/{token}"
    ]
    assert sorted(operations) == ["get", "post"]
    assert [each.get("security") for each in operations.values()] == [None, None]
    assert not [name for each in operations.values() for name in each["parameters"][0] if "example" in name]


async def test_a_token_is_in_no_table_topic_log_span_or_answer(
    link_desk: LinkDesk, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    spans = InMemorySpanExporter()
    tracing = trace.get_tracer_provider()
    if not isinstance(tracing, TracerProvider):
        tracing = TracerProvider()
        trace.set_tracer_provider(tracing)
    tracing.add_span_processor(SimpleSpanProcessor(spans))
    harness, token = link_desk.harness, link_desk.link.rpartition("/")[2]
    damaged = link_desk.link[:-4] + "AAAA"
    told = [
        await harness.browse(f"{link_desk.link}?{token}"),
        await harness.browse(damaged, method="POST", form=ACCEPT),
        await harness.browse(link_desk.link, method="PUT"),
        await link_desk.send_form(b"answer=accept&reason=" + token.encode()),
        await link_desk.send_form(DECLINE),
        await link_desk.send_form(ACCEPT),
        await harness.browse("/metrics"),
    ]
    assert [each.status for each in told] == [200, 404, 405, 422, 200, 409, 200]
    await link_desk.market.wait_for_offer("Birch", link_desk.offer.package_id)

    async def are_spans_there() -> bool:
        return any("offer-links" in str(span.to_json()) for span in spans.get_finished_spans())

    await wait_until(are_spans_there)
    kept = await harness.read_kafka_records([link_desk.offer.package_id])
    tables = await fetch_rows(harness.database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    secret = token[:60]
    for (table,) in tables:
        query = (
            f"SELECT count(*) FROM {table} WHERE strpos(CAST({table} AS text), :token) > 0"
            f" OR strpos(CAST({table} AS text), :hex) > 0"
        )
        assert await fetch_number(harness.database, query, token=secret, hex=secret.encode().hex()) == 0, table
    written = capfd.readouterr()
    places = {
        "answers": [f"{each.body} {dict(each.headers)}" for each in told],
        "Kafka": [f"{each.key} {each.headers} {each.value!r}" for each in kept],
        "logs": [harness.logs.getvalue(), caplog.text, written.out, written.err],
        "spans": [str(span.to_json()) for span in spans.get_finished_spans()],
    }
    assert [place for place, texts in places.items() if any(secret in each for each in texts)] == []
