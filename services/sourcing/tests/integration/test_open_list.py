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
from testkit.concurrency import a_little_later, side_by_side, statuses
from testkit.databases import number
from testkit.running_services import Reply
from testkit.sourcing.builders import an_open_list
from testkit.sourcing.harness import ANSWER, OPERATE, PATIENCE, House
from testkit.sourcing.responses import ProposalSeenRead
from testkit.sourcing.scenario_market import Town
from testkit.waiting import until

pytestmark = pytest.mark.xdist_group("sourcing")

ROUNDS: Final = 50
ELSEWHERE: Final = AreaCode("E07000067")
A_WEEK: Final = timedelta(days=7)


def detail_of(answer: Reply) -> str:
    """What a refusal says."""
    detail: str = answer.body["detail"]
    return detail


async def a_town(house: House, open_list: OpenList | None = None, *, ranked: Sequence[str] = ("Alder",)) -> Town:
    """Alder alone in tier 1; Spruce and Sorrel sell spot, Rowan does elsewhere. £29.00 is the ceiling."""
    town = await Town.of(house, *ranked, open_list=open_list or an_open_list())
    await town.introduces("Alder")
    await town.introduces_spot("Spruce", "Sorrel")
    await town.introduces_spot("Rowan", area=ELSEWHERE)
    await town.until_heard()
    return town


async def declined_by_all(town: Town) -> tuple[PackageId, ListingReference]:
    """A package that tier 1 has declined, with its reference on the list."""
    package = await town.requests()
    assert (await town.declines("Alder", await town.offer_to("Alder", package))).status == 200
    return package, (await town.listed([package]))[package]


async def proposed(town: Town, rate: str, name: str = "Spruce") -> tuple[PackageId, ProposalSeenRead]:
    """An open package, and this provider's proposal for it."""
    package, reference = await declined_by_all(town)
    assert (await town.proposes(name, reference, rate)).status == 201
    return package, await town.proposal_of(name, package)


# --- seen


async def test_who_works_in_the_area_sees_an_open_package_and_others_do_not(house: House) -> None:
    town = await a_town(house)
    package, reference = await declined_by_all(town)
    for name in ("Alder", "Spruce", "Sorrel"):
        assert [each.advert.reference for each in await town.available_to(name)] == [reference]
    for name in ("Rowan", "Nobody"):
        assert await town.available_to(name) == []
        assert (await town.asks_as(name, "GET", f"/v1/available-packages/{reference}")).status == 404
        assert (await town.proposes(name, reference, "25.00")).status == 404
    assert "ProposalRefused" not in (await house.decision(package)).happened


async def test_another_council_sees_nothing_of_it(house: House) -> None:
    town = await a_town(house)
    package, reference = await declined_by_all(town)
    spruce, ask = str(town.provider("Spruce")), house.sourcing.ask
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


async def test_a_list_for_the_framework_alone_shows_spot_providers_nothing(house: House) -> None:
    town = await a_town(house, an_open_list(spot=False))
    await declined_by_all(town)
    assert len(await town.available_to("Alder")) == 1
    assert await town.available_to("Spruce") == []


async def test_a_list_tells_what_the_care_is_and_nothing_that_leads_to_the_person(house: House) -> None:
    town = await a_town(house)
    package = await town.requests()
    offer = await town.offer_to("Alder", package)
    assert (await town.declines("Alder", offer)).status == 200
    reference = (await town.listed([package]))[package]

    page = (await town.asks_as("Spruce", "GET", "/v1/available-packages")).body

    assert page["next"] is None
    (item,) = page["items"]
    assert item == (await town.asks_as("Spruce", "GET", f"/v1/available-packages/{reference}")).body
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


async def test_pages_of_open_packages_follow_each_other_without_a_gap(house: House) -> None:
    town = await a_town(house, ranked=())
    references = await town.opens_many(7)
    pages: list[list[str]] = []
    query = "limit=3"
    while query:
        page = (await town.asks_as("Spruce", "GET", f"/v1/available-packages?{query}")).body
        pages.append([each["advert"]["reference"] for each in page["items"]])
        query = f"limit=3&cursor={page['next']}" if page["next"] else ""
    assert [len(page) for page in pages] == [3, 3, 1]
    assert sorted(each for page in pages for each in page) == sorted(map(str, references.values()))
    answer = await town.asks_as("Spruce", "GET", "/v1/available-packages?cursor=rubbish")
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "query:cursor")


