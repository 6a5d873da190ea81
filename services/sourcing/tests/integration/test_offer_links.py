"""What a provider without a system does with the link in its mail: looks, answers, is late, has a damaged one."""

import asyncio
import json
import secrets
from dataclasses import dataclass
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
from sourcing.store.queries import PostgresSearchQueries
from sourcing.wiring import build
from testkit.databases import number, rows
from testkit.http_server import serve_app
from testkit.running_services import Reply, a_service
from testkit.servers import TestPostgres
from testkit.sourcing.harness import LINK_KEY, SourcingHarness
from testkit.sourcing.responses import OfferResponse
from testkit.sourcing.scenario_market import ScenarioMarket
from testkit.waiting import until

pytestmark = pytest.mark.xdist_group("sourcing")

ACCEPT: Final = b"answer=accept"
DECLINE: Final = b"answer=decline&reason=too+far+to+travel"
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Content-Type": "text/html; charset=utf-8",
}


@dataclass(frozen=True)
class Desk:
    """Alder's coordinator, with a mail about an offer that was delivered at nine; Birch comes next."""

    harness: SourcingHarness
    market: ScenarioMarket
    offer: OfferResponse
    link: str

    async def looks(self) -> Reply:
        return await self.harness.browse(self.link)

    async def sends(self, form: bytes) -> Reply:
        return await self.harness.browse(self.link, method="POST", form=form)

    async def on_record(self) -> list[str]:
        return (await self.harness.list_event_types([self.offer.package_id]))[self.offer.package_id]


@pytest.fixture
async def desk(harness: SourcingHarness) -> Desk:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    offer = await market.receive_offer("Alder", await market.wait_for_offer("Alder", await market.request_package()))
    return Desk(harness, market, offer, market.build_link("Alder", offer))


async def test_looking_shows_the_offer_and_changes_nothing(desk: Desk) -> None:
    before = await desk.on_record()
    pages = [await desk.looks() for _ in range(3)]
    head = await desk.harness.browse(desk.link, method="HEAD")
    assert {each.status for each in (*pages, head)} == {200}
    assert (head.body, head.headers["Content-Type"]) == ("", HEADERS["Content-Type"])
    for words in ("Answer before 09:30 on Monday", "CO1, Invented District", "£24.10 an hour", "3.50"):
        assert words in pages[0].body
    assert pages[0].body.count("<form") == 2
    assert await desk.on_record() == before
    assert (await desk.market.read_offer("Alder", desk.offer)).allowed_actions == ["accept", "decline"]


async def test_accepting_places_the_package_and_the_record_says_that_it_was_by_link(desk: Desk) -> None:
    answer = await desk.sends(ACCEPT)
    assert answer.status == 200
    assert "We have recorded that you accept" in answer.body
    decision = await desk.harness.wait_for_status(desk.offer.package_id, "placed")
    assert decision.placed_with == desk.market.get_provider_id("Alder")
    actors = {each.type: each.actor for each in decision.record}
    assert actors["calloff.OfferAccepted.v1"] == f"link:{desk.market.get_provider_id('Alder')}"
    shown = await desk.looks()
    assert (shown.status, "This offer was accepted" in shown.body, "<form" in shown.body) == (200, True, False)
    assert await desk.harness.find_faults([desk.offer.package_id]) == []


async def test_declining_with_a_reason_leads_to_the_next_offer(desk: Desk) -> None:
    answer = await desk.sends(DECLINE)
    assert (answer.status, "Your reason: too far to travel." in answer.body) == (200, True)
    await desk.market.wait_for_offer("Birch", desk.offer.package_id)
    query = "SELECT payload FROM journal WHERE key = :package AND type = 'calloff.OfferDeclined.v1'"
    (declined,) = await rows(desk.harness.database, query, package=str(desk.offer.package_id))
    assert json.loads(declined.payload)["reason"] == "too far to travel"


@pytest.mark.parametrize("form", [ACCEPT, DECLINE])
async def test_the_same_answer_again_gets_the_same_page_and_is_no_news(desk: Desk, form: bytes) -> None:
    first = await desk.sends(form)
    recorded = [each for each in await desk.on_record() if each in {"OfferAccepted", "OfferDeclined"}]
    again = await desk.sends(form)
    assert (again.status, again.body) == (200, first.body)
    assert [each for each in await desk.on_record() if each in {"OfferAccepted", "OfferDeclined"}] == recorded
    assert "LateAnswerRefused" not in await desk.on_record()


