"""Pricing's repositories without a database; they pass the same suite as those in PostgreSQL."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from typing import TypeVar
from uuid import UUID, uuid4

from contracts.events.frameworks import FrameworkPublished
from contracts.events.rates import Selection
from contracts.framework import FrameworkDefinition
from contracts.ids import AwardId, CouncilKey, FrameworkKey, OrderId, PackageId, PlacementId
from pricing.domain.approvals import SpotPrice, Standing
from pricing.domain.orders import PurchaseOrder
from pricing.domain.rates import Place, with_selection
from pricing.ports import DEFINITION_VERSIONS, DEFINITIONS, Days, Position, RatesWanted, Selected, SelectionListed
from testkit.fake_unit_of_work import InMemoryProjections, InMemoryUnitOfWork

ItemT = TypeVar("ItemT")


@dataclass
class Ledger:
    """What the repositories in memory keep, each thing with the council that it belongs to."""

    selections: dict[tuple[CouncilKey, Place], list[SelectionListed]] = field(
        default_factory=dict[tuple[CouncilKey, Place], list[SelectionListed]]
    )
    orders: dict[OrderId, tuple[CouncilKey, PurchaseOrder]] = field(
        default_factory=dict[OrderId, tuple[CouncilKey, PurchaseOrder]]
    )
    prices: dict[AwardId, tuple[CouncilKey, SpotPrice]] = field(
        default_factory=dict[AwardId, tuple[CouncilKey, SpotPrice]]
    )
    numbers: dict[tuple[CouncilKey, int], "count[int]"] = field(
        default_factory=dict[tuple[CouncilKey, int], "count[int]"]
    )
    views: InMemoryProjections = field(default_factory=InMemoryProjections)

    def hears_of(self, definition: FrameworkDefinition) -> None:
        """Takes in a published version of a framework."""
        event = FrameworkPublished(definition=definition)
        for view in (DEFINITIONS, DEFINITION_VERSIONS):
            self.views.hear(view, event, sequence=definition.version)


class InMemoryFrameworks:
    """The councils' frameworks, as views in memory hold them."""

    def __init__(self, views: InMemoryProjections) -> None:
        self._views = views

    async def newest(self, framework: FrameworkKey) -> FrameworkDefinition | None:
        known = await self._views.get(DEFINITIONS, framework)
        return None if known is None else known.event.definition


class InMemoryRates:
    """Selections in the ledger."""

    def __init__(self, ledger: Ledger, council: CouncilKey, now: datetime) -> None:
        self._ledger = ledger
        self._council = council
        self._now = now

    async def of(self, place: Place) -> tuple[Selection, ...]:
        return _selections(self._ledger.selections.get((self._council, place), ()))

    async def keep(self, place: Place, selection: Selection) -> None:
        kept = self._ledger.selections.get((self._council, place), [])
        others = [each for each in kept if each.selection.valid_from != selection.valid_from]
        listed = SelectionListed(uuid4(), place, selection, self._now)
        self._ledger.selections[self._council, place] = [*others, listed]


def _selections(listed: Iterable[SelectionListed]) -> tuple[Selection, ...]:
    selections: tuple[Selection, ...] = ()
    for each in listed:
        selections = with_selection(selections, each.selection)
    return selections


class InMemoryOrders:
    """Purchase orders in the ledger, which refuses what the database refuses."""

    def __init__(self, ledger: Ledger, council: CouncilKey) -> None:
        self._ledger = ledger
        self._council = council

    async def next_number(self, year: int) -> int:
        return next(self._ledger.numbers.setdefault((self._council, year), count(1)))

    async def of_placement(self, placement_id: PlacementId) -> PurchaseOrder | None:
        return next((each for _, each in self._ledger.orders.values() if each.placement_id == placement_id), None)

    async def add(self, order: PurchaseOrder) -> None:
        assert await self.of_placement(order.placement_id) is None, "one order of a placement"
        kept = [each for _, each in self._ledger.orders.values() if each.package_id == order.package_id]
        assert all(each.cancelled for each in kept), "one standing order of a package"
        self._ledger.orders[order.order_id] = (self._council, order)

    async def save(self, order: PurchaseOrder) -> None:
        council, kept = self._ledger.orders[order.order_id]
        self._ledger.orders[order.order_id] = (council, replace(kept, cancelled=order.cancelled))


