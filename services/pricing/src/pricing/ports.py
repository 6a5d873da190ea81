"""Ports of pricing: the unit of work, its repositories, the projections and the queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Protocol
from uuid import UUID

from contracts.events.frameworks import FrameworkPublished
from contracts.events.rates import Selection
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import AreaCode, AwardId, CouncilKey, FrameworkKey, PackageId, PlacementId, ProviderId
from pricing.domain.approvals import ApprovalStatus, SpotPrice
from pricing.domain.orders import PurchaseOrder
from pricing.domain.rates import RateScope
from service_runtime.projections.projections import Projection
from service_runtime.unit_of_work.unit_of_work import UnitOfWork

DEFINITIONS: Final = Projection("definitions", (FrameworkPublished,), lambda event: event.key)
DEFINITION_VERSIONS: Final = Projection(
    "definition-versions", (FrameworkPublished,), lambda event: f"{event.key}/{event.definition.version}"
)

Position = tuple[datetime, UUID] | None
"""Start of a page: the instant and id of the previous page's last row; None for the first page."""


class Frameworks(Protocol):
    """The published frameworks of all councils."""

    async def find_latest(self, framework: FrameworkKey) -> FrameworkDefinition | None:
        """Returns the latest published version, or None if no version has arrived."""
        ...


class Rates(Protocol):
    """The selections of one provider for one area."""

    async def list_selections(self, scope: RateScope) -> tuple[Selection, ...]:
        """Returns all selections, including past ones, earliest day first."""
        ...

    async def save_selection(self, scope: RateScope, selection: Selection) -> None:
        """Saves a selection. It replaces an earlier one for the same day."""
        ...


class Orders(Protocol):
    """Purchase orders by placement."""

    async def draw_number(self, year: int) -> int:
        """Returns the council's next number of `year`. It is never reused, even if the transaction is rolled back."""
        ...

    async def find_by_placement(self, placement_id: PlacementId) -> PurchaseOrder | None: ...

    async def add(self, order: PurchaseOrder) -> None: ...

    async def save(self, order: PurchaseOrder) -> None:
        """Saves the cancellation of the order. Its other fields never change."""
        ...


class SpotPrices(Protocol):
    """Prices above a ceiling, by award, and the frameworks of the packages on the Available Packages list."""

    async def save_listing(self, package_id: PackageId, framework: FrameworkKey) -> None: ...

    async def find_framework(self, package_id: PackageId) -> FrameworkKey | None:
        """Returns the framework under which the package was listed; None if it never was."""
        ...

    async def get(self, award_id: AwardId) -> SpotPrice | None: ...

    async def list_pending(self, package_id: PackageId) -> Sequence[SpotPrice]:
        """Returns the prices that wait for a second officer."""
        ...

    async def add(self, price: SpotPrice) -> None: ...

    async def save(self, price: SpotPrice, *, before: SpotPrice) -> None:
        """Saves what changed since `before`: the decision, a late decision, or the reason of the lapse."""
        ...


class PricingWork(UnitOfWork, Protocol):
    """Pricing's unit of work."""

    @property
    def frameworks(self) -> Frameworks: ...
    @property
    def rates(self) -> Rates: ...
    @property
    def orders(self) -> Orders: ...
    @property
    def spot_prices(self) -> SpotPrices: ...


@dataclass(frozen=True)
class AreaSelections:
    """All selections of a provider for one area, earliest day first."""

    scope: RateScope
    selections: tuple[Selection, ...]


@dataclass(frozen=True)
class ListedSelection:
    """One selection in a list, with its scope."""

    selection_id: UUID
    scope: RateScope
    selection: Selection
    selected_at: datetime


@dataclass(frozen=True)
class SelectionFilter:
    """Filter for a council's selections. A field that is None does not restrict."""

    provider_id: ProviderId | None = None
    framework: FrameworkKey | None = None
    area: AreaCode | None = None


@dataclass(frozen=True)
class DateRange:
    """Range of days, inclusive at both ends. None leaves an end open."""

    first: date | None = None
    last: date | None = None


class PricingQueries(Protocol):
    """Read-only queries of pricing."""

    async def list_matrices(self, council: CouncilKey, framework: FrameworkKey | None) -> Sequence[FrameworkDefinition]:
        """Returns every published version of the council's frameworks, or of `framework`, newest version first."""
        ...

    async def find_selections(self, scope: RateScope, council: CouncilKey) -> AreaSelections | None:
        """Returns the selections of a scope, or None if there are none."""
        ...

    async def list_selections(
        self, council: CouncilKey, filters: SelectionFilter, *, after: Position, limit: int
    ) -> Sequence[ListedSelection]:
        """Returns a council's selections, newest first."""
        ...

    async def list_current_selections(
        self, council: CouncilKey, framework: FrameworkKey, day: date
    ) -> Sequence[ListedSelection]:
        """Returns of each provider and area the selection that is valid on `day`, newest first."""
        ...

    async def list_orders_of_package(self, package_id: PackageId, council: CouncilKey) -> Sequence[PurchaseOrder]:
        """Returns all orders of a package, including cancelled ones, newest first."""
        ...

    async def list_orders(
        self, council: CouncilKey, days: DateRange, *, after: Position, limit: int
    ) -> Sequence[PurchaseOrder]:
        """Returns a council's orders issued on these days, newest first."""
        ...

    async def find_spot_price(self, award_id: AwardId, council: CouncilKey) -> SpotPrice | None: ...

    async def list_spot_prices(
        self, council: CouncilKey, status: ApprovalStatus | None, *, after: Position, limit: int
    ) -> Sequence[SpotPrice]:
        """Returns a council's prices above a ceiling, newest first."""
        ...
