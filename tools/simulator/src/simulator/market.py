"""An invented market of one council: its providers with their places and rates, and its ranked lists."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid5

from contracts.ids import ItemKey, LotKey, ServiceTypeKey, TierKey
from contracts.values import Rating

ID_NAMESPACE: Final = UUID("0197a3c0-5eed-7000-8000-000000000000")
"""Ids are derived from council and name, so that a repeated registration changes nothing."""
TREE_NAMES: Final = (
    "Alder",
    "Birch",
    "Cedar",
    "Elm",
    "Hazel",
    "Juniper",
    "Larch",
    "Maple",
    "Oak",
    "Rowan",
    "Willow",
    "Yew",
)


class ProviderCondition(StrEnum):
    """A condition that affects how a provider can be used."""

    ORDINARY = "ordinary"
    BY_PHONE = "has no system and is telephoned"
    FULL = "has declared no capacity"
    EMBARGOED = "is embargoed"


@dataclass(frozen=True)
class InventedPlace:
    """A place on the framework. `number` is the provider's turn where the framework numbers its providers."""

    lot: LotKey
    area: str
    tier: TierKey
    joined_on: date
    service_types: tuple[ServiceTypeKey, ...] = ()
    """Empty: all of the lot."""
    number: int | None = None


@dataclass(frozen=True)
class InventedRate:
    """A provider's rate of one line of the matrix: the number of a rate, or a rate of its own in pounds."""

    service_type: ServiceTypeKey
    item: ItemKey | None = None
    number: int | None = None
    rate: Decimal | None = None


@dataclass(frozen=True)
class InventedProvider:
    """One provider. Without places it sells on the spot market of its `spot_areas` only."""

    council: str
    number: int
    name: str
    outward_code: str
    """The outward code of the provider's office, which is all that is published."""
    places: tuple[InventedPlace, ...]
    spot_areas: tuple[str, ...]
    rating: Rating
    turnover: int
    condition: ProviderCondition
    free_hours: int
    rates: Mapping[str, tuple[InventedRate, ...]] = field(default_factory=dict[str, tuple[InventedRate, ...]])
    """By area; empty where the framework sets the rates."""

    @property
    def provider_id(self) -> UUID:
        return uuid5(ID_NAMESPACE, f"{self.council}/{self.name}")

    @property
    def branch_id(self) -> UUID:
        return uuid5(ID_NAMESPACE, f"{self.council}/{self.name}/branch")

    @property
    def tier(self) -> TierKey | None:
        """The tier of the first place; None outside the framework."""
        return self.places[0].tier if self.places else None

    @property
    def areas(self) -> tuple[str, ...]:
        """The areas of the places, else those of the spot market."""
        return tuple(dict.fromkeys(place.area for place in self.places)) or self.spot_areas

    @property
    def has_system(self) -> bool:
        return self.condition is not ProviderCondition.BY_PHONE


@dataclass(frozen=True)
class RankedList:
    """The order in which providers of a lot, area and tier receive offers."""

    lot: LotKey
    area: str
    tier: TierKey
    ranking: tuple[UUID, ...]


@dataclass(frozen=True)
class InventedMarket:
    """The market of one council's framework. There are ranked lists only where a stage goes by them."""

    council: str
    framework: str
    live_from: date
    """The first day of the ranked lists."""
    providers: tuple[InventedProvider, ...]
    lists: tuple[RankedList, ...] = ()
    checks_location: bool = False
    """True where a tier's entry depends on where a branch lies, so that an officer records it."""
