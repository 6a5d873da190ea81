"""Spot prices and their decisions: one suite over the repositories in memory and on PostgreSQL."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from contracts.events.listings import AwardEnd
from contracts.example_words import InadequateReasons, PriceRefusals
from contracts.examples import COUNCIL, FRAMEWORK, MONDAY_NINE
from contracts.ids import AwardId, CouncilKey, FrameworkKey, PackageId
from pricing.domain.approvals import ApprovalStatus, Decision, SpotPrice
from service_runtime.postgres.database import Database
from service_runtime.postgres.errors import StatementRefused
from testkit.pricing.builders import PACKAGE, a_spot_price
from testkit.pricing.repositories import Repositories, build_on_postgres

ANOTHER = CouncilKey("another")


def approve(price: SpotPrice, *, officer: str = "officer:second") -> SpotPrice:
    return replace(price, decision=Decision(officer, MONDAY_NINE))


async def test_a_spot_price_is_loaded_as_it_was_saved(repositories: Repositories) -> None:
    price = a_spot_price(inadequate_reason=InadequateReasons.CONTINUITY)
    async with repositories.open_work() as work:
        assert await work.spot_prices.get(price.award_id) is None
        await work.spot_prices.add(price)
        assert await work.spot_prices.get(price.award_id) == price
        assert await work.spot_prices.list_pending(price.package_id) == [price]
    assert await repositories.queries.find_spot_price(price.award_id, COUNCIL) == price
    assert await repositories.queries.find_spot_price(price.award_id, ANOTHER) is None
    assert await repositories.queries.find_spot_price(AwardId(uuid4()), COUNCIL) is None


@pytest.mark.parametrize(
    "after",
    [
        approve(a_spot_price()),
        a_spot_price(decision=Decision("officer:second", MONDAY_NINE, PriceRefusals.TOO_HIGH)),
        a_spot_price(lapsed_because=AwardEnd.PROPOSAL_REPLACED),
    ],
)
async def test_a_decision_or_lapse_is_saved(repositories: Repositories, after: SpotPrice) -> None:
    async with repositories.open_work() as work:
        await work.spot_prices.add(a_spot_price())
        await work.spot_prices.save(after, before=a_spot_price())
        assert await work.spot_prices.get(after.award_id) == after
        assert await work.spot_prices.list_pending(after.package_id) == []
    listed = {
        status: list(await repositories.queries.list_spot_prices(COUNCIL, status, after=None, limit=10))
        for status in ApprovalStatus
    }
    assert listed == {status: [after] if status is after.status else [] for status in ApprovalStatus}


@pytest.mark.parametrize("price", [approve(a_spot_price()), a_spot_price(lapsed_because=AwardEnd.PROPOSAL_REPLACED)])
async def test_late_decisions_are_saved_with_the_decision_that_counts(
    repositories: Repositories, price: SpotPrice
) -> None:
    late = (
        Decision("officer:third", MONDAY_NINE, PriceRefusals.TOO_HIGH),
        Decision("officer:fourth", MONDAY_NINE + timedelta(minutes=1)),
    )
    after = replace(price, late_decisions=late)
    async with repositories.open_work() as work:
        await work.spot_prices.add(a_spot_price())
        await work.spot_prices.save(price, before=a_spot_price())
        await work.spot_prices.save(after, before=price)
        assert await work.spot_prices.get(price.award_id) == after
    assert await repositories.queries.find_spot_price(price.award_id, COUNCIL) == after


async def test_the_framework_of_a_package_is_that_of_its_newest_listing(repositories: Repositories) -> None:
    async with repositories.open_work() as work:
        assert await work.spot_prices.find_framework(PACKAGE) is None
        await work.spot_prices.save_listing(PACKAGE, FrameworkKey("first-framework"))
        await work.spot_prices.save_listing(PACKAGE, FRAMEWORK)
        assert await work.spot_prices.find_framework(PACKAGE) == FRAMEWORK
        assert await work.spot_prices.find_framework(PackageId(uuid4())) is None


async def test_a_councils_spot_prices_are_listed_newest_first_page_by_page(repositories: Repositories) -> None:
    prices = [a_spot_price(str(each), asked_at=MONDAY_NINE + timedelta(minutes=each // 2)) for each in range(5)]
    async with repositories.open_work() as work:
        for each in prices:
            await work.spot_prices.add(each)
    async with repositories.open_work(ANOTHER) as work:
        await work.spot_prices.add(a_spot_price("foreign"))
    newest_first = sorted(prices, key=lambda each: (each.asked_at, each.award_id), reverse=True)
    first = await repositories.queries.list_spot_prices(COUNCIL, None, after=None, limit=3)
    last = first[-1]
    rest = await repositories.queries.list_spot_prices(
        COUNCIL, ApprovalStatus.PENDING, after=(last.asked_at, last.award_id), limit=3
    )
    assert [*first, *rest] == newest_first


async def test_the_database_refuses_a_second_decision(database: Database) -> None:
    repositories = build_on_postgres(database)
    async with repositories.open_work() as work:
        await work.spot_prices.add(a_spot_price())
        await work.spot_prices.save(approve(a_spot_price()), before=a_spot_price())
    with pytest.raises(StatementRefused, match="one_decision_of_an_award"):
        async with repositories.open_work() as work:
            await work.spot_prices.save(approve(a_spot_price(), officer="officer:third"), before=a_spot_price())


@pytest.mark.parametrize("kind", ["officer", "system"])
async def test_the_database_refuses_a_decision_by_the_officer_who_awarded(database: Database, kind: str) -> None:
    repositories = build_on_postgres(database)
    async with repositories.open_work() as work:
        await work.spot_prices.add(a_spot_price())
    with pytest.raises(StatementRefused, match="two_people"):
        async with repositories.open_work() as work:
            await work.spot_prices.save(approve(a_spot_price(), officer=f"{kind}:first"), before=a_spot_price())
