"""Read-only queries about rates, orders and spot prices."""

from collections.abc import Mapping, Sequence
from datetime import date

from contracts.framework.definition import FrameworkDefinition
from contracts.ids import AwardId, CouncilKey, FrameworkKey, PackageId
from pricing.domain.approvals import ApprovalStatus, SpotPrice
from pricing.domain.orders import PurchaseOrder
from pricing.domain.rates import RateScope
from pricing.ports import DEFINITION_VERSIONS, AreaSelections, DateRange, ListedSelection, Position, SelectionFilter
from pricing.store.orders import ORDERS_OF_COUNCIL, ORDERS_OF_PACKAGE, to_order
from pricing.store.rates import (
    SELECTIONS_OF_AREA,
    SELECTIONS_OF_COUNCIL,
    SELECTIONS_OF_DAY,
    to_listed_selection,
    to_scope_row,
    to_selection,
)
from pricing.store.spot_prices import SPOT_PRICE_OF_COUNCIL, SPOT_PRICES_OF_COUNCIL, to_spot_price
from service_runtime.postgres.database import Database
from service_runtime.projections.projections import ProjectionReader


class PostgresPricingQueries:
    """Pricing's queries on PostgreSQL. Each query runs in its own transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list_matrices(self, council: CouncilKey, framework: FrameworkKey | None) -> Sequence[FrameworkDefinition]:
        async with self._database.open_read_connection() as connection:
            known = await ProjectionReader(connection).get_by_prefix(
                DEFINITION_VERSIONS, "" if framework is None else f"{framework}/"
            )
        own = (each.event.definition for each in known if each.event.definition.council == council)
        return sorted(own, key=lambda each: (each.framework, -each.version))

    async def find_selections(self, scope: RateScope, council: CouncilKey) -> AreaSelections | None:
        rows = await self._database.find(SELECTIONS_OF_AREA, {**to_scope_row(scope), "council": council})
        return AreaSelections(scope, tuple(map(to_selection, rows))) if rows else None

    async def list_selections(
        self, council: CouncilKey, filters: SelectionFilter, *, after: Position, limit: int
    ) -> Sequence[ListedSelection]:
        arguments = {
            "council": council,
            "provider_id": filters.provider_id,
            "framework": filters.framework,
            "area": filters.area,
            **_build_page_arguments(after, limit),
        }
        rows = await self._database.find(SELECTIONS_OF_COUNCIL, arguments)
        return [to_listed_selection(each) for each in rows]

    async def list_current_selections(
        self, council: CouncilKey, framework: FrameworkKey, day: date
    ) -> Sequence[ListedSelection]:
        arguments = {"council": council, "framework": framework, "day": day}
        return [to_listed_selection(each) for each in await self._database.find(SELECTIONS_OF_DAY, arguments)]

    async def list_orders_of_package(self, package_id: PackageId, council: CouncilKey) -> Sequence[PurchaseOrder]:
        rows = await self._database.find(ORDERS_OF_PACKAGE, {"package_id": package_id, "council": council})
        return [to_order(each) for each in rows]

    async def list_orders(
        self, council: CouncilKey, days: DateRange, *, after: Position, limit: int
    ) -> Sequence[PurchaseOrder]:
        arguments = {"council": council, "first": days.first, "last": days.last, **_build_page_arguments(after, limit)}
        return [to_order(each) for each in await self._database.find(ORDERS_OF_COUNCIL, arguments)]

    async def find_spot_price(self, award_id: AwardId, council: CouncilKey) -> SpotPrice | None:
        rows = await self._database.find(SPOT_PRICE_OF_COUNCIL, {"award_id": award_id, "council": council})
        return to_spot_price(rows[0]) if rows else None

    async def list_spot_prices(
        self, council: CouncilKey, status: ApprovalStatus | None, *, after: Position, limit: int
    ) -> Sequence[SpotPrice]:
        arguments = {
            "council": council,
            "status": None if status is None else status.value,
            **_build_page_arguments(after, limit),
        }
        return [to_spot_price(each) for each in await self._database.find(SPOT_PRICES_OF_COUNCIL, arguments)]


def _build_page_arguments(after: Position, limit: int) -> Mapping[str, object]:
    at, row = after if after is not None else (None, None)
    return {"after_at": at, "after_id": row, "limit": limit}
