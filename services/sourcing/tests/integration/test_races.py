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

from contracts.ids import PackageId
from contracts.values import Channel
from service_runtime.postgres.database import StatementRefused
from testkit.concurrency import a_little_later, side_by_side, statuses
from testkit.databases import number, rows
from testkit.running_services import Reply
from testkit.sourcing.harness import PATIENCE, House
from testkit.sourcing.responses import OfferRead
from testkit.sourcing.scenario_market import Town
from testkit.waiting import until

pytestmark = pytest.mark.xdist_group("sourcing")

ROUNDS: Final = 100


async def offers_to_alder(town: Town) -> dict[PackageId, OfferRead]:
    packages = await town.requests_many(ROUNDS, urgent=True)
    return await town.offers_to("Alder", packages)


async def test_an_acceptance_against_the_end_of_its_time(house: House) -> None:
    town = await Town.of(house, "Alder", "Birch")
    offers = await offers_to_alder(town)
    await side_by_side(list(offers.values()), lambda offer: town.is_told_of_delivery("Alder", offer))
    await until(lambda: all_delivered(town), within=PATIENCE)

    async def accept(offer: OfferRead) -> Reply:
        await a_little_later(1.0)
        return await town.accepts("Alder", offer)

    async def let_the_time_pass() -> None:
        await a_little_later(0.5)
        house.pass_time(timedelta(minutes=30))  # within half a second the sleeper looks

    answers, _ = await asyncio.gather(asyncio.gather(*map(accept, offers.values())), let_the_time_pass())

    late = [package for package, answer in zip(offers, answers, strict=True) if answer.status == 409]
    assert set(statuses(answers)) <= {200, 409}
    await town.offers_to("Birch", late)
    happened = await house.happened(list(offers))
    for package, answer in zip(offers, answers, strict=True):
        placed, expired = happened[package].count("PackagePlaced"), happened[package].count("OfferExpired")
        assert (placed, expired) == ((1, 0) if answer.status == 200 else (0, 1))
        assert happened[package].count("LateAnswerRefused") == expired
    assert await house.faults(list(offers)) == []


async def all_delivered(town: Town) -> bool:
    waiting = "SELECT count(*) FROM offers WHERE provider_id = :provider AND status = 'made'"
    return await number(town.house.database, waiting, provider=town.provider("Alder")) == 0


async def test_an_acceptance_against_a_withdrawal(house: House) -> None:
    town = await Town.of(house, "Alder", "Birch")
    offers = await offers_to_alder(town)

    async def race(package: PackageId) -> Reply:
        async def accept() -> Reply:
            await a_little_later(0.1)
            return await town.accepts("Alder", offers[package])

        answer, _ = await asyncio.gather(accept(), town.withdraws(package))
        return answer

    answers = await side_by_side(list(offers), race)

    assert set(statuses(answers)) <= {200, 409}
    await until(lambda: all_stopped(house, list(offers)), within=PATIENCE)
    happened = await house.happened(list(offers))
    for package, answer in zip(offers, answers, strict=True):
        end = [each for each in happened[package] if each in {"PlacementVoided", "SourcingStopped"}]
        assert end == (["PlacementVoided"] if answer.status == 200 else ["SourcingStopped"])
        assert happened[package].count("LateAnswerRefused") == (answer.status == 409)
    voided = [each.package_id for each in await house.placements(offers) if each.voided]
    assert Counter(voided) == Counter(
        package for package, answer in zip(offers, answers, strict=True) if answer.status == 200
    )
    assert await house.faults(list(offers)) == []


async def all_stopped(house: House, packages: Sequence[PackageId]) -> bool:
    others = "SELECT count(*) FROM searches WHERE package_id = ANY(:packages) AND status <> 'stopped'"
    return await number(house.database, others, packages=list(packages)) == 0


async def test_a_providers_acceptance_against_the_decline_that_an_officer_records(house: House) -> None:
    town = await Town.of(house, "Alder", "Birch")
    await town.publishes_channel("Alder", Channel.PHONE)
    await town.until_heard()
    offers = await offers_to_alder(town)

    async def race(offer: OfferRead) -> tuple[Reply, Reply]:
        if random.random() < 0.5:
            return await asyncio.gather(town.accepts("Alder", offer), said_no_on_the_phone(town, offer))
        declined, accepted = await asyncio.gather(said_no_on_the_phone(town, offer), town.accepts("Alder", offer))
        return accepted, declined

    answers = await side_by_side(list(offers.values()), race)

    declined = [package for package, pair in zip(offers, answers, strict=True) if pair[1].status == 200]
    await town.offers_to("Birch", declined)
    happened = await house.happened(list(offers))
    for package, pair in zip(offers, answers, strict=True):
        assert sorted(answer.status for answer in pair) == [200, 409]
        ends = [each for each in happened[package] if each in {"OfferAccepted", "OfferDeclined"}]
        assert ends == (["OfferAccepted"] if pair[0].status == 200 else ["OfferDeclined"])
        assert happened[package].count("LateAnswerRefused") == 1
    assert await house.faults(list(offers)) == []