# --- proposed for


async def test_a_proposal_is_taken_and_a_newer_one_replaces_it(house: House) -> None:
    town = await a_town(house)
    package, reference = await declined_by_all(town)
    answer = await town.proposes("Spruce", reference, "28.50", Variation.OTHER_TIMES)
    assert (answer.status, answer.body["weekly_cost"]) == (201, "99.75")  # 3.5 hours

    again = await town.proposes("Spruce", reference, "28.50", Variation.OTHER_TIMES)
    newer = await town.proposes("Spruce", reference, "27.00")

    assert again.body == answer.body
    assert newer.status == 201
    assert newer.body["proposal_id"] != answer.body["proposal_id"]
    (shown,) = await town.available_to("Spruce")
    assert shown.my_proposal is not None
    assert shown.my_proposal.rate == Decimal("27.00")
    (others,) = await town.available_to("Sorrel")
    assert others.my_proposal is None
    assert [(each.rate, each.above_ceiling) for each in (await house.proposals(package)).items] == [
        (Decimal("27.00"), False)
    ]
    assert (await house.decision(package)).happened.count("ProposalReceived") == 2
    assert await house.faults([package]) == []


async def test_the_same_idempotency_key_is_one_proposal(house: House) -> None:
    town = await a_town(house)
    package, reference = await declined_by_all(town)
    key = uuid4().hex
    answers = [await town.proposes("Spruce", reference, "28.00", idempotency_key=key) for _ in range(2)]
    other = await town.proposes("Spruce", reference, "27.00", idempotency_key=key)
    assert [answer.status for answer in (*answers, other)] == [201, 201, 422]
    assert answers[0].body == answers[1].body
    assert (await house.decision(package)).happened.count("ProposalReceived") == 1


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
async def test_a_wrong_proposal_is_told_which_field(house: House, body: object, named: str) -> None:
    town = await a_town(house)
    package, reference = await declined_by_all(town)
    answer = await town.asks_as("Spruce", "POST", f"/v1/available-packages/{reference}/proposals", body)
    assert (answer.status, [each["pointer"] for each in answer.body["errors"]]) == (422, [named])
    assert (await house.proposals(package)).items == []


async def test_an_embargoed_provider_is_refused_on_record(house: House) -> None:
    town = await a_town(house)
    package, reference = await declined_by_all(town)
    await town.embargoes("Spruce")
    await town.until_heard()
    answer = await town.proposes("Spruce", reference, "25.00")
    assert (answer.status, "embargoed" in detail_of(answer)) == (409, True)
    decision = await house.decision(package)
    assert decision.happened[-1] == "ProposalRefused"
    assert [(turn.outcome, turn.reasons) for turn in decision.turns][-1] == ("proposal refused", ["embargoed"])
    assert await house.faults([package]) == []


async def test_whom_the_person_refuses_is_not_told_so(house: House) -> None:
    town = await a_town(house, ranked=())
    package = await town.requests(refused=["Spruce"])
    reference = (await town.listed([package]))[package]
    answer = await town.proposes("Spruce", reference, "25.00")
    assert answer.status == 409
    assert "person" not in detail_of(answer)
    assert (await house.decision(package)).turns[-1].reasons == ["refused by the person"]


async def test_a_proposal_after_the_award_is_on_record_and_changes_nothing_that_is_told(house: House) -> None:
    town = await a_town(house)
    package, proposal = await proposed(town, "28.00")
    reference = (await house.proposals(package)).advert.reference
    assert (await house.awards(package, proposal.proposal_id)).status == 200
    answers = [await town.proposes(name, reference, "20.00") for name in ("Spruce", "Sorrel")]
    assert [answer.status for answer in answers] == [409, 409]
    assert all("no longer open" in detail_of(answer) for answer in answers)
    decision = await house.decision(package)
    assert decision.happened.count("ProposalRefused") == 2
    assert {turn.provider_id: turn.outcome for turn in decision.stages[-1].turns} == {
        town.provider("Spruce"): "placed",
        town.provider("Sorrel"): "proposal refused",
    }
    assert await town.available_to("Spruce") == []


