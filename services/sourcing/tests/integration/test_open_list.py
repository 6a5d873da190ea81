"""A package that nobody on the ranked lists took, on real PostgreSQL and Kafka: open to all, proposed for, awarded."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Final
from uuid import uuid4

import pytest

from contracts.events.listings import InadequateReason, Variation
from contracts.framework import OpenList
from contracts.ids import AreaCode, ListingReference, PackageId
from contracts.values import Rating, Tier
from testkit.chain_checker import first_occurrences
from testkit.concurrency import count_statuses, run_concurrently, wait_randomly
from testkit.databases import number
from testkit.running_services import Reply
from testkit.sourcing.builders import an_open_list
from testkit.sourcing.harness import ANSWER, OPERATE, WAIT_TIMEOUT, SourcingHarness
from testkit.sourcing.responses import OfficerProposalResponse
from testkit.sourcing.scenario_market import ScenarioMarket
from testkit.waiting import until

pytestmark = pytest.mark.xdist_group("sourcing")

ROUNDS: Final = 50
ELSEWHERE: Final = AreaCode("E07000067")
A_WEEK: Final = timedelta(days=7)


def detail_of(answer: Reply) -> str:
    """What a refusal says."""
    detail: str = answer.body["detail"]
    return detail


async def an_open_market(
    harness: SourcingHarness, open_list: OpenList | None = None, *, ranked: Sequence[str] = ("Alder",)
) -> ScenarioMarket:
    """Alder alone in tier 1; Spruce and Sorrel sell spot, Rowan does elsewhere. £29.00 is the ceiling."""
    market = await ScenarioMarket.create(harness, *ranked, open_list=open_list or an_open_list())
    await market.introduce("Alder")
    await market.introduce_spot("Spruce", "Sorrel")
    await market.introduce_spot("Rowan", area=ELSEWHERE)
    await market.wait_until_projected()
    return market


async def declined_by_all(market: ScenarioMarket) -> tuple[PackageId, ListingReference]:
    """A package that tier 1 has declined, with its reference on the list."""
    package = await market.request_package()
    assert (await market.decline("Alder", await market.wait_for_offer("Alder", package))).status == 200
    return package, (await market.wait_until_listed([package]))[package]


async def proposed(
    market: ScenarioMarket, rate: str, name: str = "Spruce"
) -> tuple[PackageId, OfficerProposalResponse]:
    """An open package, and this provider's proposal for it."""
    package, reference = await declined_by_all(market)
    assert (await market.propose(name, reference, rate)).status == 201
    return package, await market.find_proposal(name, package)


# --- seen


async def test_who_works_in_the_area_sees_an_open_package_and_others_do_not(harness: SourcingHarness) -> None:
    market = await an_open_market(harness)
    package, reference = await declined_by_all(market)
    for name in ("Alder", "Spruce", "Sorrel"):
        assert [each.advert.reference for each in await market.list_available(name)] == [reference]
    for name in ("Rowan", "Nobody"):
        assert await market.list_available(name) == []
        assert (await market.request_as_provider(name, "GET", f"/v1/available-packages/{reference}")).status == 404
        assert (await market.propose(name, reference, "25.00")).status == 404
    assert "ProposalRefused" not in (await harness.wait_for_decision(package)).event_types


async def test_another_council_sees_nothing_of_it(harness: SourcingHarness) -> None:
    market = await an_open_market(harness)
    package, reference = await declined_by_all(market)
    spruce, ask = str(market.get_provider_id("Spruce")), harness.sourcing.ask
    path = f"/v1/available-packages/{reference}"
    page = await ask("GET", "/v1/available-packages", ANSWER, provider_id=spruce, council="another-council")
    assert page.body["items"] == []
    told = [
        await ask("GET", path, ANSWER, provider_id=spruce, council="another-council"),
        await ask(
            "POST", f"{path}/proposals", ANSWER, body={"rate": "25.00"}, provider_id=spruce, council="another-council"
        ),
        await ask("GET", f"/v1/packages/{package}/proposals", OPERATE, council="another-council"),
        await ask(
            "POST",
            f"/v1/packages/{package}/awards",
            OPERATE,
            body={"proposal_id": str(uuid4())},
            council="another-council",
        ),
    ]
    assert [answer.status for answer in told] == [404] * 4