async def test_another_answer_than_the_first_is_on_record_and_does_not_count(desk: Desk) -> None:
    await desk.sends(DECLINE)
    answer = await desk.sends(ACCEPT)
    assert (answer.status, "This offer was already answered" in answer.body) == (409, True)
    assert (await desk.on_record()).count("LateAnswerRefused") == 1


async def test_an_answer_that_comes_too_late_is_on_record_and_the_page_says_so(desk: Desk) -> None:
    desk.harness.advance_clock(timedelta(minutes=30))
    answer = await desk.sends(ACCEPT)
    assert answer.status == 409
    for words in ("Your answer came too late", "before 09:30 on Monday", "Your answer is on record"):
        assert words in answer.body
    assert (await desk.on_record()).count("LateAnswerRefused") == 1
    shown = await desk.looks()
    assert ("The time to answer is over" in shown.body, "<form" in shown.body) == (True, False)


async def test_who_may_not_have_it_any_more_is_told_why(desk: Desk) -> None:
    await desk.market.embargo("Alder")
    await desk.market.wait_until_projected()
    answer = await desk.sends(ACCEPT)
    assert (answer.status, "The reason: embargoed." in answer.body) == (409, True)
    await desk.market.wait_for_offer("Birch", desk.offer.package_id)


async def test_an_answer_before_the_delivery_is_heard_of_counts(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder")
    offer = await market.wait_for_offer("Alder", await market.request_package())
    link = market.build_link("Alder", offer)
    assert "You have 30 minutes to answer" in (await harness.browse(link)).body
    assert (await harness.browse(link, method="POST", form=ACCEPT)).status == 200
    await harness.wait_for_status(offer.package_id, "placed")


async def test_the_link_answers_too_after_the_offer_went_another_way(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder")
    offer = await market.wait_for_offer("Alder", await market.request_package())
    await market.report_undeliverable("Alder", offer)
    await harness.wait_for_work_item(offer.package_id)
    assert (await harness.browse(market.build_link("Alder", offer), method="POST", form=ACCEPT)).status == 200
    await harness.wait_for_status(offer.package_id, "placed")


# --- what is not right


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
async def test_a_form_that_is_not_right_says_what_to_correct_and_answers_nothing(
    desk: Desk, form: bytes, words: str
) -> None:
    before = await desk.on_record()
    answer = await desk.sends(form)
    assert (answer.status, answer.body.count("<form")) == (422, 2)
    assert words in answer.body
    assert "bored" not in answer.body
    assert await desk.on_record() == before


async def test_a_form_of_more_than_a_million_bytes_is_refused_unread(desk: Desk) -> None:
    answer = await desk.sends(b"answer=accept&pad=" + b"x" * 1_000_000)
    assert (answer.status, "This is more than we can read" in answer.body) == (413, True)


async def test_every_link_that_is_not_valid_gets_the_same_page(desk: Desk) -> None:
    before = await desk.on_record()
    path, market = desk.link, desk.market
    unknown = desk.offer.model_copy(update={"offer_id": OfferId(uuid4())})
    links = {
        "damaged": path[:40] + ("A" if path[40] != "A" else "B") + path[41:],
        "cut": path[:-5],
        "longer": path + "AAAA",
        "with the mail's full stop": path + ".",
        "with a folder behind it": path + "/answer",
        "of another key": market.build_link("Alder", desk.offer, key=secrets.token_hex(32)),
        "ended": market.build_link("Alder", desk.offer, valid_for=timedelta()),
        "of another provider": market.build_link("Birch", desk.offer),
        "of no offer": market.build_link("Alder", unknown),
        "no token": "/v1/offer-links/",
        "no letters": "/v1/offer-links/%F0%9F%98%80",
    }
    answers = {
        f"{name}, {method}": await desk.harness.browse(link, method=method, form=form)
        for name, link in links.items()
        for method, form in (("GET", None), ("POST", ACCEPT))
    }
    assert {name for name, each in answers.items() if each.status != 404} == set()
    (page,) = {each.body for each in answers.values()}
    assert "This link is not valid" in page
    assert await desk.on_record() == before


async def test_a_link_ends_when_its_time_is_over(desk: Desk) -> None:
    link = desk.market.build_link("Alder", desk.offer, valid_for=timedelta(minutes=10))
    desk.harness.advance_clock(timedelta(minutes=10) - timedelta(seconds=1))
    statuses = [(await desk.harness.browse(link)).status]
    desk.harness.advance_clock(timedelta(seconds=1))
    assert [*statuses, (await desk.harness.browse(link)).status] == [200, 404]


async def test_without_a_key_no_link_is_valid(desk: Desk, postgres: TestPostgres) -> None:
    harness = desk.harness
    service = a_service(
        Settings,
        build,
        databases=postgres,
        bootstrap=harness.bootstrap,
        issuer=harness.sourcing.issuer,
        clock=harness.clock,
    )
    async with service as keyless, keyless.http.get(keyless.url + desk.link) as answer:
        assert (answer.status, await answer.text()) == (404, (await harness.browse("/v1/offer-links/none")).body)


async def test_while_we_cannot_answer_a_page_says_that_nothing_was_recorded(desk: Desk) -> None:
    runner, before = desk.harness.sourcing.runner, await desk.on_record()
    starting, cut_off = runner.build_app(), runner.build_app()
    starting.state.ready = asyncio.Event()
    nowhere = Database("postgresql+asyncpg://nobody:nothing@127.0.0.1:1/nowhere", name="nowhere", pool_size=2)
    cut_off.state.ports |= {SearchQueries: PostgresSearchQueries(nowhere)}
    for app in (starting, cut_off):
        async with serve_app(app) as url, desk.harness.sourcing.http.post(url + desk.link, data=ACCEPT) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
            assert "Nothing was recorded" in await answer.text()
    await nowhere.close()
    assert await desk.on_record() == before


async def test_every_page_is_kept_to_the_one_who_reads_it(desk: Desk) -> None:
    answers = [
        await desk.looks(),
        await desk.sends(b"answer=perhaps"),
        await desk.sends(DECLINE),
        await desk.sends(ACCEPT),
        await desk.harness.browse("/v1/offer-links/none"),
    ]
    assert [each.status for each in answers] == [200, 422, 200, 409, 404]
    for answer in answers:
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "form-action 'self'; frame-ancestors 'none'" in policy


async def test_nothing_but_looking_and_answering_is_there(desk: Desk) -> None:
    assert [(await desk.harness.browse(desk.link, method=method)).status for method in ("PUT", "DELETE")] == [405, 405]


async def test_the_openapi_page_asks_for_no_bearer_and_shows_no_token(desk: Desk) -> None:
    page = (await desk.harness.browse("/openapi.json")).body
    assert LINK_KEY not in page
    operations = (await desk.harness.sourcing.ask("GET", "/openapi.json")).body["paths"]["/v1/offer-links/{token}"]
    assert sorted(operations) == ["get", "post"]
    assert [each.get("security") for each in operations.values()] == [None, None]
    assert not [name for each in operations.values() for name in each["parameters"][0] if "example" in name]


async def test_a_token_is_in_no_table_topic_log_span_or_answer(
    desk: Desk, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    spans = InMemorySpanExporter()
    tracing = trace.get_tracer_provider()
    if not isinstance(tracing, TracerProvider):
        tracing = TracerProvider()
        trace.set_tracer_provider(tracing)
    tracing.add_span_processor(SimpleSpanProcessor(spans))
    harness, token = desk.harness, desk.link.rpartition("/")[2]
    damaged = desk.link[:-4] + "AAAA"
    told = [
        await harness.browse(f"{desk.link}?{token}"),
        await harness.browse(damaged, method="POST", form=ACCEPT),
        await harness.browse(desk.link, method="PUT"),
        await desk.sends(b"answer=accept&reason=" + token.encode()),
        await desk.sends(DECLINE),
        await desk.sends(ACCEPT),
        await harness.browse("/metrics"),
    ]
    assert [each.status for each in told] == [200, 404, 405, 422, 200, 409, 200]
    await desk.market.wait_for_offer("Birch", desk.offer.package_id)

    async def are_spans_there() -> bool:
        return any("offer-links" in str(span.to_json()) for span in spans.get_finished_spans())

    await until(are_spans_there)
    kept = await harness.read_kafka_records([desk.offer.package_id])
    tables = await rows(harness.database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    secret = token[:60]
    for (table,) in tables:
        query = (
            f"SELECT count(*) FROM {table} WHERE strpos(CAST({table} AS text), :token) > 0"
            f" OR strpos(CAST({table} AS text), :hex) > 0"
        )
        assert await number(harness.database, query, token=secret, hex=secret.encode().hex()) == 0, table
    written = capfd.readouterr()
    places = {
        "answers": [f"{each.body} {dict(each.headers)}" for each in told],
        "Kafka": [f"{each.key} {each.headers} {each.value!r}" for each in kept],
        "logs": [harness.logs.getvalue(), caplog.text, written.out, written.err],
        "spans": [str(span.to_json()) for span in spans.get_finished_spans()],
    }
    assert [place for place, texts in places.items() if any(secret in each for each in texts)] == []