# --- awarded


async def test_one_officer_awards_at_the_ceiling(house: House) -> None:
    town = await a_town(house)
    package, proposal = await proposed(town, "29.00")
    assert proposal.above_ceiling is False
    assert (await house.work_item(package)).what == "proposals to decide"

    answers = [await house.awards(package, proposal.proposal_id) for _ in range(2)]

    assert [(answer.status, answer.body["result"]) for answer in answers] == [(200, "placed")] * 2
    assert answers[0].body == answers[1].body
    assert not await house.is_on_work_list(package)
    decision = await house.decision(package)
    assert (decision.status, decision.placed_with) == ("placed", town.provider("Spruce"))
    assert decision.happened[-2:] == ["ProposalAwarded", "PackagePlaced"]
    assert [each.provider_id for each in await house.placements([package])] == [town.provider("Spruce")]
    assert await house.faults([package]) == []


async def test_the_placement_is_on_kafka_with_its_proposals_terms_and_the_chain_holds(house: House) -> None:
    town = await a_town(house)
    package, proposal = await proposed(town, "28.00")
    assert (await house.awards(package, proposal.proposal_id)).status == 200
    records = first_occurrences(await house.on_kafka([package]))
    placed = json.loads(next(each.value for each in records if "PackagePlaced" in each.header("ce_type")) or b"")
    assert placed["proposal_id"] == str(proposal.proposal_id)
    assert placed["offer_id"] is None
    assert (placed["terms"]["rate"], placed["terms"]["weekly_cost"]) == ("28.00", "98.00")
    decision = await house.decision(package)
    ours = [each for each in records if each.header("ce_source") == f"/calloff/{house.sourcing.service.name}"]
    assert [each.header("ce_hash") for each in ours] == [each.hash for each in decision.record]
    assert await house.faults([package]) == []


async def test_above_the_ceiling_a_second_officer_has_to_approve_the_price(house: House) -> None:
    town = await a_town(house)
    package, proposal = await proposed(town, "29.01")

    answers = [
        await house.awards(package, proposal.proposal_id, officer=officer) for officer in ("officer-1", "officer-9")
    ]

    assert [(answer.status, answer.body["result"]) for answer in answers] == [(202, "waits for a second officer")] * 2
    assert answers[0].body == answers[1].body
    item = await house.work_item(package)
    assert (item.what, str(item.award_id)) == ("price to approve", answers[0].body["award_id"])
    assert await house.placements([package]) == []
    waiting = (await house.proposals(package)).awaiting_approval
    assert waiting is not None

    await house.approves(package, waiting, proposal)

    decision = await house.until_status(package, "placed")
    assert decision.placed_with == town.provider("Spruce")
    assert decision.happened.count("ProposalAwarded") == 1
    assert await house.faults([package]) == []


async def test_a_price_that_is_refused_or_approved_by_the_same_officer_leaves_the_package_open(house: House) -> None:
    town = await a_town(house)
    package, proposal = await proposed(town, "35.00")
    first = await house.awards(package, proposal.proposal_id)
    await house.refuses_price(package, first.body["award_id"], proposal)
    await house.until_happened(package, "AwardLapsed")
    assert (await house.work_item(package)).what == "proposals to decide"
    assert (await house.proposals(package)).awaiting_approval is None

    second = await house.awards(package, proposal.proposal_id)
    assert second.body["award_id"] != first.body["award_id"]
    await house.approves(package, first.body["award_id"], proposal)  # of what has lapsed
    await house.approves(package, second.body["award_id"], proposal, officer="officer-1")

    decision = await house.until_happened(package, "AwardRefused")
    assert decision.status == "listed"
    assert decision.turns[-1].reasons == ["the officer who awarded cannot be the second one"]
    assert (await house.work_item(package)).proposals == 1
    assert await house.placements([package]) == []
    assert await house.faults([package]) == []