async def test_a_list_for_the_framework_alone_shows_spot_providers_nothing(harness: SourcingHarness) -> None:
    market = await an_open_market(harness, an_open_list(spot=False))
    await declined_by_all(market)
    assert len(await market.list_available("Alder")) == 1
    assert await market.list_available("Spruce") == []


async def test_a_list_tells_what_the_care_is_and_nothing_that_leads_to_the_person(harness: SourcingHarness) -> None:
    market = await an_open_market(harness)
    package = await market.request_package()
    offer = await market.wait_for_offer("Alder", package)
    assert (await market.decline("Alder", offer)).status == 200
    reference = (await market.wait_until_listed([package]))[package]

    page = (await market.request_as_provider("Spruce", "GET", "/v1/available-packages")).body

    assert page["next"] is None
    (item,) = page["items"]
    assert item == (await market.request_as_provider("Spruce", "GET", f"/v1/available-packages/{reference}")).body
    assert set(item) == {"advert", "unit", "listed_at", "my_proposal"}
    assert set(item["advert"]) == {
        "reference",
        "area",
        "outward_code",
        "age_band",
        "carer_gender",
        "service_type",
        "weekly_hours",
        "carers_at_once",
        "skills",
    }
    assert (item["advert"]["outward_code"], item["advert"]["weekly_hours"]) == (None, "3.50")
    text = json.dumps(item)
    assert str(package) not in text
    assert str(offer.offer_id) not in text
    assert "visits" not in text
    assert "CO1" not in text


async def test_pages_of_open_packages_follow_each_other_without_a_gap(harness: SourcingHarness) -> None:
    market = await an_open_market(harness, ranked=())
    references = await market.open_packages(7)
    pages: list[list[str]] = []
    query = "limit=3"
    while query:
        page = (await market.request_as_provider("Spruce", "GET", f"/v1/available-packages?{query}")).body
        pages.append([each["advert"]["reference"] for each in page["items"]])
        query = f"limit=3&cursor={page['next']}" if page["next"] else ""
    assert [len(page) for page in pages] == [3, 3, 1]
    assert sorted(each for page in pages for each in page) == sorted(map(str, references.values()))
    answer = await market.request_as_provider("Spruce", "GET", "/v1/available-packages?cursor=rubbish")
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "query:cursor")


# --- proposed for


async def test_a_proposal_is_taken_and_a_newer_one_replaces_it(harness: SourcingHarness) -> None:
    market = await an_open_market(harness)
    package, reference = await declined_by_all(market)
    answer = await market.propose("Spruce", reference, "28.50", Variation.OTHER_TIMES)
    assert (answer.status, answer.body["weekly_cost"]) == (201, "99.75")  # 3.5 hours

    again = await market.propose("Spruce", reference, "28.50", Variation.OTHER_TIMES)
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


async def test_the_same_idempotency_key_is_one_proposal(harness: SourcingHarness) -> None:
    market = await an_open_market(harness)
    package, reference = await declined_by_all(market)
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
        ({"rate": "25.00", "variations": ["for cash"]}, "#/variations/0"),
        ({"rate": "25.00", "can_start_on": "soon"}, "#/can_start_on"),
        ({"rate": "25.00", "note": "ask for Test Person"}, "#/note"),
    ],
)
async def test_a_wrong_proposal_is_told_which_field(harness: SourcingHarness, body: object, named: str) -> None:
    market = await an_open_market(harness)
    package, reference = await declined_by_all(market)
    answer = await market.request_as_provider("Spruce", "POST", f"/v1/available-packages/{reference}/proposals", body)
    assert (answer.status, [each["pointer"] for each in answer.body["errors"]]) == (422, [named])
    assert (await harness.list_proposals(package)).items == []


