"""Officers against each other, against an acceptance and against a withdrawal: one wins, the others are told."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import pytest

from contracts.example_words import OfficerReasons
from contracts.ids import PackageId
from testkit.concurrency import wait_randomly
from testkit.http_response import HttpResponse
from testkit.sourcing.harness import WAIT_TIMEOUT, SourcingHarness
from testkit.sourcing.responses import OfferResponse
from testkit.sourcing.scenario_market import ScenarioMarket
from testkit.waiting import wait_until

pytestmark = pytest.mark.xdist_group("sourcing")

ROUNDS: Final = 30


async def create_offers(market: ScenarioMarket) -> dict[PackageId, OfferResponse]:
    packages = await market.request_packages(ROUNDS, urgent=True)
    return await market.wait_for_offers("Alder", packages)


async def race(*steps: Callable[[], Awaitable[HttpResponse]]) -> list[HttpResponse]:
    async def start(step: Callable[[], Awaitable[HttpResponse]]) -> HttpResponse:
        await wait_randomly(0.05)
        return await step()

    return list(await asyncio.gather(*map(start, steps)))


async def place_by_hand(market: ScenarioMarket, package: PackageId, rate: str, officer: str) -> HttpResponse:
    body = {"reason": OfficerReasons.OTHER, "provider_id": str(market.get_provider_id("Birch")), "rate": rate}
    path = f"/v1/packages/{package}/placements"
    return await market.harness.request_as_officer("POST", path, body, officer=officer)


async def test_two_second_officers_approve_one_placement_once(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    offers = await create_offers(market)

    async def run(package: PackageId) -> None:
        waits = await place_by_hand(market, package, "99.00", "officer-1")
        path = f"/v1/packages/{package}/acts/{waits.body['waiting_acts'][0]['act_id']}/approve"
        answers = await race(
            lambda: harness.request_as_officer("POST", path, officer="officer-2"),
            lambda: harness.request_as_officer("POST", path, officer="officer-3"),
        )
        assert [answer.status for answer in answers] == [200, 200]

    await asyncio.gather(*map(run, offers))
    happened = await harness.list_event_types(list(offers))
    assert all(types.count("PackagePlaced") == types.count("PlacedByHand") == 1 for types in happened.values())
    assert len(await harness.list_placements(offers)) == ROUNDS
    assert await harness.find_faults(list(offers)) == []


async def test_a_placement_by_hand_against_an_acceptance(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    offers = await create_offers(market)

    async def run(package: PackageId, offer: OfferResponse) -> None:
        by_hand, accepted = await race(
            lambda: place_by_hand(market, package, "20.00", "officer-1"), lambda: market.accept("Alder", offer)
        )
        assert sorted((by_hand.status, accepted.status)) == [200, 409]

    await asyncio.gather(*(run(package, offer) for package, offer in offers.items()))
    happened = await harness.list_event_types(list(offers))
    assert all(types.count("PackagePlaced") == 1 for types in happened.values())
    assert await harness.find_faults(list(offers)) == []


async def test_a_package_that_is_sourced_again_against_its_withdrawal(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    offers = await create_offers(market)
    for offer in offers.values():
        assert (await market.accept("Alder", offer)).status == 200

    async def run(package: PackageId) -> None:
        async def withdraw() -> HttpResponse:
            await market.withdraw_package(package)
            return await harness.request_decision(package)

        body = {"reason": OfficerReasons.PROVIDER_GAVE_BACK}
        again, _ = await race(
            lambda: harness.request_as_officer("POST", f"/v1/packages/{package}/resource", body), withdraw
        )
        assert again.status in {200, 409}

    await asyncio.gather(*map(run, offers))

    async def are_all_stopped() -> bool:
        decisions = [await harness.wait_for_decision(package) for package in offers]
        return all(decision.status == "stopped" for decision in decisions)

    await wait_until(are_all_stopped, within=WAIT_TIMEOUT)
    happened = await harness.list_event_types(list(offers))
    assert any("PackageResourced" in types for types in happened.values())
    for types in happened.values():
        assert types.count("PlacementVoided") == 1
        assert types.count("SourcingStopped") == types.count("PackageResourced")
    assert await harness.find_faults(list(offers)) == []
