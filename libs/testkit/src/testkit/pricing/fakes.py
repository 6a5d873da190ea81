"""In-memory repositories of pricing. They pass the same test suite as the PostgreSQL repositories."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import count
from typing import TypeVar
from uuid import UUID, uuid4

from contracts.events.frameworks import FrameworkPublished
from contracts.events.rates import Selection
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import AwardId, CouncilKey, FrameworkKey, OrderId, PackageId, PlacementId
from pricing.domain.approvals import ApprovalStatus, SpotPrice
from pricing.domain.orders import PurchaseOrder
from pricing.domain.rates import RateScope, add_selection
from pricing.ports import (
    DEFINITION_VERSIONS,
    DEFINITIONS,
    AreaSelections,
    DateRange,
    ListedSelection,
    Position,
    SelectionFilter,
)
from testkit.fake_unit_of_work import InMemoryProjections, InMemoryUnitOfWork

ItemT = TypeVar("ItemT")


@dataclass
class PricingTables:
    """Rows of the in-memory repositories, each with its council."""

    selections: dict[tuple[CouncilKey, RateScope], list[ListedSelection]] = field(
        default_factory=dict[tuple[CouncilKey, RateScope], list[ListedSelection]]
    )
    orders: dict[OrderId, tuple[CouncilKey, PurchaseOrder]] = field(
        default_factory=dict[OrderId, tuple[CouncilKey, PurchaseOrder]]
    )
    prices: dict[AwardId, tuple[CouncilKey, SpotPrice]] = field(
        default_factory=dict[AwardId, tuple[CouncilKey, SpotPrice]]
    )
    listings: dict[PackageId, FrameworkKey] = field(default_factory=dict[PackageId, FrameworkKey])
    numbers: dict[tuple[CouncilKey, int], "count[int]"] = field(
        default_factory=dict[tuple[CouncilKey, int], "count[int]"]
    )
    projections: InMemoryProjections = field(default_factory=InMemoryProjections)

    def add_definition(self, definition: FrameworkDefinition) -> None:
        """Applies a published framework version to the projections."""
        event = FrameworkPublished(definition=definition)
        for projection in (DEFINITIONS, DEFINITION_VERSIONS):
            self.projections.apply(projection, event, sequence=definition.version)


class InMemoryFrameworks:
    """Framework definitions, read from in-memory projections."""

    def __init__(self, projections: InMemoryProjections) -> None:
        self._projections = projections

    async def find_latest(self, framework: FrameworkKey) -> FrameworkDefinition | None:
        known = await self._projections.get(DEFINITIONS, framework)
        return None if known is None else known.event.definition


class InMemoryRates:
    """In-memory repository of selections."""

    def __init__(self, ledger: PricingTables, council: CouncilKey, now: datetime) -> None:
        self._tables = ledger
        self._council = council
        self._now = now

    async def list_selections(self, scope: RateScope) -> tuple[Selection, ...]:
        return _merge_selections(self._tables.selections.get((self._council, scope), ()))

    async def save_selection(self, scope: RateScope, selection: Selection) -> None:
        stored = self._tables.selections.get((self._council, scope), [])
        others = [each for each in stored if each.selection.valid_from != selection.valid_from]
        listed = ListedSelection(uuid4(), scope, selection, self._now)
        self._tables.selections[self._council, scope] = [*others, listed]


def _merge_selections(listed: Iterable[ListedSelection]) -> tuple[Selection, ...]:
    selections: tuple[Selection, ...] = ()
    for each in listed:
        selections = add_selection(selections, each.selection)
    return selections


class InMemoryOrders:
    """In-memory repository of purchase orders, with the database's constraints."""

    def __init__(self, ledger: PricingTables, council: CouncilKey) -> None:
        self._tables = ledger
        self._council = council

    async def draw_number(self, year: int) -> int:
        return next(self._tables.numbers.setdefault((self._council, year), count(1)))

    async def find_by_placement(self, placement_id: PlacementId) -> PurchaseOrder | None:
        return next((each for _, each in self._tables.orders.values() if each.placement_id == placement_id), None)

    async def add(self, order: PurchaseOrder) -> None:
        assert await self.find_by_placement(order.placement_id) is None, "a placement has at most one order"
        stored = [each for _, each in self._tables.orders.values() if each.package_id == order.package_id]
        assert all(each.cancelled for each in stored), "a package has at most one order that is not cancelled"
        self._tables.orders[order.order_id] = (self._council, order)

    async def save(self, order: PurchaseOrder) -> None:
        council, stored = self._tables.orders[order.order_id]
        self._tables.orders[order.order_id] = (council, replace(stored, cancelled=order.cancelled))


