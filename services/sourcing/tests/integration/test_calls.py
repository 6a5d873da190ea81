"""Offers by telephone on real PostgreSQL and Kafka."""

from datetime import timedelta

import pytest

from contracts.values import Channel
from testkit.sourcing.harness import WAIT_TIMEOUT, SourcingHarness
from testkit.sourcing.responses import OfferResponse
from testkit.sourcing.scenario_market import ScenarioMarket
from testkit.waiting import wait_until

pytestmark = pytest.mark.xdist_group("sourcing")


async def test_an_undeliverable_offer_goes_to_the_call_list(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    package = await market.request_package()
    offer = await market.wait_for_offer("Alder", package)
    await market.report_undeliverable("Alder", offer)
    item = await harness.wait_for_work_item(package)
    assert (item.what, item.offer_id, item.attempt) == ("call to make", offer.offer_id, 1)

    answer = await market.record_call(offer.offer_id, answer="accept")

    assert (answer.status, answer.body["status"]) == (200, "accepted")
    assert not await harness.is_on_work_list(package)
    decision = await harness.wait_for_decision(package)
    assert decision.placed_with == market.get_provider_id("Alder")
    assert decision.record[-1].actor == "officer:officer-1"


async def test_a_provider_reached_by_telephone_has_fifteen_minutes_to_answer(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    await market.publish_channel("Alder", Channel.PHONE)
    await market.wait_until_projected()
    package = await market.request_package()
    item = await harness.wait_for_work_item(package)
    assert item.offer_id is not None
    harness.advance_clock(timedelta(minutes=1))
    answer = await market.record_call(item.offer_id)
    offer = OfferResponse.model_validate(answer.body)
    assert (offer.answer_minutes, offer.answer_by) == (15, harness.now + timedelta(minutes=15))
    assert not await harness.is_on_work_list(package)
    harness.advance_clock(timedelta(minutes=15))
    await market.wait_for_offer("Birch", package)


async def test_after_three_calls_without_contact_the_next_provider_gets_the_offer(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    await market.publish_channel("Alder", Channel.PHONE)
    await market.wait_until_projected()
    package = await market.request_package()
    for attempt in (1, 2, 3):
        item = await harness.wait_for_work_item(package)
        assert (item.attempt, item.provider_id) == (attempt, market.get_provider_id("Alder"))
        assert item.offer_id is not None
        assert (await market.record_call(item.offer_id, "nobody reached")).status == 200
    await market.wait_for_offer("Birch", package)
    assert (await harness.wait_for_decision(package)).event_types[-3:] == ["CallRecorded", "OfferExpired", "OfferMade"]


async def test_a_call_about_a_webhook_offer_or_an_ended_offer_is_refused(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    offer = await market.wait_for_offer("Alder", await market.request_package())
    assert (await market.record_call(offer.offer_id)).body["type"].endswith("offer-not-by-phone")
    await market.report_undeliverable("Alder", offer)
    await wait_until(lambda: is_by_telephone(market, offer), within=WAIT_TIMEOUT)
    assert (await market.decline("Alder", offer)).status == 200
    assert (await market.record_call(offer.offer_id)).body["type"].endswith("offer-already-ended")


async def is_by_telephone(market: ScenarioMarket, offer: OfferResponse) -> bool:
    return (await market.read_offer("Alder", offer)).channel == "phone"


async def test_an_offer_without_delivery_report_goes_to_the_call_list_after_a_while(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    package = await market.request_package()
    offer = await market.wait_for_offer("Alder", package)
    harness.advance_clock(timedelta(minutes=12))
    assert (await harness.wait_for_work_item(package)).offer_id == offer.offer_id
