"""Request bodies about providers, and their conversion to domain values."""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from contracts.events.providers import EmbargoReason
from contracts.ids import AreaCode, BranchId, FrameworkKey
from contracts.values import Hours, Money, ServiceType, Tier
from provider_registry.domain.provider import Branch, BranchStatus, FrameworkPlace, Profile
from provider_registry.domain.ratings import parse_rating


def _reject_duplicates(service_types: list[ServiceType]) -> list[ServiceType]:
    if len(set(service_types)) != len(service_types):
        message = "name each type of service once"
        raise ValueError(message)
    return service_types


Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
ServiceTypes = Annotated[
    list[ServiceType], Field(min_length=1, max_length=len(ServiceType)), AfterValidator(_reject_duplicates)
]


class ProfileIn(BaseModel):
    """A provider's details."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    service_types: ServiceTypes
    turnover: Money | None = Field(default=None, description="pounds a year, from the accounts given as evidence")
    phone: str = Field(
        pattern=r"^\+?[0-9][0-9 ()-]{5,23}$", description="the office's number, for the officers' call list"
    )

    def to_profile(self) -> Profile:
        return Profile(self.name, tuple(sorted(self.service_types)), self.turnover, self.phone)


class ProviderIn(ProfileIn):
    provider_id: UUID | None = Field(
        default=None, description="chosen by the caller to make an import repeatable; generated if omitted"
    )


class BranchIn(BaseModel):
    """One location of CQC's register; replaces the previous one."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    outward_code: str = Field(pattern=r"^[A-Z]{1,2}[0-9][A-Z0-9]?$", description="the first half of the postcode")
    domiciliary_care: bool = Field(
        description="registered for the activity Personal care with the service type Domiciliary care service"
    )
    status: BranchStatus = BranchStatus.ACTIVE
    rating: str | None = Field(
        default=None,
        max_length=100,
        description="the overall rating in CQC's words; any other text means not rated",
    )
    published_on: date | None = Field(default=None, description="when CQC published the rating")

    def to_branch(self, branch_id: UUID) -> Branch:
        return Branch(
            branch_id=BranchId(branch_id),
            name=self.name,
            outward_code=self.outward_code,
            domiciliary_care=self.domiciliary_care,
            status=self.status,
            rating=parse_rating(self.rating),
            published_on=self.published_on,
        )


class PlaceIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    framework: str = Field(pattern=r"^[a-z0-9-]{3,60}$")
    area: str = Field(pattern=r"^[A-Za-z0-9-]{2,32}$")
    tier: Tier

    def to_place(self) -> FrameworkPlace:
        return FrameworkPlace(FrameworkKey(self.framework), AreaCode(self.area), self.tier)


class PlacesIn(BaseModel):
    """All memberships of the provider; omitted ones end."""

    model_config = ConfigDict(extra="forbid")

    memberships: list[PlaceIn] = Field(max_length=500)


class SpotAreasIn(BaseModel):
    """All areas in which the provider takes packages outside frameworks; omitted ones end."""

    model_config = ConfigDict(extra="forbid")

    areas: list[Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{2,32}$")]] = Field(max_length=500)


class EmbargoIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: EmbargoReason


class CapacityIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    area: str = Field(pattern=r"^[A-Za-z0-9-]{2,32}$")
    free_hours: Hours = Field(description="free commissioned hours a week; a visit with two carers counts twice")
