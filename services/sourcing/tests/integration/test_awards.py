"""Awards of open packages on real PostgreSQL and Kafka: by one officer, or by two above the ceiling."""

import json

import pytest

from contracts.example_words import InadequateReasons
from contracts.values import Rating
from testkit.chain_checker import remove_repeats
from testkit.sourcing.harness import SourcingHarness
from testkit.sourcing.open_packages import create_open_market, list_package_with_proposal

pytestmark = pytest.mark.xdist_group("sourcing")


async def test_one_officer_awards_at_the_ceiling(harness: SourcingHarness) -> None:
    market = await create_open_market(harness)
    package, proposal = await list_package_with_proposal(market, "29.00")
    assert proposal.above_ceiling is False
    assert (await harness.wait_for_work_item(package)).what == "proposals to decide"

    answers = [await harness.award(package, proposal.proposal_id) for _ in range(2)]

    assert [(answer.status, answer.body["result"]) for answer in answers] == [(200, "placed")] * 2
    assert answers[0].body == answers[1].body
    assert not await harness.is_on_work_list(package)
    decision = await harness.wait_for_decision(package)
    assert (decision.status, decision.placed_with) == ("placed", market.get_provider_id("Spruce"))
    assert decision.event_types[-2:] == ["ProposalAwarded", "PackagePlaced"]
    assert [each.provider_id for each in await harness.list_placements([package])] == [market.get_provider_id("Spruce")]
    assert await harness.find_faults([package]) == []


async def test_the_placement_is_on_kafka_with_its_proposals_terms_and_the_chain_holds(harness: SourcingHarness) -> None:
    market = await create_open_market(harness)
    package, proposal = await list_package_with_proposal(market, "28.00")
    assert (await harness.award(package, proposal.proposal_id)).status == 200
    records = remove_repeats(await harness.read_kafka_records([package]))
    placed = json.loads(next(each.value for each in records if "PackagePlaced" in each.get_header("ce_type")) or b"")
    assert placed["proposal_id"] == str(proposal.proposal_id)
    assert placed["offer_id"] is None
    assert (placed["terms"]["lines"][0]["rate"], placed["terms"]["weekly_cost"]) == ("28.00", "98.00")
    decision = await harness.wait_for_decision(package)
    ours = [each for each in records if each.get_header("ce_source") == f"/calloff/{harness.sourcing.service.name}"]
    assert [each.get_header("ce_hash") for each in ours] == [each.hash for each in decision.record]
    assert await harness.find_faults([package]) == []


async def test_above_the_ceiling_a_second_officer_has_to_approve_the_price(harness: SourcingHarness) -> None:
    market = await create_open_market(harness)
    package, proposal = await list_package_with_proposal(market, "29.01")

    answers = [
        await harness.award(package, proposal.proposal_id, officer=officer) for officer in ("officer-1", "officer-9")
    ]

    assert [(answer.status, answer.body["result"]) for answer in answers] == [(202, "waits for a second officer")] * 2
    assert answers[0].body == answers[1].body
    item = await harness.wait_for_work_item(package)
    assert (item.what, str(item.award_id)) == ("price to approve", answers[0].body["award_id"])
    assert await harness.list_placements([package]) == []
    waiting = (await harness.list_proposals(package)).awaiting_approval
    assert waiting is not None

    await harness.approve_price(package, waiting, proposal)

    decision = await harness.wait_for_status(package, "placed")
    assert decision.placed_with == market.get_provider_id("Spruce")
    assert decision.event_types.count("ProposalAwarded") == 1
    assert await harness.find_faults([package]) == []


async def test_a_refused_price_or_an_approval_by_the_same_officer_leaves_the_package_open(
    harness: SourcingHarness,
) -> None:
    market = await create_open_market(harness)
    package, proposal = await list_package_with_proposal(market, "35.00")
    first = await harness.award(package, proposal.proposal_id)
    await harness.refuse_price(package, first.body["award_id"], proposal)
    await harness.wait_for_event(package, "AwardLapsed")
    assert (await harness.wait_for_work_item(package)).what == "proposals to decide"
    assert (await harness.list_proposals(package)).awaiting_approval is None

    second = await harness.award(package, proposal.proposal_id)
    assert second.body["award_id"] != first.body["award_id"]
    await harness.approve_price(package, first.body["award_id"], proposal)  # of what has lapsed
    await harness.approve_price(package, second.body["award_id"], proposal, officer="officer-1")

    decision = await harness.wait_for_event(package, "AwardRefused")
    assert decision.status == "listed"
    assert decision.turns[-1].reasons == ["the officer who awarded cannot be the second one"]
    assert (await harness.wait_for_work_item(package)).proposals == 1
    assert await harness.list_placements([package]) == []
    assert await harness.find_faults([package]) == []