async def test_while_one_award_waits_another_proposal_is_not_awarded_and_a_new_rate_ends_the_wait(house: House) -> None:
    town = await a_town(house)
    package, proposal = await proposed(town, "35.00")
    reference = (await house.proposals(package)).advert.reference
    assert (await town.proposes("Sorrel", reference, "28.00")).status == 201
    sorrel = await town.proposal_of("Sorrel", package)
    waiting = await house.awards(package, proposal.proposal_id)
    refused = await house.awards(package, sorrel.proposal_id, officer="officer-9")
    assert (refused.status, refused.body["type"].rpartition("/")[2]) == (409, "award-not-possible")
    assert (await house.until_happened(package, "AwardRefused")).status == "listed"
    assert str((await house.proposals(package)).awaiting_approval) == waiting.body["award_id"]

    assert (await town.proposes("Spruce", reference, "34.00")).status == 201

    assert (await house.proposals(package)).awaiting_approval is None
    assert (await house.awards(package, proposal.proposal_id)).status == 404  # the old rate
    await house.approves(package, waiting.body["award_id"], proposal)
    assert (await house.awards(package, sorrel.proposal_id)).status == 200
    decision = await house.decision(package)
    assert decision.placed_with == town.provider("Sorrel")
    assert await house.faults([package]) == []


async def test_the_advert_of_a_package_that_is_placed_is_not_read_any_more(house: House) -> None:
    town = await a_town(house)
    package, proposal = await proposed(town, "28.00")
    path = f"/v1/available-packages/{(await house.proposals(package)).advert.reference}"
    assert (await town.asks_as("Spruce", "GET", path)).status == 200
    assert (await house.awards(package, proposal.proposal_id)).status == 200
    for name in ("Spruce", "Sorrel"):
        answer = await town.asks_as(name, "GET", path)
        assert (answer.status, answer.body["type"].rpartition("/")[2]) == (404, "listing-closed")


async def test_an_embargo_bars_the_award_and_is_on_record(house: House) -> None:
    town = await a_town(house)
    package, proposal = await proposed(town, "28.00")
    await town.embargoes("Spruce")
    await town.until_heard()
    answer = await house.awards(package, proposal.proposal_id)
    assert (answer.status, "embargoed" in detail_of(answer)) == (409, True)
    decision = await house.decision(package)
    assert (decision.status, decision.happened[-1]) == ("listed", "AwardRefused")
    assert await house.faults([package]) == []


async def test_a_provider_rated_inadequate_is_awarded_with_a_reason_only(house: House) -> None:
    town = await a_town(house)
    await town.introduces_spot("Spruce", rating=Rating.INADEQUATE)
    await town.until_heard()
    package, proposal = await proposed(town, "28.00")
    assert proposal.rating is Rating.INADEQUATE
    without = await house.awards(package, proposal.proposal_id)
    assert (without.status, [each["pointer"] for each in without.body["errors"]]) == (422, ["#/inadequate_reason"])
    answer = await house.awards(package, proposal.proposal_id, inadequate_reason=InadequateReason.NO_OTHER_PROPOSAL)
    assert answer.status == 200


async def test_proposals_are_shown_the_cheapest_first(house: House) -> None:
    town = await a_town(house)
    package, reference = await declined_by_all(town)
    for name, rate in (("Spruce", "28.00"), ("Sorrel", "26.00"), ("Alder", "27.00")):
        assert (await town.proposes(name, reference, rate)).status == 201
    assert [each.rate for each in (await house.proposals(package)).items] == [
        Decimal("26.00"),
        Decimal("27.00"),
        Decimal("28.00"),
    ]
    assert (await house.work_item(package)).proposals == 3


async def test_a_package_that_is_with_its_tiers_has_no_proposals_yet(house: House) -> None:
    town = await a_town(house)
    package = await town.requests()
    await town.offer_to("Alder", package)
    assert (await house.ask_as_officer("GET", f"/v1/packages/{package}/proposals")).status == 404
    answer = await house.ask_as_officer("POST", f"/v1/packages/{package}/awards", {"proposal_id": str(uuid4())})
    assert answer.status == 409


# --- withdrawn, forgotten, told


