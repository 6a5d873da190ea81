"""A provider as values: what it is, its branches, its places in frameworks, and what others were told of it."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from contracts.events.providers import EligibilityChanged, EmbargoReason, Membership
from contracts.framework import FrameworkDefinition
from contracts.ids import AreaCode, BranchId, CouncilKey, FrameworkKey, ProviderId
from contracts.values import Channel, Rating, ServiceType, Tier


class BranchStatus(StrEnum):
    """Whether CQC lets a branch work; dormant and deregistered ones still show their old ratings."""

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
class Place:
    """One tier of one area of one framework, in which a provider is a member."""

    framework: FrameworkKey
    area: AreaCode
    tier: Tier

    def __str__(self) -> str:
        return f"tier {int(self.tier)} of {self.area} in {self.framework}"


@dataclass(frozen=True)
class Profile:
    """What a provider says of itself when it is registered."""

    name: str
    service_types: tuple[ServiceType, ...]
    turnover: Decimal | None
    """A year's, in pounds, by the accounts that were shown as evidence."""
    phone: str = field(repr=False)
    """Where officers call; a business contact that stands in no event, log or error."""


@dataclass(frozen=True)
class Told:
    """What was last published of a provider; only what differs from it is news."""

    memberships: tuple[Membership, ...] | None = None
    service_types: tuple[ServiceType, ...] = ()
    channels: tuple[Channel, ...] | None = None
    spot_areas: tuple[AreaCode, ...] = ()
    rating: Rating = Rating.NOT_RATED

    @classmethod
    def by(cls, event: EligibilityChanged, *, channels: tuple[Channel, ...]) -> "Told":
        return cls(event.memberships, event.service_types, channels, event.spot_areas, event.rating)

    def differs_in_eligibility_from(self, known: "Told") -> bool:
        return replace(self, channels=None) != replace(known, channels=None)


@dataclass(frozen=True)
class Provider:
    """A provider of one council's market. `version` counts its changes, `told` is what others know."""

    provider_id: ProviderId
    council: CouncilKey
    profile: Profile
    registered_at: datetime
    branches: tuple[Branch, ...] = ()
    places: tuple[Place, ...] = ()
    spot_areas: tuple[AreaCode, ...] = ()
    """Where it takes packages outside any framework: no tier, no rank, no cap."""
    embargo: EmbargoReason | None = None
    version: int = 1
    told: Told = Told()

    @property
    def best_rating(self) -> Rating:
        """Of its branches that may give home care; those that may not show ratings that mean nothing any more."""
        ratings = (branch.rating for branch in self.branches if branch.may_give_home_care)
        return max(ratings, key=lambda rating: rating.rank, default=Rating.NOT_RATED)

    def branch(self, branch_id: BranchId) -> Branch | None:
        return next((branch for branch in self.branches if branch.branch_id == branch_id), None)

    def with_branch(self, branch: Branch) -> "Provider":
        """With `branch` in the place of the one that has its id, or beside the others."""
        others = (each for each in self.branches if each.branch_id != branch.branch_id)
        return replace(self, branches=tuple(sorted((*others, branch), key=lambda each: each.branch_id)))

    def is_member_of(self, framework: FrameworkKey, area: AreaCode) -> bool:
        """In any tier."""
        return any((place.framework, place.area) == (framework, area) for place in self.places)

    def works_in(self, area: AreaCode) -> bool:
        return any(place.area == area for place in self.places)


Definitions = dict[FrameworkKey, FrameworkDefinition]
"""The newest definition of each framework that matters."""
