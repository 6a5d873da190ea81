"""The open list on real PostgreSQL and Kafka: who sees an open package, what it shows, and how it ends."""

import json
from datetime import timedelta
from typing import Final
from uuid import uuid4

import pytest

from contracts.example_words import Tiers
from testkit.sourcing.definitions import an_open_list
from testkit.sourcing.harness import ANSWER, OPERATE, SourcingHarness
from testkit.sourcing.open_packages import create_open_market, list_package, list_package_with_proposal
from testkit.sourcing.scenario_market import ScenarioMarket

pytestmark = pytest.mark.xdist_group("sourcing")
A_WEEK: Final = timedelta(days=7)


async def test_providers_of_the_area_see_an_open_package_and_others_do_not(harness: SourcingHarness) -> None:
    market = await create_open_market(harness)
    package, reference = await list_package(market)
    for name in ("Alder", "Spruce", "Sorrel"):
        assert [each.advert.reference for each in await market.list_available(name)] == [reference]
    for name in ("Rowan", "Nobody"):
        assert await market.list_available(name) == []
        assert (await market.request_as_provider(name, "GET", f"/v1/available-packages/{reference}")).status == 404
        assert (await market.propose(name, reference, "25.00")).status == 404
    assert "ProposalRefused" not in (await harness.wait_for_decision(package)).event_types


async def test_another_council_does_not_see_an_open_package(harness: SourcingHarness) -> None:
    market = await create_open_market(harness)
    package, reference = await list_package(market)
    spruce, ask = str(market.get_provider_id("Spruce")), harness.sourcing.request
    path = f"/v1/available-packages/{reference}"
    page = await ask("GET", "/v1/available-packages", ANSWER, provider_id=spruce, council="another-council")
    assert page.body["items"] == []
    response = [
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
    assert [answer.status for answer in response] == [404] * 4


async def test_a_list_for_framework_providers_is_empty_for_spot_providers(harness: SourcingHarness) -> None:
    market = await create_open_market(harness, an_open_list(spot=False))
    await list_package(market)
    assert len(await market.list_available("Alder")) == 1
    assert await market.list_available("Spruce") == []


async def test_a_list_describes_the_care_and_cannot_identify_the_person(harness: SourcingHarness) -> None:
    market = await create_open_market(harness)
    package = await market.request_package()
    offer = await market.wait_for_offer("Alder", package)
    assert (await market.decline("Alder", offer)).status == 200
    reference = (await market.wait_until_listed([package]))[package]

    page = (await market.request_as_provider("Spruce", "GET", "/v1/available-packages")).body

    assert page["next"] is None
    (item,) = page["items"]
    assert item == (await market.request_as_provider("Spruce", "GET", f"/v1/available-packages/{reference}")).body
    assert set(item) == {"advert", "unit", "listed_at", "my_proposal", "counter_offer"}
    assert set(item["advert"]) == {
        "reference",
        "lot",
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


async def test_pages_of_open_packages_have_no_gap(harness: SourcingHarness) -> None:
    market = await create_open_market(harness, ranked=())
    references = await market.request_listed_packages(7)
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


async def test_the_advert_of_a_placed_package_is_not_found(harness: SourcingHarness) -> None:
    market = await create_open_market(harness)
    package, proposal = await list_package_with_proposal(market, "28.00")
    path = f"/v1/available-packages/{(await harness.list_proposals(package)).advert.reference}"
    assert (await market.request_as_provider("Spruce", "GET", path)).status == 200
    assert (await harness.award(package, proposal.proposal_id)).status == 200
    for name in ("Spruce", "Sorrel"):
        answer = await market.request_as_provider(name, "GET", path)
        assert (answer.status, answer.body["type"].rpartition("/")[2]) == (404, "listing-closed")


async def test_a_package_that_is_open_for_a_week_is_on_the_work_list(harness: SourcingHarness) -> None:
    market = await create_open_market(harness)
    package, reference = await list_package(market)
    assert not await harness.is_on_work_list(package)
    assert await harness.find_faults([package]) == []
    harness.advance_clock(A_WEEK)
    assert (await harness.wait_for_work_item(package)).what == "nobody proposes"
    assert (await market.propose("Spruce", reference, "28.00")).status == 201
    assert (await harness.wait_for_work_item(package)).what == "proposals to decide"


async def test_the_decision_shows_both_tiers_and_the_open_list(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", tiers=(Tiers.ONE, Tiers.TWO), open_list=an_open_list())
    await market.add_providers("Birch")
    await market.publish_ranked_list("Birch", tier=Tiers.TWO)
    await market.add_spot_providers("Spruce")
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


async def test_a_provider_that_selects_its_rate_is_offered_the_package_at_that_rate(harness: SourcingHarness) -> None:
    market = ScenarioMarket.create_empty(harness, rates_selected=True)
    await market.publish_definition()
    await market.add_providers("Alder")
    await market.publish_ranked_list("Alder")
    await market.wait_until_projected()
    package = await market.request_package()
    assert (await harness.wait_for_work_item(package)).missing == [
        f"rates/{market.get_provider_id('Alder')}/{market.framework}/{market.area}"
    ]
    await market.select_rate("Alder", "26.40")
    offer = await market.wait_for_offer("Alder", package)
    response = await market.request_as_provider("Alder", "GET", f"/v1/offers/{offer.offer_id}")
    assert (response.body["terms"]["lines"][0]["rate"], response.body["terms"]["weekly_cost"]) == ("26.40", "92.40")
    assert await harness.find_faults([package]) == []