class InMemorySpotPrices:
    """Prices above a ceiling in the ledger, which refuses what the database refuses."""

    def __init__(self, ledger: Ledger, council: CouncilKey) -> None:
        self._ledger = ledger
        self._council = council

    async def get(self, award_id: AwardId) -> SpotPrice | None:
        _, price = self._ledger.prices.get(award_id, (self._council, None))
        return price

    async def pending_of(self, package_id: PackageId) -> Sequence[SpotPrice]:
        of_package = (each for _, each in self._ledger.prices.values() if each.package_id == package_id)
        pending = (each for each in of_package if each.standing is Standing.PENDING)
        return sorted(pending, key=lambda each: (each.asked_at, each.award_id))

    async def add(self, price: SpotPrice) -> None:
        assert price.award_id not in self._ledger.prices, "an award is made once"
        self._ledger.prices[price.award_id] = (self._council, price)

    async def save(self, price: SpotPrice, *, before: SpotPrice) -> None:
        council, kept = self._ledger.prices[price.award_id]
        assert price.decision is before.decision or kept.decision is None, "one decision of an award"
        self._ledger.prices[price.award_id] = (council, price)


@dataclass
class InMemoryPricingWork(InMemoryUnitOfWork):
    """Pricing's unit of work in memory."""

    ledger: Ledger = field(default_factory=Ledger)

    @property
    def council(self) -> CouncilKey:
        return CouncilKey(self.cause.council)

    @property
    def frameworks(self) -> InMemoryFrameworks:
        return InMemoryFrameworks(self.ledger.views)

    @property
    def rates(self) -> InMemoryRates:
        return InMemoryRates(self.ledger, self.council, self.now)

    @property
    def orders(self) -> InMemoryOrders:
        return InMemoryOrders(self.ledger, self.council)

    @property
    def spot_prices(self) -> InMemorySpotPrices:
        return InMemorySpotPrices(self.ledger, self.council)


class InMemoryPricingQueries:
    """Questions about what is in the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def matrices_of(self, council: CouncilKey, framework: FrameworkKey | None) -> Sequence[FrameworkDefinition]:
        known = await self._ledger.views.get_by_prefix(
            DEFINITION_VERSIONS, "" if framework is None else f"{framework}/"
        )
        own = (each.event.definition for each in known if each.event.definition.council == council)
        return sorted(own, key=lambda each: (each.framework, -each.version))

    async def rates_of(self, place: Place, council: CouncilKey) -> Selected | None:
        kept = self._ledger.selections.get((council, place))
        return None if kept is None else Selected(place, _selections(kept))

    async def selections_of(
        self, council: CouncilKey, wanted: RatesWanted, *, after: Position, limit: int
    ) -> Sequence[SelectionListed]:
        found = [
            each
            for (of_council, place), kept in self._ledger.selections.items()
            for each in kept
            if of_council == council
            and wanted.provider_id in {None, place.provider_id}
            and wanted.framework in {None, place.framework}
            and wanted.area in {None, place.area}
        ]
        return _page(found, lambda each: (each.selected_at, each.selection_id), after=after, limit=limit)

    async def orders_of_package(self, package_id: PackageId, council: CouncilKey) -> Sequence[PurchaseOrder]:
        found = [each for each in self._orders(council) if each.package_id == package_id]
        return _page(found, _when_issued, after=None, limit=len(found))

    async def orders_of(
        self, council: CouncilKey, days: Days, *, after: Position, limit: int
    ) -> Sequence[PurchaseOrder]:
        found = [
            each
            for each in self._orders(council)
            if (days.first is None or days.first <= each.issued_on)
            and (days.last is None or each.issued_on <= days.last)
        ]
        return _page(found, _when_issued, after=after, limit=limit)

    def _orders(self, council: CouncilKey) -> list[PurchaseOrder]:
        return [each for of_council, each in self._ledger.orders.values() if of_council == council]

    async def spot_price(self, award_id: AwardId, council: CouncilKey) -> SpotPrice | None:
        of_council, price = self._ledger.prices.get(award_id, (None, None))
        return price if of_council == council else None

    async def spot_prices_of(
        self, council: CouncilKey, standing: Standing | None, *, after: Position, limit: int
    ) -> Sequence[SpotPrice]:
        found = [
            each
            for of_council, each in self._ledger.prices.values()
            if of_council == council and standing in {None, each.standing}
        ]
        return _page(found, lambda each: (each.asked_at, each.award_id), after=after, limit=limit)


def _when_issued(order: PurchaseOrder) -> tuple[datetime, UUID]:
    return order.issued_at, order.order_id


def _page(
    found: Iterable[ItemT], position: Callable[[ItemT], tuple[datetime, UUID]], *, after: Position, limit: int
) -> list[ItemT]:
    """The newest first, those behind `after` only."""
    newest_first = sorted(found, key=position, reverse=True)
    return [each for each in newest_first if after is None or position(each) < after][:limit]
