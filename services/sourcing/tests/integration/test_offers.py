"""Offers on real PostgreSQL and Kafka: made in rank order, answered in time, followed by the next one."""

from datetime import timedelta

import pytest

from contracts.example_words import DeclineReasons, Tiers
from testkit.sourcing.builders import LONDON, from_london_time
from testkit.sourcing.harness import SourcingHarness
from testkit.sourcing.scenario_market import ScenarioMarket

pytestmark = pytest.mark.xdist_group("sourcing")


async def test_the_first_provider_of_the_list_gets_the_offer_and_can_accept_it(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    package = await market.request_package()
    offer = await market.wait_for_offer("Alder", package)
    assert (offer.status, offer.allowed_actions) == ("made", ["accept", "decline"])

    answer = await market.accept("Alder", offer)

    assert (answer.status, answer.body["status"]) == (200, "accepted")
    decision = await harness.wait_for_decision(package)
    assert (decision.status, decision.placed_with) == ("placed", market.get_provider_id("Alder"))
    assert decision.event_types == ["SourcingStarted", "StageEntered", "OfferMade", "OfferAccepted", "PackagePlaced"]
    assert await harness.find_faults([package]) == []


async def test_a_decline_sends_the_package_to_the_next_in_rank(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    package = await market.request_package()
    answer = await market.decline("Alder", await market.wait_for_offer("Alder", package), DeclineReasons.TOO_FAR)
    assert (answer.status, answer.body["status"], answer.body["allowed_actions"]) == (200, "declined", [])
    await market.wait_for_offer("Birch", package)
    assert await market.list_offers("Alder") == []
    assert await harness.find_faults([package]) == []


async def test_an_offer_that_expires_is_followed_by_an_offer_to_the_next_provider(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    package = await market.request_package()
    offer = await market.receive_offer("Alder", await market.wait_for_offer("Alder", package))
    assert offer.answer_by == harness.now + timedelta(minutes=30)
    harness.advance_clock(timedelta(minutes=30))
    await market.wait_for_offer("Birch", package)
    assert (await market.read_offer("Alder", offer)).status == "expired"


async def test_an_answer_just_before_the_end_counts(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    offer = await market.receive_offer("Alder", await market.wait_for_offer("Alder", await market.request_package()))
    harness.advance_clock(timedelta(minutes=30) - timedelta(microseconds=1))
    assert (await market.accept("Alder", offer)).status == 200


async def test_an_answer_at_the_end_is_late_and_the_next_provider_gets_the_offer(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    package = await market.request_package()
    offer = await market.receive_offer("Alder", await market.wait_for_offer("Alder", package))
    harness.advance_clock(timedelta(minutes=30))

    answer = await market.accept("Alder", offer)

    assert (answer.status, answer.body["title"]) == (409, "Too late")
    assert "had ended when the answer came" in answer.detail
    await market.wait_for_offer("Birch", package)
    happened = (await harness.wait_for_decision(package)).event_types
    assert happened.index("OfferExpired") < happened.index("LateAnswerRefused")
    assert happened.count("OfferExpired") == 1


async def test_a_repeated_answer_gets_the_same_response_and_publishes_nothing(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    declined, accepted = await market.request_package(), await market.request_package()
    first, second = await market.wait_for_offer("Alder", declined), await market.wait_for_offer("Alder", accepted)
    answers = [await market.decline("Alder", first) for _ in range(3)]
    answers += [await market.accept("Alder", second) for _ in range(3)]
    assert [answer.status for answer in answers] == [200] * 6
    assert answers[0].body == answers[1].body == answers[2].body
    assert answers[3].body == answers[4].body == answers[5].body
    assert (await harness.wait_for_decision(declined)).event_types.count("OfferDeclined") == 1
    assert (await harness.wait_for_decision(accepted)).event_types.count("PackagePlaced") == 1


async def test_a_second_and_different_answer_is_refused_and_recorded(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    package = await market.request_package()
    offer = await market.wait_for_offer("Alder", package)
    assert (await market.accept("Alder", offer)).status == 200
    answer = await market.decline("Alder", offer)
    assert (answer.status, answer.body["title"]) == (409, "Too late")
    decision = await harness.wait_for_decision(package)
    assert (decision.status, decision.event_types[-1]) == ("placed", "LateAnswerRefused")


async def test_a_package_without_a_taker_passes_the_tiers_and_reaches_the_work_list(
    harness: SourcingHarness,
) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch", tiers=(Tiers.ONE, Tiers.TWO))
    await market.publish_ranked_list("Birch", "Alder", tier=Tiers.TWO)
    await market.wait_until_projected()
    package = await market.request_package()
    for name in ("Alder", "Birch", "Birch", "Alder"):
        assert (await market.decline(name, await market.wait_for_offer(name, package))).status == 200
    decision = await harness.wait_for_status(package, "exhausted")
    assert [(stage.stage, [turn.outcome for turn in stage.turns]) for stage in decision.stages] == [
        ("tier-1", ["declined", "declined"]),
        ("tier-2", ["declined", "declined"]),
    ]
    assert (await harness.wait_for_work_item(package)).what == "exhausted"
    assert await harness.find_faults([package]) == []


async def test_an_empty_list_is_not_a_missing_list(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness)
    package = await market.request_package()
    await harness.wait_for_status(package, "exhausted")
    assert (await harness.wait_for_work_item(package)).what == "exhausted"


async def test_a_routine_package_waits_for_the_opening_and_an_urgent_one_does_not(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder")
    today = harness.now.astimezone(LONDON).date()
    harness.set_clock(from_london_time(today, "17:00"))
    routine, urgent = await market.request_package(), await market.request_package(urgent=True)
    await market.wait_for_offer("Alder", urgent)
    assert (await harness.wait_for_event(routine, "StageEntered")).event_types[-1] == "StageEntered"
    assert await harness.find_faults([routine, urgent]) == []
    harness.set_clock(from_london_time(today + timedelta(days=1), "08:30"))
    await market.wait_for_offer("Alder", routine)


async def test_after_a_decline_in_the_evening_the_next_offer_waits_for_the_opening(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    package = await market.request_package()
    offer = await market.wait_for_offer("Alder", package)
    today = harness.now.astimezone(LONDON).date()
    harness.set_clock(from_london_time(today, "19:45"))
    assert (await market.decline("Alder", offer)).status == 200
    assert await harness.find_faults([package]) == []
    harness.set_clock(from_london_time(today + timedelta(days=1), "08:30"))
    await market.wait_for_offer("Birch", package)