async def test_a_withdrawal_takes_the_package_off_the_list_and_ends_the_award_that_waits(house: House) -> None:
    town = await a_town(house)
    package, proposal = await proposed(town, "35.00")
    waiting = await house.awards(package, proposal.proposal_id)
    await town.withdraws(package)
    decision = await house.until_status(package, "stopped")
    assert decision.happened[-2:] == ["AwardLapsed", "SourcingStopped"]
    await house.approves(package, waiting.body["award_id"], proposal)
    assert await town.available_to("Spruce") == []
    assert not await house.is_on_work_list(package)
    assert (await house.awards(package, proposal.proposal_id)).status == 409
    assert await house.faults([package]) == []


async def test_an_awarded_package_is_withdrawn_and_its_placement_voided(house: House) -> None:
    town = await a_town(house)
    package, proposal = await proposed(town, "28.00")
    assert (await house.awards(package, proposal.proposal_id)).status == 200
    await town.withdraws(package)
    decision = await house.until_status(package, "stopped")
    assert decision.happened[-1] == "PlacementVoided"
    assert [each.voided for each in await house.placements([package])] == [True]
    assert (await house.awards(package, proposal.proposal_id)).status == 409


async def test_a_package_that_nobody_takes_for_a_week_stands_on_the_work_list(house: House) -> None:
    town = await a_town(house)
    package, reference = await declined_by_all(town)
    assert not await house.is_on_work_list(package)
    assert await house.faults([package]) == []
    house.pass_time(A_WEEK)
    assert (await house.work_item(package)).what == "nobody proposes"
    assert (await town.proposes("Spruce", reference, "28.00")).status == 201
    assert (await house.work_item(package)).what == "proposals to decide"


async def test_through_both_tiers_to_the_open_list_and_the_decision_tells_all_of_it(house: House) -> None:
    town = await Town.of(house, "Alder", tiers=(Tier.ONE, Tier.TWO), open_list=an_open_list())
    await town.introduces("Birch")
    await town.publishes_list("Birch", tier=Tier.TWO)
    await town.introduces_spot("Spruce")
    await town.until_heard()
    package = await town.requests()
    for name in ("Alder", "Birch"):
        assert (await town.declines(name, await town.offer_to(name, package))).status == 200
    reference = (await town.listed([package]))[package]
    for rate in ("28.00", "27.00"):
        assert (await town.proposes("Spruce", reference, rate)).status == 201
    assert (await town.proposes("Alder", reference, "29.00")).status == 201
    proposal = await town.proposal_of("Spruce", package)
    assert (await house.awards(package, proposal.proposal_id)).status == 200
    decision = await house.decision(package)
    assert [(each.stage, [turn.outcome for turn in each.turns]) for each in decision.stages] == [
        ("tier-1", ["declined"]),
        ("tier-2", ["declined"]),
        ("available", ["placed", "proposed"]),
    ]
    assert decision.record[-1].actor == "officer:officer-1"


async def test_who_selects_its_rates_is_offered_at_its_own_and_is_waited_for(house: House) -> None:
    town = Town.empty(house, rates_selected=True)
    await town.publishes_definition()
    await town.introduces("Alder")
    await town.publishes_list("Alder")
    await town.until_heard()
    package = await town.requests()
    assert (await house.work_item(package)).missing == [f"rates/{town.provider('Alder')}/{town.framework}/{town.area}"]
    await town.selects_rate("Alder", "26.40")
    offer = await town.offer_to("Alder", package)
    told = await town.asks_as("Alder", "GET", f"/v1/offers/{offer.offer_id}")
    assert (told.body["terms"]["rate"], told.body["terms"]["weekly_cost"]) == ("26.40", "92.40")
    assert await house.faults([package]) == []


# --- races


async def proposals_to_race(town: Town, rate: str, *names: str) -> dict[PackageId, list[ProposalSeenRead]]:
    """Many open packages, each with one proposal of each of `names`."""
    references = await town.opens_many(ROUNDS)

    async def propose(package: PackageId) -> tuple[PackageId, list[ProposalSeenRead]]:
        for name in names:
            assert (await town.proposes(name, references[package], rate)).status == 201
        return package, [await town.proposal_of(name, package) for name in names]

    return dict(await side_by_side(list(references), propose))


