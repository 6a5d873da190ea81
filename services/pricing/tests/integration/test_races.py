"""Two things at once about one package, fifty times each: one wins, the loser is told, nothing is told twice."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Final, TypeVar
from uuid import uuid4

import pytest

from contracts.events.listings import AwardAwaitsApproval, AwardLapsed
from contracts.events.packages import PlacementVoided
from contracts.ids import PackageId, ProviderId
from testkit.chain_checker import faults_in
from testkit.contract_examples import an_example_of
from testkit.databases import number, rows
from testkit.pricing.harness import House, a_body
from testkit.running_services import Reply

pytestmark = pytest.mark.xdist_group("pricing")

ROUNDS: Final = 50
AT_ONCE: Final = 10
ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


async def side_by_side(items: Sequence[ItemT], race: Callable[[ItemT], Awaitable[ResultT]]) -> list[ResultT]:
    """Runs one race for each of `items`, a few of them at once."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(item: ItemT) -> ResultT:
        async with slots:
            return await race(item)

    return list(await asyncio.gather(*map(one, items)))


async def soon(request: Awaitable[Reply]) -> Reply:
    """Spreads the starts, so that now one of two is first and now the other."""
    await asyncio.sleep(random.uniform(0, 0.02))
    return await request


def approve(
    house: House, award: AwardAwaitsApproval, *, by: str = "second", key: str | None = None
) -> Awaitable[Reply]:
    return soon(house.officer("POST", f"/v1/spot-prices/{award.award_id}/approve", name=by, key=key))


def refuse(house: House, award: AwardAwaitsApproval, *, by: str = "third") -> Awaitable[Reply]:
    return soon(house.officer("POST", f"/v1/spot-prices/{award.award_id}/refuse", {"reason": "too high"}, name=by))


async def decisions_of(house: House, awards: Sequence[AwardAwaitsApproval]) -> int:
    wanted = [each.award_id for each in awards]
    return await number(
        house.database, "SELECT count(*) FROM price_decisions WHERE award_id = ANY(:wanted)", wanted=wanted
    )


async def test_two_officers_who_differ_about_a_price(house: House) -> None:
    awards = await house.awards(ROUNDS)

    async def race(award: AwardAwaitsApproval) -> tuple[Reply, Reply]:
        approval, refusal = await asyncio.gather(approve(house, award), refuse(house, award))
        return approval, refusal

    answers = await side_by_side(awards, race)

    for award, (approval, refusal) in zip(awards, answers, strict=True):
        assert sorted((approval.status, refusal.status)) == [200, 409]
        told = "SpotPriceApproved" if approval.status == 200 else "SpotPriceRefused"
        assert await house.happened(award.package_id) == [told, "LateDecisionRefused"]
    winners = Counter(approval.status == 200 for approval, _ in answers)
    assert len(winners) == 2, "now one of the two is faster and now the other"
    assert await decisions_of(house, awards) == ROUNDS
    assert faults_in(await house.on_kafka([each.package_id for each in awards])) == []


async def test_two_officers_who_agree_about_a_price(house: House) -> None:
    awards = await house.awards(ROUNDS)

    async def race(award: AwardAwaitsApproval) -> tuple[Reply, Reply]:
        one, other = await asyncio.gather(approve(house, award), approve(house, award, by="third"))
        return one, other

    for one, other in await side_by_side(awards, race):
        assert (one.status, one.body) == (200, other.body)
    for award in awards:
        assert await house.happened(award.package_id) == ["SpotPriceApproved"]


async def test_a_late_refusal_that_comes_twice_at_once_is_told_once(house: House) -> None:
    awards = await house.awards(ROUNDS)
    assert {answer.status for answer in await side_by_side(awards, lambda award: approve(house, award))} == {200}

    async def race(award: AwardAwaitsApproval) -> tuple[Reply, Reply]:
        one, other = await asyncio.gather(refuse(house, award), refuse(house, award))
        return one, other

    for one, other in await side_by_side(awards, race):
        assert (one.status, one.body) == (409, other.body)
    for award in awards:
        assert await house.happened(award.package_id) == ["SpotPriceApproved", "LateDecisionRefused"]


async def test_an_approval_that_comes_twice_at_once_with_one_key(house: House) -> None:
    awards = await house.awards(ROUNDS)

    async def race(award: AwardAwaitsApproval) -> tuple[Reply, Reply]:
        key = str(uuid4())
        one, other = await asyncio.gather(approve(house, award, key=key), approve(house, award, key=key))
        return one, other

    for one, other in await side_by_side(awards, race):
        assert (one.status, one.body) == (200, other.body)
    for award in awards:
        assert await house.happened(award.package_id) == ["SpotPriceApproved"]


async def test_one_key_for_two_decisions_is_refused(house: House) -> None:
    one, other = await house.awards(2)
    assert (await approve(house, one, key="the same")).status == 200
    assert (await approve(house, other, key="the same")).status == 422


async def test_an_approval_against_the_end_of_the_award(house: House) -> None:
    awards = await house.awards(ROUNDS)

    async def race(award: AwardAwaitsApproval) -> Reply:
        lapsed = an_example_of(AwardLapsed, package_id=award.package_id, award_id=award.award_id)
        answer, _ = await asyncio.gather(approve(house, award), house.says(lapsed))
        return answer

    answers = await side_by_side(awards, race)

    approved = sum(answer.status == 200 for answer in answers)
    assert {answer.status for answer in answers} <= {200, 409}
    assert await decisions_of(house, awards) == approved
    for award, answer in zip(awards, answers, strict=True):
        told = "SpotPriceApproved" if answer.status == 200 else "LateDecisionRefused"
        assert await house.happened(award.package_id) == [told]


async def test_orders_that_are_issued_at_once_have_numbers_of_their_own(house: House) -> None:
    placements = await side_by_side(range(ROUNDS * 4), lambda _: house.places())
    await house.orders(*placements)
    own = "SELECT reference FROM purchase_orders WHERE council = :council"  # other tests place packages, too
    references = await rows(house.database, own, council=house.council)
    assert len({each.reference for each in references}) == len(references)
    assert faults_in(await house.on_kafka([each.package_id for each in placements])) == []


async def test_a_placement_and_its_end_in_one_breath(house: House) -> None:
    async def place_and_void(_: int) -> PackageId:
        placed = await house.places()
        await house.says(an_example_of(PlacementVoided, package_id=placed.package_id, placement_id=placed.placement_id))
        return placed.package_id

    packages = await side_by_side(range(ROUNDS), place_and_void)
    for package_id in packages:
        await house.until_happened(package_id, "PurchaseOrderIssued", "PurchaseOrderCancelled")


async def test_a_provider_that_selects_twice_at_once_loses_neither(house: House) -> None:
    providers = [ProviderId(uuid4()) for _ in range(ROUNDS)]

    async def race(provider: ProviderId) -> None:
        bodies = [a_body(house.today + timedelta(days=ahead)) for ahead in (0, 7, 14)]
        path = house.rates_path(provider)
        answers = await asyncio.gather(*(soon(house.provider(provider, "PUT", path, body)) for body in bodies))
        assert [answer.status for answer in answers] == [200, 200, 200]

    await side_by_side(providers, race)

    for provider in providers[:5]:
        *_, newest = await house.selected_on_kafka(provider)
        assert [(each.valid_from - house.today).days for each in newest.selections] == [0, 7, 14]
    kept = "SELECT count(*) FROM selections WHERE provider_id = ANY(:providers)"
    assert await number(house.database, kept, providers=providers) == 3 * ROUNDS
