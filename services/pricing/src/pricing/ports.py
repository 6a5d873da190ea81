"""What pricing's handlers and routes call: the unit of work, the views they read, and questions about the money."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Protocol
from uuid import UUID

from contracts.events.frameworks import FrameworkPublished
from contracts.events.rates import Selection
from contracts.framework import FrameworkDefinition
from contracts.ids import AreaCode, AwardId, CouncilKey, FrameworkKey, PackageId, PlacementId, ProviderId
from pricing.domain.approvals import SpotPrice, Standing
from pricing.domain.orders import PurchaseOrder
from pricing.domain.rates import Place
from service_runtime.projections.projections import Projection
from service_runtime.unit_of_work.unit_of_work import UnitOfWork

DEFINITIONS: Final = Projection("definitions", (FrameworkPublished,), lambda event: event.key)
DEFINITION_VERSIONS: Final = Projection(
    "definition-versions", (FrameworkPublished,), lambda event: f"{event.key}/{event.definition.version}"
)

Position = tuple[datetime, UUID] | None
"""Where a page begins: after what happened then, and of several things after this one; None for the first page."""


class Frameworks(Protocol):
    """What has been published of the councils' frameworks."""

    async def newest(self, framework: FrameworkKey) -> FrameworkDefinition | None:
        """The version that was published last; None while none was heard of."""
        ...


class Rates(Protocol):
    """The selections of one provider for one area."""

    async def of(self, place: Place) -> tuple[Selection, ...]:
        """All of them, past ones too, the earliest day first."""
        ...

    async def keep(self, place: Place, selection: Selection) -> None:
        """Keeps a selection; one for the same day gives way to it."""
        ...


class Orders(Protocol):
    """Purchase orders by placement."""

    async def next_number(self, year: int) -> int:
        """The council's next number of `year`: never given twice, and lost where what drew it is rolled back."""
        ...

    async def of_placement(self, placement_id: PlacementId) -> PurchaseOrder | None: ...

    async def add(self, order: PurchaseOrder) -> None: ...

    async def save(self, order: PurchaseOrder) -> None:
        """Keeps whether the order is cancelled; nothing else of it ever changes."""
        ...


class SpotPrices(Protocol):
    """Prices above a ceiling, by award."""

    async def get(self, award_id: AwardId) -> SpotPrice | None: ...

    async def pending_of(self, package_id: PackageId) -> Sequence[SpotPrice]:
        """Those that wait for a second officer."""
        ...

    async def add(self, price: SpotPrice) -> None: ...

    async def save(self, price: SpotPrice, *, before: SpotPrice) -> None:
        """Keeps what it has more than `before`: the decision, one that came too late, or why it lapsed."""
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
class Selected:
    """What a provider has selected for one area, the earliest day first."""

    place: Place
    selections: tuple[Selection, ...]


@dataclass(frozen=True)
class SelectionListed:
    """One selection as one line of a list."""

    selection_id: UUID
    place: Place
    selection: Selection
    selected_at: datetime


@dataclass(frozen=True)
class RatesWanted:
    """Which selections of a council are asked for; None is all."""

    provider_id: ProviderId | None = None
    framework: FrameworkKey | None = None
    area: AreaCode | None = None


@dataclass(frozen=True)
class Days:
    """From a day to a day, both inclusive; None is open."""

    first: date | None = None
    last: date | None = None


class PricingQueries(Protocol):
    """Questions that change nothing."""

    async def matrices_of(self, council: CouncilKey, framework: FrameworkKey | None) -> Sequence[FrameworkDefinition]:
        """Every published version of the council's frameworks, or of one of them; of each the newest first."""
        ...

    async def rates_of(self, place: Place, council: CouncilKey) -> Selected | None:
        """None where nothing was ever selected."""
        ...

    async def selections_of(
        self, council: CouncilKey, wanted: RatesWanted, *, after: Position, limit: int
    ) -> Sequence[SelectionListed]:
        """A council's selections, the newest first."""
        ...

    async def orders_of_package(self, package_id: PackageId, council: CouncilKey) -> Sequence[PurchaseOrder]:
        """All orders of a package, cancelled ones too, the newest first."""
        ...

    async def orders_of(
        self, council: CouncilKey, days: Days, *, after: Position, limit: int
    ) -> Sequence[PurchaseOrder]:
        """A council's orders that were issued on these days, the newest first."""
        ...

    async def spot_price(self, award_id: AwardId, council: CouncilKey) -> SpotPrice | None: ...

    async def spot_prices_of(
        self, council: CouncilKey, standing: Standing | None, *, after: Position, limit: int
    ) -> Sequence[SpotPrice]:
        """A council's prices above a ceiling, the newest first."""
        ...
