"""The provider: profile, branches, places on frameworks, skills, and published state."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from contracts.events.providers import EligibilityChanged, EmbargoReason, Place
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import AreaCode, BranchId, CouncilKey, FrameworkKey, LotKey, NeedKey, ProviderId
from contracts.values import Channel, PlaceState, Rating
from provider_registry.domain.places import FrameworkPlace, ProviderPlace
from provider_registry.domain.ratings import NO_RATINGS, RatingHistory
from provider_registry.domain.skills import SkillEvidence


class BranchStatus(StrEnum):
    """Registration status of a branch with CQC. Dormant and deregistered branches still show old ratings."""

    ACTIVE = "active"
    DORMANT = "dormant"
    DEREGISTERED = "deregistered"


@dataclass(frozen=True)
class LocationFinding:
    """An officer's finding where a branch lies: within a framework's boundary, or so many miles outside it."""

    framework: FrameworkKey
    within: bool
    miles: Decimal
    """As the crow flies; 0 within the boundary."""
    found_by: str
    found_at: datetime


@dataclass(frozen=True)
class Branch:
    """One location in CQC's register; ratings belong to branches, not to providers."""

    branch_id: BranchId
    name: str
    outward_code: str
    domiciliary_care: bool
    """Registered for personal care as a domiciliary care service."""
    status: BranchStatus
    ratings: RatingHistory = NO_RATINGS
    findings: tuple[LocationFinding, ...] = ()
    """In the order of recording."""

    @property
    def may_give_home_care(self) -> bool:
        return self.domiciliary_care and self.status is BranchStatus.ACTIVE

    def find_location(self, framework: FrameworkKey, at: datetime) -> LocationFinding | None:
        """Returns the framework's newest finding that was recorded until `at`."""
        found = (each for each in reversed(self.findings) if each.framework == framework and each.found_at <= at)
        return next(found, None)


@dataclass(frozen=True)
class Profile:
    """A provider's own details from its registration."""

    name: str
    turnover: Decimal | None
    """Pounds a year."""
    turnover_evidence: str | None
    """The accounts that show the turnover."""
    phone: str = field(repr=False)
    """Number that officers call; a business contact that is never in an event, log or error."""


@dataclass(frozen=True)
class PublishedState:
    """The last published facts of a provider; only differences from them are published."""

    places: tuple[Place, ...] | None = None
    skills: tuple[NeedKey, ...] = ()
    channels: tuple[Channel, ...] | None = None
    spot_areas: tuple[AreaCode, ...] = ()
    rating: Rating = Rating.NOT_RATED

    @classmethod
    def from_event(cls, event: EligibilityChanged, *, channels: tuple[Channel, ...]) -> "PublishedState":
        return cls(event.places, event.skills, channels, event.spot_areas, event.rating)

    def has_other_eligibility_than(self, known: "PublishedState") -> bool:
        return replace(self, channels=None) != replace(known, channels=None)

    def is_active_in(self, framework: FrameworkKey, lot: LotKey, area: AreaCode) -> bool:
        """Returns whether it is published with an active place in the area, in any tier."""
        return any(
            (each.framework, each.lot, each.area, each.state) == (framework, lot, area, PlaceState.ACTIVE)
            for each in self.places or ()
        )


@dataclass(frozen=True)
class Provider:
    """A provider of one council's market. `version` counts its changes."""

    provider_id: ProviderId
    council: CouncilKey
    profile: Profile
    registered_at: datetime
    branches: tuple[Branch, ...] = ()
    places: tuple[ProviderPlace, ...] = ()
    skills: tuple[SkillEvidence, ...] = ()
    spot_areas: tuple[AreaCode, ...] = ()
    """Areas in which it takes packages outside frameworks, without tier, rank or cap."""
    embargo: EmbargoReason | None = None
    version: int = 1
    published: PublishedState = PublishedState()

    def get_best_rating(self, on: date) -> Rating:
        """Returns the best overall rating of the branches that may give home care."""
        ratings = (branch.ratings.get_rating(None, on) for branch in self.branches if branch.may_give_home_care)
        return max(ratings, key=lambda rating: rating.rank, default=Rating.NOT_RATED)

    def find_branch(self, branch_id: BranchId) -> Branch | None:
        return next((branch for branch in self.branches if branch.branch_id == branch_id), None)

    def add_or_replace_branch(self, branch: Branch) -> "Provider":
        """Returns the provider with `branch` added, or replaced if its id is known."""
        others = (each for each in self.branches if each.branch_id != branch.branch_id)
        return replace(self, branches=tuple(sorted((*others, branch), key=lambda each: each.branch_id)))

    def find_place(self, place: FrameworkPlace) -> ProviderPlace | None:
        return next((each for each in self.places if each.place == place), None)

    def add_or_replace_place(self, place: ProviderPlace) -> "Provider":
        """Returns the provider with `place` added, or replaced if it has a place there."""
        others = (each for each in self.places if each.place != place.place)
        return replace(self, places=sort_places((*others, place)))

    def has_place_in(self, area: AreaCode) -> bool:
        return any(each.place.area == area for each in self.places)


def sort_places(places: tuple[ProviderPlace, ...]) -> tuple[ProviderPlace, ...]:
    return tuple(sorted(places, key=lambda each: each.place))


Definitions = dict[FrameworkKey, FrameworkDefinition]
"""The definition in force by framework."""
