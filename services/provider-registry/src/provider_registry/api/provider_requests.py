"""Request bodies about providers, and their conversion to domain values."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from contracts.events.providers import EmbargoReason
from contracts.ids import BranchId
from contracts.values import ServiceType
from provider_registry.domain.provider import Branch, BranchStatus, FrameworkPlace, Profile
from provider_registry.domain.ratings import parse_rating
from service_runtime.http.text_fields import (
    AreaName,
    Day,
    FrameworkName,
    OutwardName,
    PhoneNumber,
    Pounds,
    RequestBody,
    ShortText,
    TierNumber,
    Uuid,
    WeeklyHours,
    YesOrNo,
)
from service_runtime.http.text_rules import TextRule


def _reject_duplicates(service_types: list[ServiceType]) -> list[ServiceType]:
    if len(set(service_types)) != len(service_types):
        message = "name each type of service once"
        raise ValueError(message)
    return service_types


ServiceTypes = Annotated[
    list[ServiceType], Field(min_length=1, max_length=len(ServiceType)), AfterValidator(_reject_duplicates)
]


class ProfileIn(RequestBody):
    """A provider's details."""

    name: ShortText
    service_types: ServiceTypes
    turnover: Pounds | None = Field(default=None, description="pounds a year, from the accounts given as evidence")
    phone: PhoneNumber = Field(description="the office's number, for the officers' call list")

    def to_profile(self) -> Profile:
        return Profile(self.name, tuple(sorted(self.service_types)), self.turnover, self.phone)


class ProviderIn(ProfileIn):
    provider_id: Uuid | None = Field(
        default=None, description="chosen by the caller to make an import repeatable; generated if omitted"
    )


class BranchIn(RequestBody):
    """One location of CQC's register; replaces the previous one."""

    name: ShortText
    outward_code: OutwardName = Field(description="the first half of the postcode")
    domiciliary_care: YesOrNo = Field(
        description="registered for the activity Personal care with the service type Domiciliary care service"
    )
    status: BranchStatus = BranchStatus.ACTIVE
    rating: Annotated[str, StringConstraints(max_length=100), BeforeValidator(TextRule(100, min_length=0))] | None = (
        Field(
            default=None,
            description="the overall rating in CQC's words; any other text means not rated",
        )
    )
    published_on: Day | None = Field(default=None, description="when CQC published the rating")

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


class PlaceIn(RequestBody):
    framework: FrameworkName
    area: AreaName
    tier: TierNumber

    def to_place(self) -> FrameworkPlace:
        return FrameworkPlace(self.framework, self.area, self.tier)


class PlacesIn(RequestBody):
    """All memberships of the provider; omitted ones end."""

    memberships: list[PlaceIn] = Field(max_length=500)


class SpotAreasIn(RequestBody):
    """All areas in which the provider takes packages outside frameworks; omitted ones end."""

    areas: list[AreaName] = Field(max_length=500)


class EmbargoIn(RequestBody):
    reason: EmbargoReason


class CapacityIn(RequestBody):
    area: AreaName
    free_hours: WeeklyHours = Field(description="free commissioned hours a week; a visit with two carers counts twice")
