"""Questions about rates, orders and spot prices, each in a transaction of its own."""

from collections.abc import Mapping, Sequence

from contracts.framework import FrameworkDefinition
from contracts.ids import AwardId, CouncilKey, FrameworkKey, PackageId
from pricing.domain.approvals import SpotPrice, Standing
from pricing.domain.orders import PurchaseOrder
from pricing.domain.rates import Place
from pricing.ports import DEFINITION_VERSIONS, Days, Position, RatesWanted, Selected, SelectionListed
from pricing.store.orders import ORDERS_OF_COUNCIL, ORDERS_OF_PACKAGE, order_of
from pricing.store.rates import SELECTIONS_OF_COUNCIL, SELECTIONS_SEEN, place_of, place_row, selection_of
from pricing.store.spot_prices import SPOT_PRICE_SEEN, SPOT_PRICES_OF_COUNCIL, spot_price_of
from service_runtime.postgres.database import Database
from service_runtime.projections.projections import ProjectionReader


class PostgresPricingQueries:
    """Questions about the money, each in a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def matrices_of(self, council: CouncilKey, framework: FrameworkKey | None) -> Sequence[FrameworkDefinition]:
        async with self._database.read_connection() as connection:
            known = await ProjectionReader(connection).get_by_prefix(
                DEFINITION_VERSIONS, "" if framework is None else f"{framework}/"
            )
        own = (each.event.definition for each in known if each.event.definition.council == council)
        return sorted(own, key=lambda each: (each.framework, -each.version))

    async def rates_of(self, place: Place, council: CouncilKey) -> Selected | None:
        rows = await self._database.find(SELECTIONS_SEEN, {**place_row(place), "council": council})
        return Selected(place, tuple(map(selection_of, rows))) if rows else None

    async def selections_of(
        self, council: CouncilKey, wanted: RatesWanted, *, after: Position, limit: int
    ) -> Sequence[SelectionListed]:
        arguments = {
            "council": council,
            "provider_id": wanted.provider_id,
            "framework": wanted.framework,
            "area": wanted.area,
            **_page(after, limit),
        }
        rows = await self._database.find(SELECTIONS_OF_COUNCIL, arguments)
        return [
            SelectionListed(each.selection_id, place_of(each), selection_of(each), each.selected_at) for each in rows
        ]

    async def orders_of_package(self, package_id: PackageId, council: CouncilKey) -> Sequence[PurchaseOrder]:
        rows = await self._database.find(ORDERS_OF_PACKAGE, {"package_id": package_id, "council": council})
        return [order_of(each) for each in rows]

    async def orders_of(
        self, council: CouncilKey, days: Days, *, after: Position, limit: int
    ) -> Sequence[PurchaseOrder]:
        arguments = {"council": council, "first": days.first, "last": days.last, **_page(after, limit)}
        return [order_of(each) for each in await self._database.find(ORDERS_OF_COUNCIL, arguments)]

    async def spot_price(self, award_id: AwardId, council: CouncilKey) -> SpotPrice | None:
        rows = await self._database.find(SPOT_PRICE_SEEN, {"award_id": award_id, "council": council})
        return spot_price_of(rows[0]) if rows else None

    async def spot_prices_of(
        self, council: CouncilKey, standing: Standing | None, *, after: Position, limit: int
    ) -> Sequence[SpotPrice]:
        arguments = {
            "council": council,
            "standing": None if standing is None else standing.value,
            **_page(after, limit),
        }
        return [spot_price_of(each) for each in await self._database.find(SPOT_PRICES_OF_COUNCIL, arguments)]


def _page(after: Position, limit: int) -> Mapping[str, object]:
    at, row = after if after is not None else (None, None)
    return {"after_at": at, "after_id": row, "limit": limit}
