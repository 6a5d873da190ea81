"""Two things at once about one package, a hundred times each: one wins, the loser is told, nothing is left over."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Awaitable, Sequence
from datetime import timedelta
from typing import Final
from uuid import uuid4

import pytest

from contracts.example_words import DeclineReasons
from contracts.ids import PackageId
from contracts.values import Channel
from service_runtime.postgres.errors import StatementRefused
from testkit.concurrency import count_statuses, run_concurrently, wait_randomly
from testkit.databases import fetch_number, fetch_rows
from testkit.http_response import HttpResponse
from testkit.sourcing.harness import WAIT_TIMEOUT, SourcingHarness
from testkit.sourcing.responses import OfferResponse
from testkit.sourcing.scenario_market import ScenarioMarket
from testkit.waiting import wait_until

pytestmark = pytest.mark.xdist_group("sourcing")

ROUNDS: Final = 100


async def create_offers_to_alder(market: ScenarioMarket) -> dict[PackageId, OfferResponse]:
    packages = await market.request_packages(ROUNDS, urgent=True)
    return await market.wait_for_offers("Alder", packages)


async def test_an_acceptance_against_the_end_of_its_time(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    offers = await create_offers_to_alder(market)
    await run_concurrently(list(offers.values()), lambda offer: market.confirm_delivery("Alder", offer))
    await wait_until(lambda: are_all_delivered(market), within=WAIT_TIMEOUT)

    async def accept(offer: OfferResponse) -> HttpResponse:
        await wait_randomly(1.0)
        return await market.accept("Alder", offer)

    async def let_the_time_pass() -> None:
        await wait_randomly(0.5)
        harness.advance_clock(timedelta(minutes=30))  # within half a second the sleeper looks

    answers, _ = await asyncio.gather(asyncio.gather(*map(accept, offers.values())), let_the_time_pass())

    late = [package for package, answer in zip(offers, answers, strict=True) if answer.status == 409]
    assert set(count_statuses(answers)) <= {200, 409}
    await market.wait_for_offers("Birch", late)
    happened = await harness.list_event_types(list(offers))
    for package, answer in zip(offers, answers, strict=True):
        placed, expired = happened[package].count("PackagePlaced"), happened[package].count("OfferExpired")
        assert (placed, expired) == ((1, 0) if answer.status == 200 else (0, 1))
        assert happened[package].count("LateAnswerRefused") == expired
    assert await harness.find_faults(list(offers)) == []


async def are_all_delivered(market: ScenarioMarket) -> bool:
    waiting = "SELECT count(*) FROM offers WHERE provider_id = :provider AND status = 'made'"
    return await fetch_number(market.harness.database, waiting, provider=market.get_provider_id("Alder")) == 0


async def test_an_acceptance_against_a_withdrawal(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    offers = await create_offers_to_alder(market)

    async def race(package: PackageId) -> HttpResponse:
        async def accept() -> HttpResponse:
            await wait_randomly(0.1)
            return await market.accept("Alder", offers[package])

        answer, _ = await asyncio.gather(accept(), market.withdraw_package(package))
        return answer

    answers = await run_concurrently(list(offers), race)

    assert set(count_statuses(answers)) <= {200, 409}
    await wait_until(lambda: are_all_stopped(harness, list(offers)), within=WAIT_TIMEOUT)
    happened = await harness.list_event_types(list(offers))
    for package, answer in zip(offers, answers, strict=True):
        end = [each for each in happened[package] if each in {"PlacementVoided", "SourcingStopped"}]
        assert end == (["PlacementVoided"] if answer.status == 200 else ["SourcingStopped"])
        assert happened[package].count("LateAnswerRefused") == (answer.status == 409)
    voided = [each.package_id for each in await harness.list_placements(offers) if each.voided]
    assert Counter(voided) == Counter(
        package for package, answer in zip(offers, answers, strict=True) if answer.status == 200
    )
    assert await harness.find_faults(list(offers)) == []


async def are_all_stopped(harness: SourcingHarness, packages: Sequence[PackageId]) -> bool:
    others = "SELECT count(*) FROM searches WHERE package_id = ANY(:packages) AND status <> 'stopped'"
    return await fetch_number(harness.database, others, packages=list(packages)) == 0


async def test_a_providers_acceptance_against_the_decline_that_an_officer_records(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    await market.publish_channel("Alder", Channel.PHONE)
    await market.wait_until_projected()
    offers = await create_offers_to_alder(market)

    async def race(offer: OfferResponse) -> tuple[HttpResponse, HttpResponse]:
        if random.random() < 0.5:
            return await asyncio.gather(market.accept("Alder", offer), decline_by_phone(market, offer))
        declined, accepted = await asyncio.gather(decline_by_phone(market, offer), market.accept("Alder", offer))
        return accepted, declined

    answers = await run_concurrently(list(offers.values()), race)

    declined = [package for package, pair in zip(offers, answers, strict=True) if pair[1].status == 200]
    await market.wait_for_offers("Birch", declined)
    happened = await harness.list_event_types(list(offers))
    for package, pair in zip(offers, answers, strict=True):
        assert sorted(answer.status for answer in pair) == [200, 409]
        ends = [each for each in happened[package] if each in {"OfferAccepted", "OfferDeclined"}]
        assert ends == (["OfferAccepted"] if pair[0].status == 200 else ["OfferDeclined"])
        assert happened[package].count("LateAnswerRefused") == 1
    assert await harness.find_faults(list(offers)) == []


async def decline_by_phone(market: ScenarioMarket, offer: OfferResponse) -> HttpResponse:
    return await market.record_call(offer.offer_id, answer="decline", decline_reason=DeclineReasons.NO_CAPACITY)


async def test_two_identical_acceptances_at_once_are_one_placement(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    offers = await create_offers_to_alder(market)

    async def race(offer: OfferResponse) -> tuple[HttpResponse, HttpResponse]:
        return await asyncio.gather(market.accept("Alder", offer), market.accept("Alder", offer))

    answers = await run_concurrently(list(offers.values()), race)

    assert count_statuses([answer for pair in answers for answer in pair]) == {200: 2 * ROUNDS}
    assert all(one.body == other.body for one, other in answers)
    placed = Counter(each.package_id for each in await harness.list_placements(offers))
    assert placed == Counter(offers.keys())
    happened = await harness.list_event_types(list(offers))
    assert all(each.count("PackagePlaced") == 1 for each in happened.values())
    assert await harness.find_faults(list(offers)) == []


async def test_the_same_idempotency_key_at_once_is_one_command_with_one_answer(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    offers = await create_offers_to_alder(market)
    before = await fetch_number(harness.database, "SELECT count(*) FROM idempotency_keys")

    async def race(offer: OfferResponse) -> list[HttpResponse]:
        key = uuid4().hex
        twins = (market.accept("Alder", offer, idempotency_key=key) for _ in range(3))
        return list(await asyncio.gather(*twins))

    answers = await run_concurrently(list(offers.values()), race)

    assert count_statuses([answer for twins in answers for answer in twins]) == {200: 3 * ROUNDS}
    assert all(twin.body == twins[0].body for twins in answers for twin in twins)
    assert await fetch_number(harness.database, "SELECT count(*) FROM idempotency_keys") == before + ROUNDS
    happened = await harness.list_event_types(list(offers))
    assert all(each.count("PackagePlaced") == 1 for each in happened.values())
    assert await harness.find_faults(list(offers)) == []


async def test_an_idempotency_key_is_good_for_one_request_only(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    offer = await market.wait_for_offer("Alder", await market.request_package())
    other = await market.wait_for_offer("Alder", await market.request_package())
    answers = [await market.accept("Alder", each, idempotency_key="the same") for each in (offer, other, offer)]
    assert [answer.status for answer in answers] == [200, 422, 200]
    assert answers[1].body["type"].endswith("idempotency-key-reused")
    assert (await market.read_offer("Alder", other)).status == "made"


async def test_a_view_that_moves_while_a_package_is_being_held_always_wakes_it(harness: SourcingHarness) -> None:
    async def race(market: ScenarioMarket) -> PackageId:
        async def a_moment_later(said: Awaitable[None]) -> None:
            await wait_randomly(0.15)
            await said

        package, *_ = await asyncio.gather(
            market.request_package(urgent=True),
            a_moment_later(market.publish_definition()),
            a_moment_later(market.publish_ranked_list("Alder", "Birch")),
            a_moment_later(market.add_providers("Alder")),
            a_moment_later(market.add_providers("Birch")),
        )
        await market.wait_for_offer("Alder", package)
        return package

    packages = await run_concurrently([ScenarioMarket.create_empty(harness) for _ in range(ROUNDS)], race)

    happened = await harness.list_event_types(packages)
    assert any("SourcingHeld" in each for each in happened.values()), "none was held, so nothing was tried"
    assert all(each.count("OfferMade") == 1 for each in happened.values())
    await wait_until(lambda: has_no_waiting_search(harness, packages), within=WAIT_TIMEOUT)
    assert await harness.find_faults(packages) == []


async def has_no_waiting_search(harness: SourcingHarness, packages: Sequence[PackageId]) -> bool:
    return not await fetch_rows(
        harness.database, "SELECT 1 FROM holds WHERE key = ANY(:keys)", keys=[str(package) for package in packages]
    )


SECOND_OFFER: Final = """
    INSERT INTO offers SELECT (jsonb_populate_record(offers, CAST(:other AS jsonb))).*
    FROM offers WHERE package_id = :package AND status = 'made'
"""
SECOND_PLACEMENT: Final = """
    INSERT INTO placements SELECT (jsonb_populate_record(placements, CAST(:other AS jsonb))).*
    FROM placements WHERE package_id = :package
"""


async def test_the_database_itself_refuses_a_second_live_offer_and_a_second_placement(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    package = await market.request_package()
    declined = await market.wait_for_offer("Alder", package)
    await market.decline("Alder", declined)
    offer = await market.wait_for_offer("Birch", package)
    another_offer = json.dumps({"offer_id": str(uuid4()), "turn": 9})
    with pytest.raises(StatementRefused, match="one_live_offer_of_a_package"):
        await fetch_rows(harness.database, SECOND_OFFER, package=package, other=another_offer)
    assert (await market.accept("Birch", offer)).status == 200
    another_placement = json.dumps({"placement_id": str(uuid4()), "offer_id": str(declined.offer_id)})
    with pytest.raises(StatementRefused, match="one_standing_placement_of_a_package"):
        await fetch_rows(harness.database, SECOND_PLACEMENT, package=package, other=another_placement)
