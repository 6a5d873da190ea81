"""Offers to all providers at once on real PostgreSQL and Kafka: who gets the package, and what the others are told."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from contracts.ids import PackageId
from contracts.values import Order
from testkit.concurrency import run_concurrently, wait_randomly
from testkit.http_response import HttpResponse
from testkit.sourcing.definitions import a_stage_for_all
from testkit.sourcing.harness import WAIT_TIMEOUT, SourcingHarness
from testkit.sourcing.responses import DecisionResponse, OfferResponse
from testkit.sourcing.scenario_market import ScenarioMarket
from testkit.waiting import wait_until

pytestmark = pytest.mark.xdist_group("sourcing")

ANOTHER_CAME_FIRST = "another provider that accepted comes first"


async def create_priced_market(harness: SourcingHarness) -> ScenarioMarket:
    """Alder and Birch are asked at once; Birch is the cheaper one."""
    market = ScenarioMarket.create_empty(harness, stages=(a_stage_for_all(),), rates_selected=True)
    await market.publish_definition()
    await market.add_providers("Alder", "Birch")
    await market.select_rate("Alder", "26.40")
    await market.select_rate("Birch", "25.10")
    await market.wait_until_projected()
    return market


async def ask_both(market: ScenarioMarket) -> tuple[PackageId, OfferResponse, OfferResponse]:
    package = await market.request_package()
    return package, await market.wait_for_offer("Alder", package), await market.wait_for_offer("Birch", package)


async def test_of_two_that_accept_the_cheaper_one_is_placed_and_the_other_learns_it(harness: SourcingHarness) -> None:
    market = await create_priced_market(harness)
    package, alder, birch = await ask_both(market)
    assert alder.answer_by == birch.answer_by == harness.now + timedelta(hours=2)

    first = await market.accept("Alder", alder)
    assert (first.status, first.body["status"], first.body["allowed_actions"]) == (200, "waiting", [])
    second = await market.accept("Birch", birch)
    assert (second.status, second.body["status"]) == (200, "waiting")

    decision = await harness.wait_for_status(package, "placed")
    assert decision.placed_with == market.get_provider_id("Birch")
    assert list_outcomes(market, decision) == {"Alder": "offer withdrawn", "Birch": "placed"}
    again = await market.accept("Alder", alder)
    assert (again.status, ANOTHER_CAME_FIRST in again.detail) == (409, True)
    repeated = await market.accept("Birch", birch)
    assert (repeated.status, repeated.body["status"]) == (200, "accepted")
    assert "LateAnswerRefused" not in (await harness.wait_for_decision(package)).event_types
    assert await harness.find_faults([package]) == []


async def test_the_page_of_an_acceptance_says_that_it_waits_and_then_that_another_came_first(
    harness: SourcingHarness,
) -> None:
    market = await create_priced_market(harness)
    package, alder, birch = await ask_both(market)
    link = market.build_link("Alder", alder)
    answer = await harness.browse(link, method="POST", form=b"answer=accept")
    assert answer.status == 200
    assert "We tell you as soon as all have answered" in answer.body
    assert "You have accepted this offer" in (await harness.browse(link)).body
    assert (await market.accept("Birch", birch)).status == 200
    await harness.wait_for_status(package, "placed")
    assert "This package is placed with another provider" in (await harness.browse(link)).body
    again = await harness.browse(link, method="POST", form=b"answer=accept")
    assert (again.status, "This package is placed with another provider" in again.body) == (409, True)


async def test_at_the_deadline_the_package_goes_to_the_one_that_accepted(harness: SourcingHarness) -> None:
    market = await create_priced_market(harness)
    package, alder, _ = await ask_both(market)
    assert (await market.accept("Alder", alder)).status == 200
    harness.advance_clock(timedelta(hours=2))
    decision = await harness.wait_for_status(package, "placed")
    assert list_outcomes(market, decision) == {"Alder": "placed", "Birch": "no answer in time"}
    assert await harness.find_faults([package]) == []


async def test_a_rotation_goes_by_the_last_placements_of_the_area(harness: SourcingHarness) -> None:
    market = ScenarioMarket.create_empty(harness, stages=(a_stage_for_all(order=(Order.ROTATION,)),))
    await market.publish_definition()
    await market.add_providers("Alder", "Birch")
    await market.publish_eligibility("Birch", joined_on=date(2025, 6, 1))
    await market.wait_until_projected()
    placed = [await place_package(market) for _ in range(3)]
    assert [name for name, _ in placed] == ["Alder", "Birch", "Alder"]

    await market.withdraw_package(placed[-1][1])
    await harness.wait_for_event(placed[-1][1], "PlacementVoided")

    assert (await place_package(market))[0] == "Alder"  # the voided placement is no award
    assert (await place_package(market))[0] == "Birch"
    assert await harness.find_faults([package for _, package in placed]) == []


async def place_package(market: ScenarioMarket) -> tuple[str, PackageId]:
    """Both accept, a minute after the package before; returns who got it."""
    market.harness.advance_clock(timedelta(minutes=1))
    package, alder, birch = await ask_both(market)
    for name, offer in (("Birch", birch), ("Alder", alder)):
        assert (await market.accept(name, offer)).status == 200
    decision = await market.harness.wait_for_status(package, "placed")
    names = {market.get_provider_id(name): name for name in ("Alder", "Birch")}
    assert decision.placed_with is not None
    return names[decision.placed_with], package


async def test_answers_at_the_same_time_place_every_package_once_with_the_cheaper_one(
    harness: SourcingHarness,
) -> None:
    market = await create_priced_market(harness)
    packages = await market.request_packages(40)
    offers = {name: await market.wait_for_offers(name, packages) for name in ("Alder", "Birch")}

    async def accept(each: tuple[str, OfferResponse]) -> HttpResponse:
        await wait_randomly(within=0.05)
        return await market.accept(*each)

    answers = await run_concurrently([(name, offer) for name, of in offers.items() for offer in of.values()], accept)

    assert {answer.status for answer in answers} == {200}
    await wait_until(lambda: are_all_placed(harness, packages), within=WAIT_TIMEOUT)
    placements = await harness.list_placements(packages)
    assert {each.provider_id for each in placements} == {market.get_provider_id("Birch")}
    for types in (await harness.list_event_types(packages)).values():
        assert (types.count("OfferMade"), types.count("AcceptanceReceived"), types.count("PackagePlaced")) == (2, 2, 1)
    assert await harness.find_faults(packages) == []


async def are_all_placed(harness: SourcingHarness, packages: Sequence[PackageId]) -> bool:
    return len(await harness.list_placements(packages)) == len(packages)


def list_outcomes(market: ScenarioMarket, decision: DecisionResponse) -> dict[str, str]:
    names = {market.get_provider_id(name): name for name in ("Alder", "Birch")}
    return {names[turn.provider_id]: turn.outcome for turn in decision.turns}
