"""Officers' acts on real PostgreSQL and Kafka: each route, what it refuses, and what it says can be done next."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.example_words import DeclineReasons, OfficerReasons, Tiers
from contracts.ids import PackageId
from testkit.http_response import HttpResponse
from testkit.sourcing.harness import SourcingHarness
from testkit.sourcing.open_packages import create_open_market, list_package_with_proposal
from testkit.sourcing.scenario_market import ScenarioMarket

pytestmark = pytest.mark.xdist_group("sourcing")


async def act(
    harness: SourcingHarness, package: PackageId, path: str, *, officer: str = "officer-1", **body: object
) -> HttpResponse:
    """Posts an officer's act with a reason."""
    body = {"reason": OfficerReasons.OTHER, **body}
    return await harness.request_as_officer("POST", f"/v1/packages/{package}/{path}", body, officer=officer)


async def read_search(harness: SourcingHarness, package: PackageId) -> dict[str, Any]:
    """Reads the search as officers see it (Any: JSON)."""
    return dict((await harness.request_as_officer("GET", f"/v1/packages/{package}/search")).body)


def list_acts(search: dict[str, Any]) -> set[str]:
    return {each["act"] for each in search["allowed_acts"]}


async def test_a_paused_search_stands_on_the_work_list_and_goes_on_when_it_is_resumed(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    package = await market.request_package()
    offer = await market.wait_for_offer("Alder", package)
    paused = await act(harness, package, "pause")
    assert (paused.status, paused.body["paused"]) == (200, True)
    assert "resume" in list_acts(dict(paused.body))
    assert (await market.decline("Alder", offer)).status == 200
    assert (await harness.wait_for_work_item(package)).what == "paused"
    assert await market.list_offers("Birch") == []
    assert (await act(harness, package, "resume", officer="officer-2")).status == 200
    await market.wait_for_offer("Birch", package)
    assert not await harness.is_on_work_list(package)
    decision = await harness.wait_for_decision(package)
    assert decision.event_types[-2:] == ["SearchResumed", "OfferMade"]
    assert next(each.actor for each in decision.record if "SearchResumed" in each.type) == "officer:officer-2"
    assert await harness.find_faults([package]) == []


async def test_a_skipped_provider_is_not_asked_and_the_decision_says_why(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch", "Cedar")
    package = await market.request_package()
    offer = await market.wait_for_offer("Alder", package)
    reason = OfficerReasons.KNOWN_NOT_TO_HAVE_CAPACITY
    skipped = await act(harness, package, "skips", provider_id=str(market.get_provider_id("Birch")), reason=reason)
    assert skipped.status == 200
    await market.decline("Alder", offer)
    await market.wait_for_offer("Cedar", package)
    turn = next(
        turn
        for turn in (await harness.wait_for_decision(package)).turns
        if turn.provider_id == market.get_provider_id("Birch")
    )
    assert (turn.outcome, turn.reasons) == ("skipped by an officer", [reason])


async def test_an_offer_out_of_order_needs_two_officers_and_its_acceptance_places_the_package(
    harness: SourcingHarness,
) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch", "Cedar")
    package = await market.request_package()
    offer = await market.wait_for_offer("Alder", package)
    cedar = str(market.get_provider_id("Cedar"))
    proposed = await act(harness, package, "directed-offers", provider_id=cedar, tier=Tiers.ONE)
    assert proposed.status == 202
    (waiting,) = proposed.body["waiting_acts"]
    item = await harness.wait_for_work_item(package)
    assert (item.what, str(item.provider_id)) == ("act to approve", cedar)
    path = f"/v1/packages/{package}/acts/{waiting['act_id']}/approve"
    same = await harness.request_as_officer("POST", path)
    assert (same.status, same.body["type"].rpartition("/")[2]) == (409, "same-officer")
    approved = await harness.request_as_officer("POST", path, officer="officer-2")
    assert approved.status == 202
    await market.decline("Alder", offer)
    directed = await market.wait_for_offer("Cedar", package)
    assert (await market.accept("Cedar", directed)).status == 200
    assert (await harness.wait_for_status(package, "placed")).placed_with == market.get_provider_id("Cedar")
    assert await harness.find_faults([package]) == []


async def test_a_provider_without_a_place_is_refused_with_the_reason(harness: SourcingHarness) -> None:
    market = await create_open_market(harness)
    package = await market.request_package()
    await market.wait_for_offer("Alder", package)
    refused = await act(harness, package, "directed-offers", provider_id=str(market.get_provider_id("Spruce")))
    assert (refused.status, refused.body["type"].rpartition("/")[2]) == (409, "provider-barred")
    assert "record a placement made by hand" in refused.detail


async def test_a_placement_by_hand_of_an_exhausted_package_is_on_kafka_with_its_terms(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    package = await market.request_package()
    for name in ("Alder", "Birch"):
        await market.decline(name, await market.wait_for_offer(name, package))
    assert (await harness.wait_for_work_item(package)).what == "exhausted"
    alder = str(market.get_provider_id("Alder"))
    placed = await act(harness, package, "placements", provider_id=alder, rate="20.00")
    assert (placed.status, placed.body["placed_with"]) == (200, alder)
    assert (await act(harness, package, "placements", provider_id=alder, rate="20.00")).status == 200
    decision = await harness.wait_for_status(package, "placed")
    assert decision.event_types[-2:] == ["PlacedByHand", "PackagePlaced"]
    assert len(await harness.list_placements([package])) == 1
    assert not await harness.is_on_work_list(package)
    assert await harness.find_faults([package]) == []


async def test_a_dear_placement_by_hand_waits_for_a_second_officer_who_may_refuse(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    package = await market.request_package()
    await market.wait_for_offer("Alder", package)
    birch = str(market.get_provider_id("Birch"))
    waits = await act(harness, package, "placements", provider_id=birch, rate="99.99")
    assert waits.status == 202
    act_id = waits.body["waiting_acts"][0]["act_id"]
    path = f"/v1/packages/{package}/acts/{act_id}"
    refused = await harness.request_as_officer("POST", f"{path}/refuse", officer="officer-2")
    assert (refused.status, refused.body["waiting_acts"]) == (200, [])
    assert (await harness.request_as_officer("POST", f"{path}/approve", officer="officer-2")).status == 404
    assert await harness.list_placements([package]) == []


async def test_a_placement_that_fell_through_is_sourced_again_and_placed_with_the_next_provider(
    harness: SourcingHarness,
) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    package = await market.request_package()
    await market.accept("Alder", await market.wait_for_offer("Alder", package))
    await harness.wait_for_status(package, "placed")
    assert "source again" in list_acts(await read_search(harness, package))
    again = await act(harness, package, "resource", reason=OfficerReasons.PROVIDER_GAVE_BACK)
    assert (again.status, again.body["status"]) == (200, "running")
    birch = await market.wait_for_offer("Birch", package)
    assert (await market.accept("Birch", birch)).status == 200
    placements = await harness.list_placements([package])
    assert {(each.provider_id, each.voided) for each in placements} == {
        (market.get_provider_id("Alder"), True),
        (market.get_provider_id("Birch"), False),
    }
    assert await harness.find_faults([package]) == []


async def test_an_award_that_waits_is_withdrawn_and_the_package_stays_open(harness: SourcingHarness) -> None:
    market = await create_open_market(harness)
    package, proposal = await list_package_with_proposal(market, "35.00")
    award = await harness.award(package, proposal.proposal_id)
    withdrawn = await act(harness, package, f"awards/{award.body['award_id']}/withdraw")
    assert (withdrawn.status, withdrawn.body["status"]) == (200, "listed")
    assert (await act(harness, package, f"awards/{award.body['award_id']}/withdraw")).status == 409
    await harness.approve_price(package, award.body["award_id"], proposal)
    assert (await harness.award(package, proposal.proposal_id)).status == 202
    assert (await harness.wait_for_decision(package)).status == "listed"
    assert market.get_provider_id("Spruce") == proposal.provider_id


async def test_a_counter_offer_is_shown_to_its_provider_who_accepts_it(harness: SourcingHarness) -> None:
    market = await create_open_market(harness)
    package, proposal = await list_package_with_proposal(market, "35.00")
    reference = (await harness.list_proposals(package)).advert.reference
    until = harness.now.replace(hour=23, minute=0).isoformat()
    made = await act(
        harness, package, "counter-offers", proposal_id=str(proposal.proposal_id), rate="28.75", valid_until=until
    )
    assert made.status == 201
    shown = (await market.request_as_provider("Spruce", "GET", f"/v1/available-packages/{reference}")).body
    assert (shown["counter_offer"]["rate"], shown["counter_offer"]["declined"]) == ("28.75", False)
    path = f"/v1/available-packages/{reference}/counter-offers/{made.body['counter_offer_id']}"
    assert (await market.request_as_provider("Sorrel", "POST", f"{path}/accept")).status == 404
    accepted = await market.request_as_provider("Spruce", "POST", f"{path}/accept")
    assert (accepted.status, accepted.body["rate"]) == (201, "28.75")
    newest = await market.find_proposal("Spruce", package)
    assert (await harness.award(package, newest.proposal_id)).body["result"] == "placed"


async def test_a_counter_offer_is_declined_and_the_proposal_stands(harness: SourcingHarness) -> None:
    market = await create_open_market(harness)
    package, proposal = await list_package_with_proposal(market, "35.00")
    reference = (await harness.list_proposals(package)).advert.reference
    until = harness.now.replace(hour=23, minute=0).isoformat()
    made = await act(
        harness, package, "counter-offers", proposal_id=str(proposal.proposal_id), rate="28.75", valid_until=until
    )
    path = f"/v1/available-packages/{reference}/counter-offers/{made.body['counter_offer_id']}"
    assert (await market.request_as_provider("Spruce", "POST", f"{path}/decline")).status == 204
    assert (await market.request_as_provider("Spruce", "POST", f"{path}/accept")).status == 409
    assert (await market.find_proposal("Spruce", package)).proposal_id == proposal.proposal_id


async def test_an_officer_enters_a_proposal_and_an_answer_for_a_provider(harness: SourcingHarness) -> None:
    market = await create_open_market(harness)
    package = await market.request_package()
    offer = await market.wait_for_offer("Alder", package)
    path = f"/v1/offers/{offer.offer_id}/answers"
    body = {"answer": "decline", "decline_reason": DeclineReasons.TOO_FAR}
    declined = await harness.request_as_officer("POST", path, body)
    assert (declined.status, declined.body["status"]) == (200, "declined")
    missing = await harness.request_as_officer("POST", path, {"answer": "decline"})
    assert missing.status == 422
    unknown = await harness.request_as_officer("POST", f"/v1/offers/{uuid4()}/answers", {"answer": "accept"})
    assert unknown.status == 404
    await market.wait_until_listed([package])
    entered = await harness.request_as_officer(
        "POST",
        f"/v1/packages/{package}/proposals",
        {"provider_id": str(market.get_provider_id("Spruce")), "rate": "28.00"},
    )
    assert entered.status == 201
    record = (await harness.wait_for_decision(package)).record
    by_officer = {each.type.split(".")[1] for each in record if each.actor == "officer:officer-1"}
    assert {"OfferDeclined", "ProposalReceived"} <= by_officer


async def test_the_acts_are_for_officers_of_the_packages_council(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder")
    package = await market.request_package()
    await market.wait_for_offer("Alder", package)
    assert (await market.request_as_provider("Alder", "POST", f"/v1/packages/{package}/pause", {})).status == 403
    unknown = PackageId(UUID(int=7))
    assert (await act(harness, unknown, "pause")).status == 404
    assert (await act(harness, package, "pause", reason="no-such-reason")).status == 422
    assert (await harness.wait_for_decision(package)).event_types.count("SearchPaused") == 0


async def test_one_request_with_an_idempotency_key_counts_once(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    package = await market.request_package()
    await market.wait_for_offer("Alder", package)
    answers = [await act(harness, package, "skips") for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 409]
    assert (await harness.wait_for_decision(package)).event_types.count("ProviderSkipped") == 1