async def test_an_embargoed_provider_is_refused_on_record(harness: SourcingHarness) -> None:
    market = await an_open_market(harness)
    package, reference = await declined_by_all(market)
    await market.embargo("Spruce")
    await market.wait_until_projected()
    answer = await market.propose("Spruce", reference, "25.00")
    assert (answer.status, "embargoed" in detail_of(answer)) == (409, True)
    decision = await harness.wait_for_decision(package)
    assert decision.event_types[-1] == "ProposalRefused"
    assert [(turn.outcome, turn.reasons) for turn in decision.turns][-1] == ("proposal refused", ["embargoed"])
    assert await harness.find_faults([package]) == []


async def test_whom_the_person_refuses_is_not_told_so(harness: SourcingHarness) -> None:
    market = await an_open_market(harness, ranked=())
    package = await market.request_package(refused=["Spruce"])
    reference = (await market.wait_until_listed([package]))[package]
    answer = await market.propose("Spruce", reference, "25.00")
    assert answer.status == 409
    assert "person" not in detail_of(answer)
    assert (await harness.wait_for_decision(package)).turns[-1].reasons == ["refused by the person"]


async def test_a_proposal_after_the_award_is_on_record_and_changes_nothing_that_is_told(
    harness: SourcingHarness,
) -> None:
    market = await an_open_market(harness)
    package, proposal = await proposed(market, "28.00")
    reference = (await harness.list_proposals(package)).advert.reference
    assert (await harness.award(package, proposal.proposal_id)).status == 200
    answers = [await market.propose(name, reference, "20.00") for name in ("Spruce", "Sorrel")]
    assert [answer.status for answer in answers] == [409, 409]
    assert all("no longer open" in detail_of(answer) for answer in answers)
    decision = await harness.wait_for_decision(package)
    assert decision.event_types.count("ProposalRefused") == 2
    assert {turn.provider_id: turn.outcome for turn in decision.stages[-1].turns} == {
        market.get_provider_id("Spruce"): "placed",
        market.get_provider_id("Sorrel"): "proposal refused",
    }
    assert await market.list_available("Spruce") == []


# --- awarded


async def test_one_officer_awards_at_the_ceiling(harness: SourcingHarness) -> None:
    market = await an_open_market(harness)
    package, proposal = await proposed(market, "29.00")
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
    market = await an_open_market(harness)
    package, proposal = await proposed(market, "28.00")
    assert (await harness.award(package, proposal.proposal_id)).status == 200
    records = first_occurrences(await harness.read_kafka_records([package]))
    placed = json.loads(next(each.value for each in records if "PackagePlaced" in each.header("ce_type")) or b"")
    assert placed["proposal_id"] == str(proposal.proposal_id)
    assert placed["offer_id"] is None
    assert (placed["terms"]["rate"], placed["terms"]["weekly_cost"]) == ("28.00", "98.00")
    decision = await harness.wait_for_decision(package)
    ours = [each for each in records if each.header("ce_source") == f"/calloff/{harness.sourcing.service.name}"]
    assert [each.header("ce_hash") for each in ours] == [each.hash for each in decision.record]
    assert await harness.find_faults([package]) == []


async def test_above_the_ceiling_a_second_officer_has_to_approve_the_price(harness: SourcingHarness) -> None:
    market = await an_open_market(harness)
    package, proposal = await proposed(market, "29.01")

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


async def test_a_price_that_is_refused_or_approved_by_the_same_officer_leaves_the_package_open(
    harness: SourcingHarness,
) -> None:
    market = await an_open_market(harness)
    package, proposal = await proposed(market, "35.00")
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


async def test_while_one_award_waits_another_proposal_is_not_awarded_and_a_new_rate_ends_the_wait(
    harness: SourcingHarness,
) -> None:
    market = await an_open_market(harness)
    package, proposal = await proposed(market, "35.00")
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


