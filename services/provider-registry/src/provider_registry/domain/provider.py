"""The provider: profile, branches, places in frameworks, and published state."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from contracts.events.providers import EligibilityChanged, EmbargoReason, Membership
from contracts.framework import FrameworkDefinition
from contracts.ids import AreaCode, BranchId, CouncilKey, FrameworkKey, ProviderId
from contracts.values import Channel, Rating, ServiceType, Tier


class BranchStatus(StrEnum):
    """Registration status of a branch with CQC. Dormant and deregistered branches still show old ratings."""

    ACTIVE = "active"
    DORMANT = "dormant"
    DEREGISTERED = "deregistered"


@dataclass(frozen=True)
class Branch:
    """One location in CQC's register; ratings belong to branches, not to providers."""

    branch_id: BranchId
    name: str
    outward_code: str
    domiciliary_care: bool
    """Registered for personal care as a domiciliary care service."""
    status: BranchStatus
    rating: Rating
    published_on: date | None

    @property
    def may_give_home_care(self) -> bool:
        return self.domiciliary_care and self.status is BranchStatus.ACTIVE


@dataclass(frozen=True, order=True)
class FrameworkPlace:
    """A place on a framework: one tier of one area."""

    framework: FrameworkKey
    area: AreaCode
    tier: Tier

    def __str__(self) -> str:
        return f"tier {int(self.tier)} of {self.area} in {self.framework}"


@dataclass(frozen=True)
class Profile:
    """A provider's own details from its registration."""

    name: str
    service_types: tuple[ServiceType, ...]
    turnover: Decimal | None
    """Pounds a year, from the accounts given as evidence."""
    phone: str = field(repr=False)
    """Number that officers call; a business contact that is never in an event, log or error."""


@dataclass(frozen=True)
class PublishedState:
    """The last published facts of a provider; only differences from them are published."""

    memberships: tuple[Membership, ...] | None = None
    service_types: tuple[ServiceType, ...] = ()
    channels: tuple[Channel, ...] | None = None
    spot_areas: tuple[AreaCode, ...] = ()
    rating: Rating = Rating.NOT_RATED

    @classmethod
    def from_event(cls, event: EligibilityChanged, *, channels: tuple[Channel, ...]) -> "PublishedState":
        return cls(event.memberships, event.service_types, channels, event.spot_areas, event.rating)

    def has_other_eligibility_than(self, known: "PublishedState") -> bool:
        return replace(self, channels=None) != replace(known, channels=None)


@dataclass(frozen=True)
class Provider:
    """A provider of one council's market. `version` counts its changes."""

    provider_id: ProviderId
    council: CouncilKey
    profile: Profile
    registered_at: datetime
    branches: tuple[Branch, ...] = ()
    places: tuple[FrameworkPlace, ...] = ()
    spot_areas: tuple[AreaCode, ...] = ()
    """Areas in which it takes packages outside frameworks, without tier, rank or cap."""
    embargo: EmbargoReason | None = None
    version: int = 1
    published: PublishedState = PublishedState()

    @property
    def best_rating(self) -> Rating:
        """The best rating of the branches that may give home care."""
        ratings = (branch.rating for branch in self.branches if branch.may_give_home_care)
        return max(ratings, key=lambda rating: rating.rank, default=Rating.NOT_RATED)

    def find_branch(self, branch_id: BranchId) -> Branch | None:
        return next((branch for branch in self.branches if branch.branch_id == branch_id), None)

    def add_or_replace_branch(self, branch: Branch) -> "Provider":
        """Returns the provider with `branch` added, or replaced if its id is known."""
        others = (each for each in self.branches if each.branch_id != branch.branch_id)
        return replace(self, branches=tuple(sorted((*others, branch), key=lambda each: each.branch_id)))

    def is_member_of(self, framework: FrameworkKey, area: AreaCode) -> bool:
        """Returns True for a place in the area in any tier."""
        return any((place.framework, place.area) == (framework, area) for place in self.places)

    def has_place_in(self, area: AreaCode) -> bool:
        return any(place.area == area for place in self.places)


Definitions = dict[FrameworkKey, FrameworkDefinition]
"""Newest definition by framework."""