async def said_no_on_the_phone(town: Town, offer: OfferRead) -> Reply:
    return await town.calls(offer.offer_id, answer="decline", decline_reason="no capacity")


async def test_two_identical_acceptances_at_once_are_one_placement(house: House) -> None:
    town = await Town.of(house, "Alder", "Birch")
    offers = await offers_to_alder(town)

    async def race(offer: OfferRead) -> tuple[Reply, Reply]:
        return await asyncio.gather(town.accepts("Alder", offer), town.accepts("Alder", offer))

    answers = await side_by_side(list(offers.values()), race)

    assert statuses([answer for pair in answers for answer in pair]) == {200: 2 * ROUNDS}
    assert all(one.body == other.body for one, other in answers)
    placed = Counter(each.package_id for each in await house.placements(offers))
    assert placed == Counter(offers.keys())
    happened = await house.happened(list(offers))
    assert all(each.count("PackagePlaced") == 1 for each in happened.values())
    assert await house.faults(list(offers)) == []


async def test_the_same_idempotency_key_at_once_is_one_command_with_one_answer(house: House) -> None:
    town = await Town.of(house, "Alder", "Birch")
    offers = await offers_to_alder(town)
    before = await number(house.database, "SELECT count(*) FROM commands")

    async def race(offer: OfferRead) -> list[Reply]:
        key = uuid4().hex
        twins = (town.accepts("Alder", offer, idempotency_key=key) for _ in range(3))
        return list(await asyncio.gather(*twins))

    answers = await side_by_side(list(offers.values()), race)

    assert statuses([answer for twins in answers for answer in twins]) == {200: 3 * ROUNDS}
    assert all(twin.body == twins[0].body for twins in answers for twin in twins)
    assert await number(house.database, "SELECT count(*) FROM commands") == before + ROUNDS
    happened = await house.happened(list(offers))
    assert all(each.count("PackagePlaced") == 1 for each in happened.values())
    assert await house.faults(list(offers)) == []


async def test_an_idempotency_key_is_good_for_one_request_only(house: House) -> None:
    town = await Town.of(house, "Alder", "Birch")
    offer = await town.offer_to("Alder", await town.requests())
    other = await town.offer_to("Alder", await town.requests())
    answers = [await town.accepts("Alder", each, idempotency_key="the same") for each in (offer, other, offer)]
    assert [answer.status for answer in answers] == [200, 422, 200]
    assert answers[1].body["type"].endswith("key-reused")
    assert (await town.reads("Alder", other)).status == "made"


async def test_a_view_that_moves_while_a_package_is_being_held_always_wakes_it(house: House) -> None:
    async def race(town: Town) -> PackageId:
        async def a_moment_later(said: Awaitable[None]) -> None:
            await a_little_later(0.15)
            await said

        package, *_ = await asyncio.gather(
            town.requests(urgent=True),
            a_moment_later(town.publishes_definition()),
            a_moment_later(town.publishes_list("Alder", "Birch")),
            a_moment_later(town.introduces("Alder")),
            a_moment_later(town.introduces("Birch")),
        )
        await town.offer_to("Alder", package)
        return package

    packages = await side_by_side([Town.empty(house) for _ in range(ROUNDS)], race)

    happened = await house.happened(packages)
    assert any("SourcingHeld" in each for each in happened.values()), "none was held, so nothing was tried"
    assert all(each.count("OfferMade") == 1 for each in happened.values())
    await until(lambda: nobody_waits(house, packages), within=PATIENCE)
    assert await house.faults(packages) == []


async def nobody_waits(house: House, packages: Sequence[PackageId]) -> bool:
    return not await rows(
        house.database, "SELECT 1 FROM holds WHERE key = ANY(:keys)", keys=[str(package) for package in packages]
    )


SECOND_OFFER: Final = """
    INSERT INTO offers SELECT (jsonb_populate_record(offers, CAST(:other AS jsonb))).*
    FROM offers WHERE package_id = :package AND status = 'made'
"""
SECOND_PLACEMENT: Final = """
    INSERT INTO placements SELECT (jsonb_populate_record(placements, CAST(:other AS jsonb))).*
    FROM placements WHERE package_id = :package
"""


async def test_the_database_itself_refuses_a_second_live_offer_and_a_second_placement(house: House) -> None:
    town = await Town.of(house, "Alder", "Birch")
    package = await town.requests()
    declined = await town.offer_to("Alder", package)
    await town.declines("Alder", declined)
    offer = await town.offer_to("Birch", package)
    another_offer = json.dumps({"offer_id": str(uuid4()), "turn": 9})
    with pytest.raises(StatementRefused, match="one_live_offer_of_a_package"):
        await rows(house.database, SECOND_OFFER, package=package, other=another_offer)
    assert (await town.accepts("Birch", offer)).status == 200
    another_placement = json.dumps({"placement_id": str(uuid4()), "offer_id": str(declined.offer_id)})
    with pytest.raises(StatementRefused, match="one_standing_placement_of_a_package"):
        await rows(house.database, SECOND_PLACEMENT, package=package, other=another_placement)