async def test_the_advert_of_a_package_that_is_placed_is_not_read_any_more(harness: SourcingHarness) -> None:
    market = await an_open_market(harness)
    package, proposal = await proposed(market, "28.00")
    path = f"/v1/available-packages/{(await harness.list_proposals(package)).advert.reference}"
    assert (await market.request_as_provider("Spruce", "GET", path)).status == 200
    assert (await harness.award(package, proposal.proposal_id)).status == 200
    for name in ("Spruce", "Sorrel"):
        answer = await market.request_as_provider(name, "GET", path)
        assert (answer.status, answer.body["type"].rpartition("/")[2]) == (404, "listing-closed")


async def test_an_embargo_bars_the_award_and_is_on_record(harness: SourcingHarness) -> None:
    market = await an_open_market(harness)
    package, proposal = await proposed(market, "28.00")
    await market.embargo("Spruce")
    await market.wait_until_projected()
    answer = await harness.award(package, proposal.proposal_id)
    assert (answer.status, "embargoed" in detail_of(answer)) == (409, True)
    decision = await harness.wait_for_decision(package)
    assert (decision.status, decision.event_types[-1]) == ("listed", "AwardRefused")
    assert await harness.find_faults([package]) == []


async def test_a_provider_rated_inadequate_is_awarded_with_a_reason_only(harness: SourcingHarness) -> None:
    market = await an_open_market(harness)
    await market.introduce_spot("Spruce", rating=Rating.INADEQUATE)
    await market.wait_until_projected()
    package, proposal = await proposed(market, "28.00")
    assert proposal.rating is Rating.INADEQUATE
    without = await harness.award(package, proposal.proposal_id)
    assert (without.status, [each["pointer"] for each in without.body["errors"]]) == (422, ["#/inadequate_reason"])
    answer = await harness.award(package, proposal.proposal_id, inadequate_reason=InadequateReason.NO_OTHER_PROPOSAL)
    assert answer.status == 200


async def test_proposals_are_shown_the_cheapest_first(harness: SourcingHarness) -> None:
    market = await an_open_market(harness)
    package, reference = await declined_by_all(market)
    for name, rate in (("Spruce", "28.00"), ("Sorrel", "26.00"), ("Alder", "27.00")):
        assert (await market.propose(name, reference, rate)).status == 201
    assert [each.rate for each in (await harness.list_proposals(package)).items] == [
        Decimal("26.00"),
        Decimal("27.00"),
        Decimal("28.00"),
    ]
    assert (await harness.wait_for_work_item(package)).proposals == 3


async def test_a_package_that_is_with_its_tiers_has_no_proposals_yet(harness: SourcingHarness) -> None:
    market = await an_open_market(harness)
    package = await market.request_package()
    await market.wait_for_offer("Alder", package)
    assert (await harness.request_as_officer("GET", f"/v1/packages/{package}/proposals")).status == 404
    answer = await harness.request_as_officer("POST", f"/v1/packages/{package}/awards", {"proposal_id": str(uuid4())})
    assert answer.status == 409


# --- withdrawn, forgotten, told


async def test_a_withdrawal_takes_the_package_off_the_list_and_ends_the_award_that_waits(
    harness: SourcingHarness,
) -> None:
    market = await an_open_market(harness)
    package, proposal = await proposed(market, "35.00")
    waiting = await harness.award(package, proposal.proposal_id)
    await market.withdraw(package)
    decision = await harness.wait_for_status(package, "stopped")
    assert decision.event_types[-2:] == ["AwardLapsed", "SourcingStopped"]
    await harness.approve_price(package, waiting.body["award_id"], proposal)
    assert await market.list_available("Spruce") == []
    assert not await harness.is_on_work_list(package)
    assert (await harness.award(package, proposal.proposal_id)).status == 409
    assert await harness.find_faults([package]) == []


async def test_an_awarded_package_is_withdrawn_and_its_placement_voided(harness: SourcingHarness) -> None:
    market = await an_open_market(harness)
    package, proposal = await proposed(market, "28.00")
    assert (await harness.award(package, proposal.proposal_id)).status == 200
    await market.withdraw(package)
    decision = await harness.wait_for_status(package, "stopped")
    assert decision.event_types[-1] == "PlacementVoided"
    assert [each.voided for each in await harness.list_placements([package])] == [True]
    assert (await harness.award(package, proposal.proposal_id)).status == 409