async def all_are(house: House, packages: Sequence[PackageId], status: str) -> bool:
    others = "SELECT count(*) FROM searches WHERE package_id = ANY(:packages) AND status <> :status"
    return await number(house.database, others, packages=list(packages), status=status) == 0


async def test_race_an_award_against_a_withdrawal(house: House) -> None:
    town = await a_town(house, ranked=())
    open_packages = await proposals_to_race(town, "28.00", "Spruce")

    async def race(package: PackageId) -> Reply:
        async def award() -> Reply:
            await a_little_later(0.1)
            return await house.awards(package, open_packages[package][0].proposal_id)

        answer, _ = await asyncio.gather(award(), town.withdraws(package))
        return answer

    answers = await side_by_side(list(open_packages), race)

    assert set(statuses(answers)) <= {200, 409}
    await until(lambda: all_are(house, list(open_packages), "stopped"), within=PATIENCE)
    happened = await house.happened(list(open_packages))
    for package, answer in zip(open_packages, answers, strict=True):
        end = [each for each in happened[package] if each in {"PackagePlaced", "PlacementVoided", "SourcingStopped"}]
        assert end == (["PackagePlaced", "PlacementVoided"] if answer.status == 200 else ["SourcingStopped"])
    assert await house.faults(list(open_packages)) == []


async def test_race_an_award_against_a_proposal_that_replaces_it(house: House) -> None:
    town = await a_town(house, ranked=())
    open_packages = await proposals_to_race(town, "28.00", "Spruce")
    references = await town.listed(list(open_packages))

    async def race(package: PackageId) -> tuple[Reply, Reply]:
        async def replace() -> Reply:
            await a_little_later(0.02)
            return await town.proposes("Spruce", references[package], "27.00")

        return await asyncio.gather(house.awards(package, open_packages[package][0].proposal_id), replace())

    answers = await side_by_side(list(open_packages), race)

    assert {(award.status, proposal.status) for award, proposal in answers} <= {(200, 409), (404, 201)}
    happened = await house.happened(list(open_packages))
    for package, (award, _) in zip(open_packages, answers, strict=True):
        assert happened[package].count("PackagePlaced") == (award.status == 200)
        assert happened[package].count("ProposalRefused") == (award.status == 200)
    assert await house.faults(list(open_packages)) == []


async def test_race_two_officers_award_two_proposals(house: House) -> None:
    town = await a_town(house, ranked=())
    open_packages = await proposals_to_race(town, "28.00", "Spruce", "Sorrel")

    async def race(package: PackageId) -> tuple[Reply, Reply]:
        one, other = open_packages[package]
        return await asyncio.gather(
            house.awards(package, one.proposal_id, officer="officer-1"),
            house.awards(package, other.proposal_id, officer="officer-2"),
        )

    answers = await side_by_side(list(open_packages), race)

    assert all(sorted(answer.status for answer in pair) == [200, 409] for pair in answers)
    placed = {each.package_id: each.provider_id for each in await house.placements(open_packages)}
    assert len(placed) == ROUNDS
    for package, pair in zip(open_packages, answers, strict=True):
        winner = next(
            proposal for proposal, answer in zip(open_packages[package], pair, strict=True) if answer.status == 200
        )
        assert placed[package] == winner.provider_id
    assert await house.faults(list(open_packages)) == []


async def test_race_an_approval_against_a_withdrawal(house: House) -> None:
    town = await a_town(house, ranked=())
    open_packages = await proposals_to_race(town, "35.00", "Spruce")

    async def race(package: PackageId) -> None:
        (proposal,) = open_packages[package]
        waiting = await house.awards(package, proposal.proposal_id)
        assert waiting.status == 202
        await asyncio.gather(house.approves(package, waiting.body["award_id"], proposal), town.withdraws(package))

    await side_by_side(list(open_packages), race)

    await until(lambda: all_are(house, list(open_packages), "stopped"), within=PATIENCE)
    happened = await house.happened(list(open_packages))
    ends = Counter(tuple(each[each.index("AwardAwaitsApproval") + 1 :]) for each in happened.values())
    assert set(ends) <= {
        ("ProposalAwarded", "PackagePlaced", "PlacementVoided"),
        ("AwardLapsed", "SourcingStopped"),
    }
    assert await house.faults(list(open_packages)) == []