async def test_one_award_at_a_time_waits_for_approval_and_a_new_rate_cancels_it(
    harness: SourcingHarness,
) -> None:
    market = await create_open_market(harness)
    package, proposal = await list_package_with_proposal(market, "35.00")
    reference = (await harness.list_proposals(package)).advert.reference
    assert (await market.propose("Sorrel", reference, "28.00")).status == 201
    sorrel = await market.find_proposal("Sorrel", package)
    waiting = await harness.award(package, proposal.proposal_id)
    refused = await harness.award(package, sorrel.proposal_id, officer="officer-9")
    assert (refused.status, refused.body["type"].rpartition("/")[2]) == (409, "award-not-possible")
    assert (await harness.wait_for_event(package, "AwardRefused")).status == "listed"
    assert str((await harness.list_proposals(package)).awaiting_approval) == waiting.body["award_id"]

    assert (await market.propose("Spruce", reference, "34.00")).status == 201

    assert (await harness.list_proposals(package)).awaiting_approval is None
    assert (await harness.award(package, proposal.proposal_id)).status == 404  # the old rate
    await harness.approve_price(package, waiting.body["award_id"], proposal)
    assert (await harness.award(package, sorrel.proposal_id)).status == 200
    decision = await harness.wait_for_decision(package)
    assert decision.placed_with == market.get_provider_id("Sorrel")
    assert await harness.find_faults([package]) == []


async def test_an_embargo_prevents_the_award_and_is_recorded(harness: SourcingHarness) -> None:
    market = await create_open_market(harness)
    package, proposal = await list_package_with_proposal(market, "28.00")
    await market.embargo("Spruce")
    await market.wait_until_projected()
    answer = await harness.award(package, proposal.proposal_id)
    assert (answer.status, "embargoed" in answer.detail) == (409, True)
    decision = await harness.wait_for_decision(package)
    assert (decision.status, decision.event_types[-1]) == ("listed", "AwardRefused")
    assert await harness.find_faults([package]) == []


async def test_an_award_to_a_provider_rated_inadequate_needs_a_reason(harness: SourcingHarness) -> None:
    market = await create_open_market(harness)
    await market.add_spot_providers("Spruce", rating=Rating.INADEQUATE)
    await market.wait_until_projected()
    package, proposal = await list_package_with_proposal(market, "28.00")
    assert proposal.rating is Rating.INADEQUATE
    without = await harness.award(package, proposal.proposal_id)
    assert (without.status, [each["pointer"] for each in without.body["errors"]]) == (422, ["#/inadequate_reason"])
    answer = await harness.award(package, proposal.proposal_id, inadequate_reason=InadequateReasons.NO_OTHER_PROPOSAL)
    assert answer.status == 200


async def test_a_withdrawal_removes_the_package_from_the_list_and_cancels_its_award(
    harness: SourcingHarness,
) -> None:
    market = await create_open_market(harness)
    package, proposal = await list_package_with_proposal(market, "35.00")
    waiting = await harness.award(package, proposal.proposal_id)
    await market.withdraw_package(package)
    decision = await harness.wait_for_status(package, "stopped")
    assert decision.event_types[-2:] == ["AwardLapsed", "SourcingStopped"]
    await harness.approve_price(package, waiting.body["award_id"], proposal)
    assert await market.list_available("Spruce") == []
    assert not await harness.is_on_work_list(package)
    assert (await harness.award(package, proposal.proposal_id)).status == 409
    assert await harness.find_faults([package]) == []


async def test_an_awarded_package_is_withdrawn_and_its_placement_voided(harness: SourcingHarness) -> None:
    market = await create_open_market(harness)
    package, proposal = await list_package_with_proposal(market, "28.00")
    assert (await harness.award(package, proposal.proposal_id)).status == 200
    await market.withdraw_package(package)
    decision = await harness.wait_for_status(package, "stopped")
    assert decision.event_types[-1] == "PlacementVoided"
    assert [each.voided for each in await harness.list_placements([package])] == [True]
    assert (await harness.award(package, proposal.proposal_id)).status == 409
