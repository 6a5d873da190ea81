"""Proposals for open packages on real PostgreSQL and Kafka."""

from decimal import Decimal
from uuid import uuid4

import pytest

from contracts.example_words import Variations
from testkit.sourcing.harness import SourcingHarness
from testkit.sourcing.open_packages import create_open_market, list_package, list_package_with_proposal

pytestmark = pytest.mark.xdist_group("sourcing")


async def test_a_newer_proposal_replaces_an_older_one(harness: SourcingHarness) -> None:
    market = await create_open_market(harness)
    package, reference = await list_package(market)
    answer = await market.propose("Spruce", reference, "28.50", Variations.OTHER_TIMES)
    assert (answer.status, answer.body["weekly_cost"]) == (201, "99.75")  # 3.5 hours

    again = await market.propose("Spruce", reference, "28.50", Variations.OTHER_TIMES)
    newer = await market.propose("Spruce", reference, "27.00")

    assert again.body == answer.body
    assert newer.status == 201
    assert newer.body["proposal_id"] != answer.body["proposal_id"]
    (shown,) = await market.list_available("Spruce")
    assert shown.my_proposal is not None
    assert shown.my_proposal.rate == Decimal("27.00")
    (others,) = await market.list_available("Sorrel")
    assert others.my_proposal is None
    assert [(each.rate, each.above_ceiling) for each in (await harness.list_proposals(package)).items] == [
        (Decimal("27.00"), False)
    ]
    assert (await harness.wait_for_decision(package)).event_types.count("ProposalReceived") == 2
    assert await harness.find_faults([package]) == []


async def test_requests_with_one_idempotency_key_are_one_proposal(harness: SourcingHarness) -> None:
    market = await create_open_market(harness)
    package, reference = await list_package(market)
    key = uuid4().hex
    answers = [await market.propose("Spruce", reference, "28.00", idempotency_key=key) for _ in range(2)]
    other = await market.propose("Spruce", reference, "27.00", idempotency_key=key)
    assert [answer.status for answer in (*answers, other)] == [201, 201, 422]
    assert answers[0].body == answers[1].body
    assert (await harness.wait_for_decision(package)).event_types.count("ProposalReceived") == 1


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "#/rate"),
        ({"rate": "0.00"}, "#/rate"),
        ({"rate": "-1.00"}, "#/rate"),
        ({"rate": "a lot"}, "#/rate"),
        ({"rate": 1_700_000_000}, "#/rate"),
        ({"rate": "10000.01"}, "#/rate"),
        ({"rate": 10**30}, "#/rate"),
        ({"rate": "1E+1000000"}, "#/rate"),
        ({"rate": "1e1"}, "#/rate"),
        ({"rate": "NaN"}, "#/rate"),
        ({"rate": "-0"}, "#/rate"),
        ({"rate": 25.001}, "#/rate"),
        ({"rate": True}, "#/rate"),
        ({"rate": "25.00", "can_start_on": 86400}, "#/can_start_on"),
        ({"rate": "25.00", "can_start_on": "9999-12-31"}, "#/can_start_on"),
        ({"rate": "25.00", "variations": "other-times"}, "#/variations"),
        ({"rate": "25.00", "variations": ["for cash"]}, "#/variations/0"),
        ({"rate": "25.00", "variations": ["other-times", "for-cash"]}, "#/variations/1"),
        ({"rate": "25.00", "can_start_on": "soon"}, "#/can_start_on"),
        ({"rate": "25.00", "note": "ask for Test Person"}, "#/note"),
    ],
)
async def test_an_invalid_proposal_is_refused_with_its_fields(
    harness: SourcingHarness, body: object, named: str
) -> None:
    market = await create_open_market(harness)
    package, reference = await list_package(market)
    answer = await market.request_as_provider("Spruce", "POST", f"/v1/available-packages/{reference}/proposals", body)
    assert (answer.status, [each["pointer"] for each in answer.body["errors"]]) == (422, [named])
    assert (await harness.list_proposals(package)).items == []


async def test_a_proposal_of_an_embargoed_provider_is_refused_and_recorded(harness: SourcingHarness) -> None:
    market = await create_open_market(harness)
    package, reference = await list_package(market)
    await market.embargo("Spruce")
    await market.wait_until_projected()
    answer = await market.propose("Spruce", reference, "25.00")
    assert (answer.status, "embargoed" in answer.detail) == (409, True)
    decision = await harness.wait_for_decision(package)
    assert decision.event_types[-1] == "ProposalRefused"
    assert [(turn.outcome, turn.reasons) for turn in decision.turns][-1] == ("proposal refused", ["embargoed"])
    assert await harness.find_faults([package]) == []


async def test_a_provider_that_the_person_refuses_does_not_learn_the_reason(harness: SourcingHarness) -> None:
    market = await create_open_market(harness, ranked=())
    package = await market.request_package(refused=["Spruce"])
    reference = (await market.wait_until_listed([package]))[package]
    answer = await market.propose("Spruce", reference, "25.00")
    assert answer.status == 409
    assert "person" not in answer.detail
    assert (await harness.wait_for_decision(package)).turns[-1].reasons == ["refused by the person"]


async def test_a_proposal_after_the_award_is_recorded_and_changes_nothing(
    harness: SourcingHarness,
) -> None:
    market = await create_open_market(harness)
    package, proposal = await list_package_with_proposal(market, "28.00")
    reference = (await harness.list_proposals(package)).advert.reference
    assert (await harness.award(package, proposal.proposal_id)).status == 200
    answers = [await market.propose(name, reference, "20.00") for name in ("Spruce", "Sorrel")]
    assert [answer.status for answer in answers] == [409, 409]
    assert all("no longer open" in answer.detail for answer in answers)
    decision = await harness.wait_for_decision(package)
    assert decision.event_types.count("ProposalRefused") == 2
    assert {turn.provider_id: turn.outcome for turn in decision.stages[-1].turns} == {
        market.get_provider_id("Spruce"): "placed",
        market.get_provider_id("Sorrel"): "proposal refused",
    }
    assert await market.list_available("Spruce") == []


async def test_proposals_are_listed_by_price(harness: SourcingHarness) -> None:
    market = await create_open_market(harness)
    package, reference = await list_package(market)
    for name, rate in (("Spruce", "28.00"), ("Sorrel", "26.00"), ("Alder", "27.00")):
        assert (await market.propose(name, reference, rate)).status == 201
    assert [each.rate for each in (await harness.list_proposals(package)).items] == [
        Decimal("26.00"),
        Decimal("27.00"),
        Decimal("28.00"),
    ]
    assert (await harness.wait_for_work_item(package)).proposals == 3


async def test_a_package_that_is_offered_to_a_tier_has_no_proposals(harness: SourcingHarness) -> None:
    market = await create_open_market(harness)
    package = await market.request_package()
    await market.wait_for_offer("Alder", package)
    assert (await harness.request_as_officer("GET", f"/v1/packages/{package}/proposals")).status == 404
    answer = await harness.request_as_officer("POST", f"/v1/packages/{package}/awards", {"proposal_id": str(uuid4())})
    assert answer.status == 409
