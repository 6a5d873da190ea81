"""Purchase orders and their numbers: one suite over the repositories in memory and on PostgreSQL."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.example_words import WithdrawalReasons
from contracts.examples import COUNCIL, MONDAY_NINE
from contracts.ids import CouncilKey
from pricing.domain.orders import Cancellation, PurchaseOrder
from pricing.ports import DateRange
from service_runtime.postgres.database import Database
from service_runtime.postgres.errors import StatementRefused
from testkit.pricing.builders import (
    PACKAGE,
    TODAY,
    an_order,
)
from testkit.pricing.repositories import Repositories, build_on_postgres

ANOTHER = CouncilKey("another")


async def test_an_order_is_loaded_as_it_was_saved(repositories: Repositories) -> None:
    order = an_order()
    async with repositories.open_work() as work:
        assert await work.orders.find_by_placement(order.placement_id) is None
        await work.orders.add(order)
        assert await work.orders.find_by_placement(order.placement_id) == order
    assert await repositories.queries.list_orders_of_package(order.package_id, COUNCIL) == [order]
    assert await repositories.queries.list_orders_of_package(order.package_id, ANOTHER) == []
    assert await repositories.queries.list_orders_of_package(PACKAGE, COUNCIL) == []


async def test_a_package_with_a_cancelled_order_can_have_another_order(repositories: Repositories) -> None:
    first = an_order("first", package_id=PACKAGE)
    second = an_order("second", package_id=PACKAGE, issued_at=MONDAY_NINE + timedelta(hours=1))
    cancelled = replace(first, cancelled=Cancellation(MONDAY_NINE, WithdrawalReasons.MOVED_AWAY))
    async with repositories.open_work() as work:
        await work.orders.add(first)
        await work.orders.save(cancelled)
        await work.orders.add(second)
    assert await repositories.queries.list_orders_of_package(PACKAGE, COUNCIL) == [second, cancelled]


async def test_a_councils_orders_are_listed_newest_first_page_by_page(repositories: Repositories) -> None:
    orders = [an_order(str(each), issued_at=MONDAY_NINE + timedelta(minutes=each // 2)) for each in range(5)]
    for each in orders:
        async with repositories.open_work() as work:
            await work.orders.add(each)
    async with repositories.open_work(ANOTHER) as work:
        await work.orders.add(an_order("foreign"))
    newest_first = sorted(orders, key=lambda each: (each.issued_at, each.order_id), reverse=True)
    first = await repositories.queries.list_orders(COUNCIL, DateRange(), after=None, limit=3)
    rest = await repositories.queries.list_orders(
        COUNCIL, DateRange(), after=(first[-1].issued_at, first[-1].order_id), limit=3
    )
    assert [*first, *rest] == newest_first


@pytest.mark.parametrize(
    ("days", "found"),
    [
        (DateRange(), {-1, 0, 1}),
        (DateRange(first=TODAY), {0, 1}),
        (DateRange(last=TODAY), {-1, 0}),
        (DateRange(TODAY, TODAY), {0}),
    ],
)
async def test_orders_are_filtered_by_the_day_of_issue(
    repositories: Repositories, days: DateRange, found: set[int]
) -> None:
    async with repositories.open_work() as work:
        for each in (-1, 0, 1):
            await work.orders.add(an_order(str(each), issued_at=MONDAY_NINE + timedelta(days=each)))
    listed = await repositories.queries.list_orders(COUNCIL, days, after=None, limit=10)
    assert {(each.issued_on - TODAY).days for each in listed} == found


async def test_each_council_and_year_has_its_own_numbers(repositories: Repositories) -> None:
    async with repositories.open_work() as work:
        assert [await work.orders.draw_number(2026) for _ in range(3)] == [1, 2, 3]
        assert await work.orders.draw_number(2027) == 1
    async with repositories.open_work(ANOTHER) as work:
        assert await work.orders.draw_number(2026) == 1
    async with repositories.open_work() as work:
        assert await work.orders.draw_number(2026) == 4


async def test_concurrent_transactions_draw_different_numbers(database: Database) -> None:
    repositories = build_on_postgres(database)
    barrier = asyncio.Barrier(8)

    async def draw() -> int:
        async with repositories.open_work() as work:
            await barrier.wait()
            return await work.orders.draw_number(2026)

    drawn = await asyncio.gather(*(draw() for _ in range(8)))
    assert sorted(drawn) == [1, 2, 3, 4, 5, 6, 7, 8]


async def test_a_number_of_a_rolled_back_transaction_is_not_reused(database: Database) -> None:
    repositories = build_on_postgres(database)
    async with repositories.open_work() as work:
        assert await work.orders.draw_number(2026) == 1

    async def draw_and_fail() -> None:
        async with repositories.open_work() as work:
            await work.orders.draw_number(2026)
            raise LookupError

    with pytest.raises(LookupError):
        await draw_and_fail()
    async with repositories.open_work() as work:
        assert await work.orders.draw_number(2026) == 3


@pytest.mark.parametrize("council", ['quo"te', "a'b; DROP TABLE purchase_orders", "x" * 64])
async def test_numbers_work_for_every_council_name(database: Database, council: str) -> None:
    async with build_on_postgres(database).open_work(CouncilKey(council)) as work:
        assert [await work.orders.draw_number(2026) for _ in range(2)] == [1, 2]


@pytest.mark.parametrize(
    ("constraint", "second"),
    [
        ("one_order_of_a_placement", an_order("second", placement_id=an_order().placement_id)),
        ("one_standing_order_of_a_package", an_order("second", package_id=an_order().package_id)),
        ("one_order_of_a_reference", an_order("second", reference=an_order().reference)),
    ],
)
async def test_the_database_refuses_a_second_order(database: Database, constraint: str, second: PurchaseOrder) -> None:
    repositories = build_on_postgres(database)
    async with repositories.open_work() as work:
        await work.orders.add(an_order())
    with pytest.raises(StatementRefused, match=constraint):
        async with repositories.open_work() as work:
            await work.orders.add(second)
