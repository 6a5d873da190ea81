"""Response bodies about providers."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, Field

from contracts.events.providers import EmbargoReason
from contracts.values import Channel, Hours, Money, PassOverReason, Rating, ServiceType
from provider_registry.domain.eligibility import Shortfall, find_shortfalls
from provider_registry.domain.provider import Branch, BranchStatus, Definitions, FrameworkPlace, Provider
from provider_registry.ports import DeclaredCapacity, ProviderSnapshot
from service_runtime.webhooks.endpoint_api import EndpointOut


class BranchOut(BaseModel):
    branch_id: UUID
    name: str
    outward_code: str
    domiciliary_care: bool
    status: BranchStatus
    rating: Rating
    published_on: date | None


class MembershipOut(BaseModel):
    """Eligibility of the provider in one place, and what it lacks."""

    framework: str
    area: str
    tier: int
    eligible: bool
    lacking: list[Shortfall]
    reasons: list[PassOverReason] = Field(description="reasons recorded when the provider is passed over")


class ProviderOut(BaseModel):
    """A provider with its branches and memberships."""

    provider_id: UUID
    name: str
    service_types: list[ServiceType]
    turnover: Money | None
    registered_at: datetime
    embargo: EmbargoReason | None
    channels: list[Channel] = Field(description="channels for offers, in order of use")
    rating: Rating = Field(description="the best of its branches that may give home care")
    branches: list[BranchOut]
    memberships: list[MembershipOut]
    spot_areas: list[str] = Field(description="areas in which it takes packages outside frameworks")


class CapacityOut(BaseModel):
    area: str
    free_hours: Hours
    declared_at: datetime


class ProviderDetails(ProviderOut):
    """Details for the council's staff and the provider itself."""

    phone: str = Field(description="office number for the officers' calls")
    capacity: list[CapacityOut]
    endpoint: EndpointOut | None


class ProviderListed(BaseModel):
    provider_id: UUID
    name: str
    service_types: list[ServiceType]
    registered_at: datetime
    embargoed: bool


def to_provider_item(provider: Provider) -> ProviderListed:
    return ProviderListed(
        provider_id=provider.provider_id,
        name=provider.profile.name,
        service_types=list(provider.profile.service_types),
        registered_at=provider.registered_at,
        embargoed=provider.embargo is not None,
    )


def to_provider_out(provider: Provider, definitions: Definitions) -> ProviderOut:
    return ProviderOut(
        provider_id=provider.provider_id,
        name=provider.profile.name,
        service_types=list(provider.profile.service_types),
        turnover=provider.profile.turnover,
        registered_at=provider.registered_at,
        embargo=provider.embargo,
        channels=list(provider.published.channels or ()),
        rating=provider.best_rating,
        branches=[_to_branch_out(each) for each in provider.branches],
        memberships=_to_memberships_out(provider, definitions),
        spot_areas=list(provider.spot_areas),
    )


def to_provider_details(snapshot: ProviderSnapshot) -> ProviderDetails:
    return ProviderDetails(
        **dict(to_provider_out(snapshot.provider, snapshot.definitions)),
        phone=snapshot.provider.profile.phone,
        capacity=[to_capacity_out(each) for each in snapshot.capacity],
        endpoint=None if snapshot.endpoint is None else EndpointOut.from_state(snapshot.endpoint),
    )


def _to_memberships_out(provider: Provider, definitions: Definitions) -> list[MembershipOut]:
    """Builds memberships from the published state, with what is lacking at present."""
    return [
        MembershipOut(
            framework=each.framework,
            area=each.area,
            tier=int(each.tier),
            eligible=each.eligible,
            lacking=list(
                find_shortfalls(
                    provider, FrameworkPlace(each.framework, each.area, each.tier), definitions.get(each.framework)
                )
            ),
            reasons=list(each.reasons),
        )
        for each in provider.published.memberships or ()
    ]


def _to_branch_out(branch: Branch) -> BranchOut:
    return BranchOut(
        branch_id=branch.branch_id,
        name=branch.name,
        outward_code=branch.outward_code,
        domiciliary_care=branch.domiciliary_care,
        status=branch.status,
        rating=branch.rating,
        published_on=branch.published_on,
    )


def to_capacity_out(capacity: DeclaredCapacity) -> CapacityOut:
    return CapacityOut(area=capacity.area, free_hours=capacity.free_hours, declared_at=capacity.declared_at)
