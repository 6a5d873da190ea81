"""What stands where: every package as far as its events have told, counted for the one who watches."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from contracts.events.base import Event, PackageEvent
from contracts.events.listings import PackageListed
from contracts.events.packages import (
    OfferDeclined,
    OfferExpired,
    OfferMade,
    OfferWithdrawn,
    PackagePlaced,
    PackageRequested,
    PackageWithdrawn,
    PlacementVoided,
    SourcingExhausted,
    SourcingHeld,
    SourcingStarted,
    SourcingStopped,
    StageEntered,
    WithdrawalRequested,
)
from contracts.events.providers import ProviderRegistered

LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


class Place(StrEnum):
    """Where a package stands, in the order in which it gets there."""

    REQUESTED = "requested"
    HELD = "held"
    SEARCHING = "searching"
    OFFERED = "offered"
    OPEN = "open to all"
    PLACED = "placed"
    EXHAUSTED = "exhausted"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Package:
    """One package, folded from its events."""

    package_id: UUID
    place: Place = Place.REQUESTED
    area: str = ""
    stage: str = ""
    offers: int = 0
    provider_id: UUID | None = None
    since: datetime | None = None

    def after(self, event: PackageEvent, at: datetime) -> "Package":
        match event:
            case PackageRequested(care=care):
                return replace(self, area=care.area, since=at)
            case StageEntered(stage=stage):
                return replace(self, stage=stage, since=at)
            case PackageListed(stage=stage):
                return replace(self, place=Place.OPEN, stage=stage, provider_id=None, since=at)
            case OfferMade(provider_id=provider):
                return replace(self, place=Place.OFFERED, provider_id=provider, offers=self.offers + 1, since=at)
            case PackagePlaced(provider_id=provider):
                return replace(self, place=Place.PLACED, provider_id=provider, since=at)
            case _:
                place = _place_after(event)
                return self if place is None else replace(self, place=place, provider_id=None, since=at)


def _place_after(event: PackageEvent) -> Place | None:
    match event:
        case SourcingHeld():
            return Place.HELD
        case SourcingStarted() | OfferDeclined() | OfferExpired() | OfferWithdrawn():
            return Place.SEARCHING
        case SourcingExhausted():
            return Place.EXHAUSTED
        case SourcingStopped() | PlacementVoided() | PackageWithdrawn() | WithdrawalRequested():
            return Place.WITHDRAWN
        case _:
            return None


@dataclass
class Standing:
    """All packages; it takes in events in whatever order the topics give them, each package's in its own order.

    Of the declines those are counted that were said at `declines_since` or later.
    """

    declines_since: datetime = LONG_AGO
    packages: dict[UUID, Package] = field(default_factory=dict[UUID, Package])
    names: dict[UUID, str] = field(default_factory=dict[UUID, str])
    declines: int = 0

    def take_in(self, event: Event, at: datetime) -> None:
        if isinstance(event, ProviderRegistered):
            self.names[event.provider_id] = event.name
        if isinstance(event, PackageEvent):
            known = self.packages.get(event.package_id, Package(event.package_id))
            self.packages[event.package_id] = known.after(event, at)
            self.declines += isinstance(event, OfferDeclined) and at >= self.declines_since

    def forget(self) -> None:
        """As if nothing had been read yet."""
        self.packages.clear()
        self.names.clear()
        self.declines = 0

    def by_place(self, only: Iterable[UUID] | None = None) -> Mapping[Place, int]:
        """How many packages stand at each place; none left out, so that a zero is seen too."""
        chosen = (
            self.packages.values() if only is None else [self.packages[key] for key in only if key in self.packages]
        )
        counted = Counter(package.place for package in chosen)
        return {place: counted[place] for place in Place}

    def by_stage(self) -> Mapping[str, int]:
        """How many packages are being offered or searched for, by stage."""
        open_ones = (Place.OFFERED, Place.SEARCHING, Place.OPEN)
        return Counter(package.stage for package in self.packages.values() if package.place in open_ones)

    def last_placed(self, count: int) -> list[Package]:
        placed = [package for package in self.packages.values() if package.place is Place.PLACED and package.since]
        return sorted(placed, key=lambda package: package.since or LONG_AGO, reverse=True)[:count]

    def name_of(self, provider_id: UUID | None) -> str:
        return "" if provider_id is None else self.names.get(provider_id, str(provider_id))
