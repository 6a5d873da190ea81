"""One suite over the repositories in memory and on PostgreSQL: a fake that passes it can stand in for the real one."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import uuid4

import pytest
import pytest_asyncio

from contracts.catalogue import FRAMEWORKS, encode
from contracts.events.frameworks import FrameworkPublished
from contracts.events.listings import AwardEnd, InadequateReason
from contracts.events.orders import SpotPriceRefusal
from contracts.examples import ESSEX, MONDAY_NINE
from contracts.framework import FrameworkDefinition
from contracts.ids import AreaCode, AwardId, CouncilKey, FrameworkKey
from contracts.values import WithdrawalReason
from pricing.domain.approvals import ApprovalStatus, Decision, SpotPrice
from pricing.domain.orders import Cancellation, PurchaseOrder
from pricing.ports import DEFINITION_VERSIONS, DEFINITIONS, DateRange, PricingQueries, PricingWork, SelectionFilter
from pricing.store import TABLES
from pricing.store.queries import PostgresPricingQueries
from pricing.store.unit_of_work import PostgresPricingWork
from service_runtime.postgres.database import Database, StatementRefused
from service_runtime.projections.projections import ProjectionRow, upsert_rows
from service_runtime.unit_of_work.streams import Cause, Stream, StreamKey
from service_runtime.unit_of_work.unit_of_work import WorkContext
from testkit.databases import a_database
from testkit.pricing.builders import (
    COUNCIL,
    PACKAGE,
    TODAY,
    a_matrix,
    a_provider_id,
    a_rate_scope,
    a_selection,
    a_spot_price,
    an_order,
)
from testkit.pricing.fakes import InMemoryPricingQueries, InMemoryPricingWork, Ledger
from testkit.servers import TestPostgres

ANOTHER = CouncilKey("another")
TOMORROW = TODAY + timedelta(days=1)


class WorkFor:
    """Opens units of work for a council, at so many minutes past nine."""

    def __init__(self, open_one: Callable[[CouncilKey, int], AbstractAsyncContextManager[PricingWork]]) -> None:
        self._open_one = open_one

    def __call__(self, council: CouncilKey = COUNCIL, *, minute: int = 0) -> AbstractAsyncContextManager[PricingWork]:
        return self._open_one(council, minute)


@dataclass(frozen=True)
class Repositories:
    """What writes, in a transaction, and what reads."""

    work: WorkFor
    queries: PricingQueries
    add_definition: Callable[[FrameworkDefinition], Awaitable[None]]


def a_cause(council: CouncilKey) -> Cause:
    return Cause("command:test", "system:test", council)


def build_in_memory() -> Repositories:
    ledger = Ledger()

    @asynccontextmanager
    async def open_one(council: CouncilKey, minute: int) -> AsyncGenerator[PricingWork]:
        now = MONDAY_NINE + timedelta(minutes=minute)
        yield InMemoryPricingWork(now=now, cause=a_cause(council), ledger=ledger)

    async def add_definition(definition: FrameworkDefinition) -> None:
        ledger.add_definition(definition)

    return Repositories(WorkFor(open_one), InMemoryPricingQueries(ledger), add_definition)


def build_on_postgres(database: Database) -> Repositories:
    @asynccontextmanager
    async def open_one(council: CouncilKey, minute: int) -> AsyncGenerator[PricingWork]:
        stream = Stream(StreamKey(FRAMEWORKS, "test"), 0, "", parked=False)
        now = MONDAY_NINE + timedelta(minutes=minute)
        async with database.begin_transaction() as connection:
            yield PostgresPricingWork(connection, WorkContext("pricing", stream, now, a_cause(council)))

    async def add_definition(definition: FrameworkDefinition) -> None:
        event = FrameworkPublished(definition=definition)
        said = [
            ProjectionRow(view.name, view.key(event), definition.version, event.type_name(), encode(event))
            for view in (DEFINITIONS, DEFINITION_VERSIONS)
        ]
        async with database.begin_transaction() as connection:
            await upsert_rows(connection, said, now=MONDAY_NINE)

    return Repositories(WorkFor(open_one), PostgresPricingQueries(database), add_definition)


@pytest_asyncio.fixture
async def database(postgres: TestPostgres) -> AsyncGenerator[Database]:
    async with a_database(postgres, TABLES, name="pricing") as database:
        yield database


@pytest_asyncio.fixture(params=["in memory", "on PostgreSQL"])
async def repositories(request: pytest.FixtureRequest, postgres: TestPostgres) -> AsyncGenerator[Repositories]:
    if request.param == "in memory":
        yield build_in_memory()
        return
    async with a_database(postgres, TABLES, name="pricing") as database:
        yield build_on_postgres(database)


# --- matrices


async def test_the_newest_version_of_a_framework_is_the_one_published_last(repositories: Repositories) -> None:
    async with repositories.work() as work:
        assert await work.frameworks.find_latest(ESSEX) is None
    for version in (1, 2):
        await repositories.add_definition(a_matrix(version=version))
    async with repositories.work() as work:
        assert await work.frameworks.find_latest(ESSEX) == a_matrix(version=2)


async def test_every_version_is_listed_the_newest_first_and_the_councils_own_only(repositories: Repositories) -> None:
    for version in (1, 2, 10):
        await repositories.add_definition(a_matrix(version=version))
    await repositories.add_definition(a_matrix(framework="a-second-one"))
    await repositories.add_definition(a_matrix(framework="a-foreign-one", council=ANOTHER))
    listed = await repositories.queries.list_matrices(COUNCIL, None)
    assert [(each.framework, each.version) for each in listed] == [
        ("a-second-one", 1),
        (ESSEX, 10),
        (ESSEX, 2),
        (ESSEX, 1),
    ]
    assert [each.version for each in await repositories.queries.list_matrices(COUNCIL, ESSEX)] == [10, 2, 1]
    assert await repositories.queries.list_matrices(COUNCIL, FrameworkKey("a-foreign-one")) == []


# --- selections


async def test_selections_come_back_by_day_and_one_replaces_that_of_its_day(repositories: Repositories) -> None:
    async with repositories.work() as work:
        assert await work.rates.list_selections(a_rate_scope()) == ()
        for selection in (a_selection(TOMORROW), a_selection(TODAY), a_selection(TOMORROW, number=3)):
            await work.rates.save_selection(a_rate_scope(), selection)
        assert await work.rates.list_selections(a_rate_scope()) == (a_selection(TODAY), a_selection(TOMORROW, number=3))
        assert await work.rates.list_selections(a_rate_scope("Birch")) == ()
        assert await work.rates.list_selections(a_rate_scope(area=AreaCode("E07000076"))) == ()
    seen = await repositories.queries.find_selections(a_rate_scope(), COUNCIL)
    assert seen is not None
    assert seen.selections == (a_selection(TODAY), a_selection(TOMORROW, number=3))
    assert await repositories.queries.find_selections(a_rate_scope("Birch"), COUNCIL) is None
    assert await repositories.queries.find_selections(a_rate_scope(), ANOTHER) is None


async def test_a_councils_selections_are_listed_the_newest_first_page_by_page(repositories: Repositories) -> None:
    for minute, name in enumerate(("Alder", "Birch", "Cedar", "Alder", "Birch")):
        async with repositories.work(minute=minute) as work:
            await work.rates.save_selection(a_rate_scope(name), a_selection(TODAY + timedelta(days=minute)))
    async with repositories.work(ANOTHER) as work:
        await work.rates.save_selection(a_rate_scope(framework=FrameworkKey("a-foreign-one")), a_selection(TODAY))

    first = await repositories.queries.list_selections(COUNCIL, SelectionFilter(), after=None, limit=3)
    after = (first[-1].selected_at, first[-1].selection_id)
    rest = await repositories.queries.list_selections(COUNCIL, SelectionFilter(), after=after, limit=3)
    assert [(each.selection.valid_from - TODAY).days for each in (*first, *rest)] == [4, 3, 2, 1, 0]


@pytest.mark.parametrize(
    ("filters", "days"),
    [
        (SelectionFilter(provider_id=a_provider_id("Alder")), [1, 0]),
        (SelectionFilter(area=AreaCode("E07000076")), [2, 1]),
        (SelectionFilter(framework=FrameworkKey("a-second-one")), [3]),
        (SelectionFilter(provider_id=a_provider_id("Alder"), area=AreaCode("E07000076")), [1]),
        (SelectionFilter(provider_id=a_provider_id("Dogwood")), []),
    ],
)
async def test_selections_are_found_by_provider_framework_and_area(
    repositories: Repositories, filters: SelectionFilter, days: list[int]
) -> None:
    tendring = AreaCode("E07000076")
    places = (
        a_rate_scope("Alder"),
        a_rate_scope("Alder", area=tendring),
        a_rate_scope("Birch", area=tendring),
        a_rate_scope("Birch", framework=FrameworkKey("a-second-one")),
    )
    for minute, scope in enumerate(places):
        async with repositories.work(minute=minute) as work:
            await work.rates.save_selection(scope, a_selection(TODAY + timedelta(days=minute)))
    found = await repositories.queries.list_selections(COUNCIL, filters, after=None, limit=10)
    assert [(each.selection.valid_from - TODAY).days for each in found] == days


# --- purchase orders


async def test_an_order_comes_back_as_it_was_kept(repositories: Repositories) -> None:
    order = an_order()
    async with repositories.work() as work:
        assert await work.orders.find_by_placement(order.placement_id) is None
        await work.orders.add(order)
        assert await work.orders.find_by_placement(order.placement_id) == order
    assert await repositories.queries.list_orders_of_package(order.package_id, COUNCIL) == [order]
    assert await repositories.queries.list_orders_of_package(order.package_id, ANOTHER) == []
    assert await repositories.queries.list_orders_of_package(PACKAGE, COUNCIL) == []


async def test_a_cancelled_order_makes_room_for_another(repositories: Repositories) -> None:
    first = an_order("first", package_id=PACKAGE)
    second = an_order("second", package_id=PACKAGE, issued_at=MONDAY_NINE + timedelta(hours=1))
    cancelled = replace(first, cancelled=Cancellation(MONDAY_NINE, WithdrawalReason.MOVED_AWAY))
    async with repositories.work() as work:
        await work.orders.add(first)
        await work.orders.save(cancelled)
        await work.orders.add(second)
    assert await repositories.queries.list_orders_of_package(PACKAGE, COUNCIL) == [second, cancelled]


async def test_a_councils_orders_are_listed_the_newest_first_page_by_page(repositories: Repositories) -> None:
    orders = [an_order(str(each), issued_at=MONDAY_NINE + timedelta(minutes=each // 2)) for each in range(5)]
    for each in orders:
        async with repositories.work() as work:
            await work.orders.add(each)
    async with repositories.work(ANOTHER) as work:
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
async def test_orders_are_found_by_the_day_of_issue(
    repositories: Repositories, days: DateRange, found: set[int]
) -> None:
    async with repositories.work() as work:
        for each in (-1, 0, 1):
            await work.orders.add(an_order(str(each), issued_at=MONDAY_NINE + timedelta(days=each)))
    listed = await repositories.queries.list_orders(COUNCIL, days, after=None, limit=10)
    assert {(each.issued_on - TODAY).days for each in listed} == found


async def test_numbers_count_by_council_and_year(repositories: Repositories) -> None:
    async with repositories.work() as work:
        assert [await work.orders.draw_number(2026) for _ in range(3)] == [1, 2, 3]
        assert await work.orders.draw_number(2027) == 1
    async with repositories.work(ANOTHER) as work:
        assert await work.orders.draw_number(2026) == 1
    async with repositories.work() as work:
        assert await work.orders.draw_number(2026) == 4


async def test_no_number_is_given_twice_however_many_draw_their_first_at_once(database: Database) -> None:
    repositories = build_on_postgres(database)
    everybody = asyncio.Barrier(8)

    async def draw() -> int:
        async with repositories.work() as work:
            await everybody.wait()
            return await work.orders.draw_number(2026)

    drawn = await asyncio.gather(*(draw() for _ in range(8)))
    assert sorted(drawn) == [1, 2, 3, 4, 5, 6, 7, 8]


async def test_a_number_that_was_drawn_for_nothing_is_lost(database: Database) -> None:
    repositories = build_on_postgres(database)
    async with repositories.work() as work:
        assert await work.orders.draw_number(2026) == 1

    async def draw_and_fail() -> None:
        async with repositories.work() as work:
            await work.orders.draw_number(2026)
            raise LookupError

    with pytest.raises(LookupError):
        await draw_and_fail()
    async with repositories.work() as work:
        assert await work.orders.draw_number(2026) == 3


@pytest.mark.parametrize("council", ['quo"te', "a'b; DROP TABLE purchase_orders", "x" * 64])
async def test_a_council_of_any_name_has_numbers(database: Database, council: str) -> None:
    async with build_on_postgres(database).work(CouncilKey(council)) as work:
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
    async with repositories.work() as work:
        await work.orders.add(an_order())
    with pytest.raises(StatementRefused, match=constraint):
        async with repositories.work() as work:
            await work.orders.add(second)


# --- spot prices


def approve(price: SpotPrice, *, officer: str = "officer:second") -> SpotPrice:
    return replace(price, decision=Decision(officer, MONDAY_NINE))


async def test_a_spot_price_comes_back_as_it_was_kept(repositories: Repositories) -> None:
    price = a_spot_price(inadequate_reason=InadequateReason.CONTINUITY)
    async with repositories.work() as work:
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
        a_spot_price(decision=Decision("officer:second", MONDAY_NINE, SpotPriceRefusal.TOO_HIGH)),
        a_spot_price(lapsed_because=AwardEnd.PROPOSAL_REPLACED),
    ],
)
async def test_what_became_of_a_spot_price_is_kept(repositories: Repositories, after: SpotPrice) -> None:
    async with repositories.work() as work:
        await work.spot_prices.add(a_spot_price())
        await work.spot_prices.save(after, before=a_spot_price())
        assert await work.spot_prices.get(after.award_id) == after
        assert await work.spot_prices.list_pending(after.package_id) == []
    listed = {
        standing: list(await repositories.queries.list_spot_prices(COUNCIL, standing, after=None, limit=10))
        for standing in ApprovalStatus
    }
    assert listed == {standing: [after] if standing is after.status else [] for standing in ApprovalStatus}


@pytest.mark.parametrize("price", [approve(a_spot_price()), a_spot_price(lapsed_because=AwardEnd.PROPOSAL_REPLACED)])
async def test_what_was_decided_too_late_is_kept_beside_what_counts(
    repositories: Repositories, price: SpotPrice
) -> None:
    late = (
        Decision("officer:third", MONDAY_NINE, SpotPriceRefusal.TOO_HIGH),
        Decision("officer:fourth", MONDAY_NINE + timedelta(minutes=1)),
    )
    after = replace(price, late_decisions=late)
    async with repositories.work() as work:
        await work.spot_prices.add(a_spot_price())
        await work.spot_prices.save(price, before=a_spot_price())
        await work.spot_prices.save(after, before=price)
        assert await work.spot_prices.get(price.award_id) == after
    assert await repositories.queries.find_spot_price(price.award_id, COUNCIL) == after


async def test_a_councils_spot_prices_are_listed_the_newest_first_page_by_page(repositories: Repositories) -> None:
    prices = [a_spot_price(str(each), asked_at=MONDAY_NINE + timedelta(minutes=each // 2)) for each in range(5)]
    async with repositories.work() as work:
        for each in prices:
            await work.spot_prices.add(each)
    async with repositories.work(ANOTHER) as work:
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
    async with repositories.work() as work:
        await work.spot_prices.add(a_spot_price())
        await work.spot_prices.save(approve(a_spot_price()), before=a_spot_price())
    with pytest.raises(StatementRefused, match="one_decision_of_an_award"):
        async with repositories.work() as work:
            await work.spot_prices.save(approve(a_spot_price(), officer="officer:third"), before=a_spot_price())


@pytest.mark.parametrize("kind", ["officer", "system"])
async def test_the_database_refuses_a_decision_by_who_awarded(database: Database, kind: str) -> None:
    repositories = build_on_postgres(database)
    async with repositories.work() as work:
        await work.spot_prices.add(a_spot_price())
    with pytest.raises(StatementRefused, match="two_people"):
        async with repositories.work() as work:
            await work.spot_prices.save(approve(a_spot_price(), officer=f"{kind}:first"), before=a_spot_price())
