"""The status of every package, computed from its events, and counts by status and stage."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from contracts.events.base import Event, PackageEvent
from contracts.events.listings import PackageListed
from contracts.events.offers import OfferDeclined, OfferExpired, OfferMade, OfferWithdrawn
from contracts.events.packages import PackageRequested, PackageWithdrawn, WithdrawalRequested
from contracts.events.providers import ProviderRegistered
from contracts.events.searches import (
    PackagePlaced,
    PlacementVoided,
    SourcingExhausted,
    SourcingHeld,
    SourcingStarted,
    SourcingStopped,
    StageEntered,
)

BEGINNING_OF_TIME: Final = datetime.min.replace(tzinfo=UTC)


class PackageStatus(StrEnum):
    """The status of a package, in the usual order."""

    REQUESTED = "requested"
    HELD = "held"
    SEARCHING = "searching"
    OFFERED = "offered"
    OPEN = "open to all"
    PLACED = "placed"
    EXHAUSTED = "exhausted"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class TrackedPackage:
    """One package, computed from its events."""

    package_id: UUID
    status: PackageStatus = PackageStatus.REQUESTED
    area: str = ""
    stage: str = ""
    offers: int = 0
    provider_id: UUID | None = None
    since: datetime | None = None

    def apply(self, event: PackageEvent, at: datetime) -> "TrackedPackage":
        match event:
            case PackageRequested(care=care):
                return replace(self, area=care.area, since=at)
            case StageEntered(stage=stage):
                return replace(self, stage=stage, since=at)
            case PackageListed(stage=stage):
                return replace(self, status=PackageStatus.OPEN, stage=stage, provider_id=None, since=at)
            case OfferMade(provider_id=provider):
                return replace(
                    self, status=PackageStatus.OFFERED, provider_id=provider, offers=self.offers + 1, since=at
                )
            case PackagePlaced(provider_id=provider):
                return replace(self, status=PackageStatus.PLACED, provider_id=provider, since=at)
            case _:
                status = _find_status_after(event)
                return self if status is None else replace(self, status=status, provider_id=None, since=at)


def _find_status_after(event: PackageEvent) -> PackageStatus | None:
    match event:
        case SourcingHeld():
            return PackageStatus.HELD
        case SourcingStarted() | OfferDeclined() | OfferExpired() | OfferWithdrawn():
            return PackageStatus.SEARCHING
        case SourcingExhausted():
            return PackageStatus.EXHAUSTED
        case SourcingStopped() | PlacementVoided() | PackageWithdrawn() | WithdrawalRequested():
            return PackageStatus.WITHDRAWN
        case _:
            return None


@dataclass
class PackageTracker:
    """All packages. Events of different packages can be applied in any order, those of one package in their own.

    `declines` counts the declines at `declines_since` or later.
    """

    declines_since: datetime = BEGINNING_OF_TIME
    packages: dict[UUID, TrackedPackage] = field(default_factory=dict[UUID, TrackedPackage])
    names: dict[UUID, str] = field(default_factory=dict[UUID, str])
    declines: int = 0

    def apply(self, event: Event, at: datetime) -> None:
        if isinstance(event, ProviderRegistered):
            self.names[event.provider_id] = event.name
        if isinstance(event, PackageEvent):
            known = self.packages.get(event.package_id, TrackedPackage(event.package_id))
            self.packages[event.package_id] = known.apply(event, at)
            self.declines += isinstance(event, OfferDeclined) and at >= self.declines_since

    def clear(self) -> None:
        """Deletes all state, to read the topics from the beginning."""
        self.packages.clear()
        self.names.clear()
        self.declines = 0

    def count_by_status(self, only: Iterable[UUID] | None = None) -> Mapping[PackageStatus, int]:
        """The number of packages of each status, zeros included; of all packages, or of those in `only`."""
        chosen = (
            self.packages.values() if only is None else [self.packages[key] for key in only if key in self.packages]
        )
        counted = Counter(package.status for package in chosen)
        return {place: counted[place] for place in PackageStatus}

    def count_by_stage(self) -> Mapping[str, int]:
        """The number of packages without a provider, by stage."""
        open_ones = (PackageStatus.OFFERED, PackageStatus.SEARCHING, PackageStatus.OPEN)
        return Counter(package.stage for package in self.packages.values() if package.status in open_ones)

    def find_last_placed(self, count: int) -> list[TrackedPackage]:
        placed = [
            package for package in self.packages.values() if package.status is PackageStatus.PLACED and package.since
        ]
        return sorted(placed, key=lambda package: package.since or BEGINNING_OF_TIME, reverse=True)[:count]

    def get_provider_name(self, provider_id: UUID | None) -> str:
        return "" if provider_id is None else self.names.get(provider_id, str(provider_id))
