"""Answers by the link of a mail on real PostgreSQL and Kafka."""

import json
from datetime import timedelta
from typing import Final

import pytest

from contracts.example_words import DeclineReasons
from testkit.databases import fetch_rows
from testkit.sourcing.harness import SourcingHarness
from testkit.sourcing.link_desk import ACCEPT, DECLINE, LinkDesk
from testkit.sourcing.scenario_market import ScenarioMarket

pytestmark = pytest.mark.xdist_group("sourcing")
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Content-Type": "text/html; charset=utf-8",
}


async def test_opening_the_link_shows_the_offer_and_changes_nothing(link_desk: LinkDesk) -> None:
    before = await link_desk.list_event_types()
    pages = [await link_desk.open_link() for _ in range(3)]
    head = await link_desk.harness.browse(link_desk.link, method="HEAD")
    assert {each.status for each in (*pages, head)} == {200}
    assert (head.body, head.headers["Content-Type"]) == ("", HEADERS["Content-Type"])
    for words in ("Answer before 09:30 on Monday", "CO1, Invented District", "£24.10 an hour", "3.50"):
        assert words in pages[0].body
    assert pages[0].body.count("<form") == 2
    assert await link_desk.list_event_types() == before
    assert (await link_desk.market.read_offer("Alder", link_desk.offer)).allowed_actions == ["accept", "decline"]


async def test_accepting_by_link_places_the_package_and_records_the_link(link_desk: LinkDesk) -> None:
    answer = await link_desk.send_form(ACCEPT)
    assert answer.status == 200
    assert "We have recorded that you accept" in answer.body
    decision = await link_desk.harness.wait_for_status(link_desk.offer.package_id, "placed")
    assert decision.placed_with == link_desk.market.get_provider_id("Alder")
    actors = {each.type: each.actor for each in decision.record}
    assert actors["calloff.OfferAccepted.v1"] == f"link:{link_desk.market.get_provider_id('Alder')}"
    shown = await link_desk.open_link()
    assert (shown.status, "This offer was accepted" in shown.body, "<form" in shown.body) == (200, True, False)
    assert await link_desk.harness.find_faults([link_desk.offer.package_id]) == []


async def test_declining_with_a_reason_leads_to_the_next_offer(link_desk: LinkDesk) -> None:
    answer = await link_desk.send_form(DECLINE)
    assert (answer.status, "Your reason: too far." in answer.body) == (200, True)
    await link_desk.market.wait_for_offer("Birch", link_desk.offer.package_id)
    query = "SELECT payload FROM journal WHERE key = :package AND type = 'calloff.OfferDeclined.v1'"
    (declined,) = await fetch_rows(link_desk.harness.database, query, package=str(link_desk.offer.package_id))
    assert json.loads(declined.payload)["reason"] == DeclineReasons.TOO_FAR


@pytest.mark.parametrize("form", [ACCEPT, DECLINE])
async def test_a_repeated_answer_gets_the_same_page_and_publishes_nothing(link_desk: LinkDesk, form: bytes) -> None:
    first = await link_desk.send_form(form)
    recorded = [each for each in await link_desk.list_event_types() if each in {"OfferAccepted", "OfferDeclined"}]
    again = await link_desk.send_form(form)
    assert (again.status, again.body) == (200, first.body)
    assert [
        each for each in await link_desk.list_event_types() if each in {"OfferAccepted", "OfferDeclined"}
    ] == recorded
    assert "LateAnswerRefused" not in await link_desk.list_event_types()


async def test_a_different_second_answer_is_recorded_and_does_not_count(link_desk: LinkDesk) -> None:
    await link_desk.send_form(DECLINE)
    answer = await link_desk.send_form(ACCEPT)
    assert (answer.status, "This offer was already answered" in answer.body) == (409, True)
    assert (await link_desk.list_event_types()).count("LateAnswerRefused") == 1


async def test_a_late_answer_is_recorded_and_the_page_says_so(link_desk: LinkDesk) -> None:
    link_desk.harness.advance_clock(timedelta(minutes=30))
    answer = await link_desk.send_form(ACCEPT)
    assert answer.status == 409
    for words in ("Your answer came too late", "before 09:30 on Monday", "Your answer is on record"):
        assert words in answer.body
    assert (await link_desk.list_event_types()).count("LateAnswerRefused") == 1
    shown = await link_desk.open_link()
    assert ("The time to answer is over" in shown.body, "<form" in shown.body) == (True, False)


async def test_a_provider_that_became_ineligible_sees_why(link_desk: LinkDesk) -> None:
    await link_desk.market.embargo("Alder")
    await link_desk.market.wait_until_projected()
    answer = await link_desk.send_form(ACCEPT)
    assert (answer.status, "The reason: embargoed." in answer.body) == (409, True)
    await link_desk.market.wait_for_offer("Birch", link_desk.offer.package_id)


async def test_an_answer_before_the_delivery_report_counts(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder")
    offer = await market.wait_for_offer("Alder", await market.request_package())
    link = market.build_link("Alder", offer)
    assert "You have 30 minutes to answer" in (await harness.browse(link)).body
    assert (await harness.browse(link, method="POST", form=ACCEPT)).status == 200
    await harness.wait_for_status(offer.package_id, "placed")


async def test_the_link_still_answers_after_the_offer_was_redirected(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder")
    offer = await market.wait_for_offer("Alder", await market.request_package())
    await market.report_undeliverable("Alder", offer)
    await harness.wait_for_work_item(offer.package_id)
    assert (await harness.browse(market.build_link("Alder", offer), method="POST", form=ACCEPT)).status == 200
    await harness.wait_for_status(offer.package_id, "placed")