async def test_a_package_that_nobody_takes_for_a_week_stands_on_the_work_list(harness: SourcingHarness) -> None:
    market = await an_open_market(harness)
    package, reference = await declined_by_all(market)
    assert not await harness.is_on_work_list(package)
    assert await harness.find_faults([package]) == []
    harness.advance_clock(A_WEEK)
    assert (await harness.wait_for_work_item(package)).what == "nobody proposes"
    assert (await market.propose("Spruce", reference, "28.00")).status == 201
    assert (await harness.wait_for_work_item(package)).what == "proposals to decide"


async def test_through_both_tiers_to_the_open_list_and_the_decision_tells_all_of_it(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", tiers=(Tier.ONE, Tier.TWO), open_list=an_open_list())
    await market.introduce("Birch")
    await market.publish_list("Birch", tier=Tier.TWO)
    await market.introduce_spot("Spruce")
    await market.wait_until_projected()
    package = await market.request_package()
    for name in ("Alder", "Birch"):
        assert (await market.decline(name, await market.wait_for_offer(name, package))).status == 200
    reference = (await market.wait_until_listed([package]))[package]
    for rate in ("28.00", "27.00"):
        assert (await market.propose("Spruce", reference, rate)).status == 201
    assert (await market.propose("Alder", reference, "29.00")).status == 201
    proposal = await market.find_proposal("Spruce", package)
    assert (await harness.award(package, proposal.proposal_id)).status == 200
    decision = await harness.wait_for_decision(package)
    assert [(each.stage, [turn.outcome for turn in each.turns]) for each in decision.stages] == [
        ("tier-1", ["declined"]),
        ("tier-2", ["declined"]),
        ("available", ["placed", "proposed"]),
    ]
    assert decision.record[-1].actor == "officer:officer-1"


async def test_who_selects_its_rates_is_offered_at_its_own_and_is_waited_for(harness: SourcingHarness) -> None:
    market = ScenarioMarket.create_empty(harness, rates_selected=True)
    await market.publish_definition()
    await market.introduce("Alder")
    await market.publish_list("Alder")
    await market.wait_until_projected()
    package = await market.request_package()
    assert (await harness.wait_for_work_item(package)).missing == [
        f"rates/{market.get_provider_id('Alder')}/{market.framework}/{market.area}"
    ]
    await market.select_rate("Alder", "26.40")
    offer = await market.wait_for_offer("Alder", package)
    told = await market.request_as_provider("Alder", "GET", f"/v1/offers/{offer.offer_id}")
    assert (told.body["terms"]["rate"], told.body["terms"]["weekly_cost"]) == ("26.40", "92.40")
    assert await harness.find_faults([package]) == []


# --- races


async def proposals_to_race(
    market: ScenarioMarket, rate: str, *names: str
) -> dict[PackageId, list[OfficerProposalResponse]]:
    """Many open packages, each with one proposal of each of `names`."""
    references = await market.open_packages(ROUNDS)

    async def propose(package: PackageId) -> tuple[PackageId, list[OfficerProposalResponse]]:
        for name in names:
            assert (await market.propose(name, references[package], rate)).status == 201
        return package, [await market.find_proposal(name, package) for name in names]

    return dict(await run_concurrently(list(references), propose))


async def all_are(harness: SourcingHarness, packages: Sequence[PackageId], status: str) -> bool:
    others = "SELECT count(*) FROM searches WHERE package_id = ANY(:packages) AND status <> :status"
    return await number(harness.database, others, packages=list(packages), status=status) == 0


async def test_race_an_award_against_a_withdrawal(harness: SourcingHarness) -> None:
    market = await an_open_market(harness, ranked=())
    open_packages = await proposals_to_race(market, "28.00", "Spruce")

    async def race(package: PackageId) -> Reply:
        async def award() -> Reply:
            await wait_randomly(0.1)
            return await harness.award(package, open_packages[package][0].proposal_id)

        answer, _ = await asyncio.gather(award(), market.withdraw(package))
        return answer

    answers = await run_concurrently(list(open_packages), race)

    assert set(count_statuses(answers)) <= {200, 409}
    await until(lambda: all_are(harness, list(open_packages), "stopped"), within=WAIT_TIMEOUT)
    happened = await harness.list_event_types(list(open_packages))
    for package, answer in zip(open_packages, answers, strict=True):
        end = [each for each in happened[package] if each in {"PackagePlaced", "PlacementVoided", "SourcingStopped"}]
        assert end == (["PackagePlaced", "PlacementVoided"] if answer.status == 200 else ["SourcingStopped"])
    assert await harness.find_faults(list(open_packages)) == []


async def test_race_an_award_against_a_proposal_that_replaces_it(harness: SourcingHarness) -> None:
    market = await an_open_market(harness, ranked=())
    open_packages = await proposals_to_race(market, "28.00", "Spruce")
    references = await market.wait_until_listed(list(open_packages))

    async def race(package: PackageId) -> tuple[Reply, Reply]:
        async def replace() -> Reply:
            await wait_randomly(0.02)
            return await market.propose("Spruce", references[package], "27.00")

        return await asyncio.gather(harness.award(package, open_packages[package][0].proposal_id), replace())

    answers = await run_concurrently(list(open_packages), race)

    assert {(award.status, proposal.status) for award, proposal in answers} <= {(200, 409), (404, 201)}
    happened = await harness.list_event_types(list(open_packages))
    for package, (award, _) in zip(open_packages, answers, strict=True):
        assert happened[package].count("PackagePlaced") == (award.status == 200)
        assert happened[package].count("ProposalRefused") == (award.status == 200)
    assert await harness.find_faults(list(open_packages)) == []


async def test_race_two_officers_award_two_proposals(harness: SourcingHarness) -> None:
    market = await an_open_market(harness, ranked=())
    open_packages = await proposals_to_race(market, "28.00", "Spruce", "Sorrel")

    async def race(package: PackageId) -> tuple[Reply, Reply]:
        one, other = open_packages[package]
        return await asyncio.gather(
            harness.award(package, one.proposal_id, officer="officer-1"),
            harness.award(package, other.proposal_id, officer="officer-2"),
        )

    answers = await run_concurrently(list(open_packages), race)

    assert all(sorted(answer.status for answer in pair) == [200, 409] for pair in answers)
    placed = {each.package_id: each.provider_id for each in await harness.list_placements(open_packages)}
    assert len(placed) == ROUNDS
    for package, pair in zip(open_packages, answers, strict=True):
        winner = next(
            proposal for proposal, answer in zip(open_packages[package], pair, strict=True) if answer.status == 200
        )
        assert placed[package] == winner.provider_id
    assert await harness.find_faults(list(open_packages)) == []


async def test_race_an_approval_against_a_withdrawal(harness: SourcingHarness) -> None:
    market = await an_open_market(harness, ranked=())
    open_packages = await proposals_to_race(market, "35.00", "Spruce")

    async def race(package: PackageId) -> None:
        (proposal,) = open_packages[package]
        waiting = await harness.award(package, proposal.proposal_id)
        assert waiting.status == 202
        await asyncio.gather(
            harness.approve_price(package, waiting.body["award_id"], proposal), market.withdraw(package)
        )

    await run_concurrently(list(open_packages), race)

    await until(lambda: all_are(harness, list(open_packages), "stopped"), within=WAIT_TIMEOUT)
    happened = await harness.list_event_types(list(open_packages))
    ends = Counter(tuple(each[each.index("AwardAwaitsApproval") + 1 :]) for each in happened.values())
    assert set(ends) <= {
        ("ProposalAwarded", "PackagePlaced", "PlacementVoided"),
        ("AwardLapsed", "SourcingStopped"),
    }
    assert await harness.find_faults(list(open_packages)) == []