class InMemorySpotPrices:
    """In-memory repository of spot prices, with the database's constraints."""

    def __init__(self, ledger: PricingTables, council: CouncilKey) -> None:
        self._tables = ledger
        self._council = council

    async def save_listing(self, package_id: PackageId, framework: FrameworkKey) -> None:
        self._tables.listings[package_id] = framework

    async def find_framework(self, package_id: PackageId) -> FrameworkKey | None:
        return self._tables.listings.get(package_id)

    async def get(self, award_id: AwardId) -> SpotPrice | None:
        _, price = self._tables.prices.get(award_id, (self._council, None))
        return price

    async def list_pending(self, package_id: PackageId) -> Sequence[SpotPrice]:
        of_package = (each for _, each in self._tables.prices.values() if each.package_id == package_id)
        pending = (each for each in of_package if each.status is ApprovalStatus.PENDING)
        return sorted(pending, key=lambda each: (each.asked_at, each.award_id))

    async def add(self, price: SpotPrice) -> None:
        assert price.award_id not in self._tables.prices, "the award has a price already"
        self._tables.prices[price.award_id] = (self._council, price)

    async def save(self, price: SpotPrice, *, before: SpotPrice) -> None:
        council, stored = self._tables.prices[price.award_id]
        assert price.decision is before.decision or stored.decision is None, "the price was decided already"
        self._tables.prices[price.award_id] = (council, price)


@dataclass
class InMemoryPricingWork(InMemoryUnitOfWork):
    """Pricing's unit of work in memory."""

    tables: PricingTables = field(default_factory=PricingTables)

    @property
    def council(self) -> CouncilKey:
        return CouncilKey(self.cause.council)

    @property
    def frameworks(self) -> InMemoryFrameworks:
        return InMemoryFrameworks(self.tables.projections)

    @property
    def rates(self) -> InMemoryRates:
        return InMemoryRates(self.tables, self.council, self.now)

    @property
    def orders(self) -> InMemoryOrders:
        return InMemoryOrders(self.tables, self.council)

    @property
    def spot_prices(self) -> InMemorySpotPrices:
        return InMemorySpotPrices(self.tables, self.council)


class InMemoryPricingQueries:
    """Queries over the in-memory rows."""

    def __init__(self, ledger: PricingTables) -> None:
        self._tables = ledger

    async def list_matrices(self, council: CouncilKey, framework: FrameworkKey | None) -> Sequence[FrameworkDefinition]:
        known = await self._tables.projections.get_by_prefix(
            DEFINITION_VERSIONS, "" if framework is None else f"{framework}/"
        )
        own = (each.event.definition for each in known if each.event.definition.council == council)
        return sorted(own, key=lambda each: (each.framework, -each.version))

    async def find_selections(self, scope: RateScope, council: CouncilKey) -> AreaSelections | None:
        stored = self._tables.selections.get((council, scope))
        return None if stored is None else AreaSelections(scope, _merge_selections(stored))

    async def list_selections(
        self, council: CouncilKey, filters: SelectionFilter, *, after: Position, limit: int
    ) -> Sequence[ListedSelection]:
        found = [
            each
            for (of_council, scope), stored in self._tables.selections.items()
            for each in stored
            if of_council == council
            and filters.provider_id in {None, scope.provider_id}
            and filters.framework in {None, scope.framework}
            and filters.area in {None, scope.area}
        ]
        return _take_page(found, lambda each: (each.selected_at, each.selection_id), after=after, limit=limit)

    async def list_current_selections(
        self, council: CouncilKey, framework: FrameworkKey, day: date
    ) -> Sequence[ListedSelection]:
        current = list[ListedSelection]()
        for (of_council, scope), stored in self._tables.selections.items():
            begun = [each for each in stored if each.selection.valid_from <= day]
            if begun and (of_council, scope.framework) == (council, framework):
                current.append(max(begun, key=lambda each: each.selection.valid_from))
        return sorted(current, key=lambda each: (each.selected_at, each.selection_id), reverse=True)

    async def list_orders_of_package(self, package_id: PackageId, council: CouncilKey) -> Sequence[PurchaseOrder]:
        found = [each for each in self._list_orders(council) if each.package_id == package_id]
        return _take_page(found, _get_position, after=None, limit=len(found))

    async def list_orders(
        self, council: CouncilKey, days: DateRange, *, after: Position, limit: int
    ) -> Sequence[PurchaseOrder]:
        found = [
            each
            for each in self._list_orders(council)
            if (days.first is None or days.first <= each.issued_on)
            and (days.last is None or each.issued_on <= days.last)
        ]
        return _take_page(found, _get_position, after=after, limit=limit)

    def _list_orders(self, council: CouncilKey) -> list[PurchaseOrder]:
        return [each for of_council, each in self._tables.orders.values() if of_council == council]

    async def find_spot_price(self, award_id: AwardId, council: CouncilKey) -> SpotPrice | None:
        of_council, price = self._tables.prices.get(award_id, (None, None))
        return price if of_council == council else None

    async def list_spot_prices(
        self, council: CouncilKey, status: ApprovalStatus | None, *, after: Position, limit: int
    ) -> Sequence[SpotPrice]:
        found = [
            each
            for of_council, each in self._tables.prices.values()
            if of_council == council and status in {None, each.status}
        ]
        return _take_page(found, lambda each: (each.asked_at, each.award_id), after=after, limit=limit)


def _get_position(order: PurchaseOrder) -> tuple[datetime, UUID]:
    return order.issued_at, order.order_id


def _take_page(
    found: Iterable[ItemT], position: Callable[[ItemT], tuple[datetime, UUID]], *, after: Position, limit: int
) -> list[ItemT]:
    """Returns up to `limit` items after the position, newest first."""
    newest_first = sorted(found, key=position, reverse=True)
    return [each for each in newest_first if after is None or position(each) < after][:limit]
