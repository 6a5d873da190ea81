"""What is answered about a provider over HTTP."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, Field

from contracts.events.providers import EmbargoReason
from contracts.values import Channel, Hours, Money, PassOverReason, Rating, ServiceType
from provider_registry.domain.eligibility import Shortfall, shortfalls
from provider_registry.domain.provider import Branch, BranchStatus, Definitions, Place, Provider
from provider_registry.ports import DeclaredCapacity, EndpointSeen, ProviderSeen


class BranchOut(BaseModel):
    branch_id: UUID
    name: str
    outward_code: str
    domiciliary_care: bool
    status: BranchStatus
    rating: Rating
    published_on: date | None


class MembershipOut(BaseModel):
    """Whether the provider may be offered work in one place, and if not, what it lacks."""

    framework: str
    area: str
    tier: int
    eligible: bool
    lacking: list[Shortfall]
    reasons: list[PassOverReason] = Field(description="as the record names them when a turn goes by")


class ProviderOut(BaseModel):
    """A provider with its place in the market."""

    provider_id: UUID
    name: str
    service_types: list[ServiceType]
    turnover: Money | None
    registered_at: datetime
    embargo: EmbargoReason | None
    channels: list[Channel] = Field(description="how it hears of offers, the first one first")
    rating: Rating = Field(description="the best of its branches that may give home care")
    branches: list[BranchOut]
    memberships: list[MembershipOut]
    spot_areas: list[str] = Field(description="where it takes packages outside any framework")


class CapacityOut(BaseModel):
    area: str
    free_hours: Hours
    declared_at: datetime


class EndpointOut(BaseModel):
    url: str
    enabled: bool
    disabled_because: str | None


class ProviderDetails(ProviderOut):
    """What the council's staff and the provider itself see besides."""

    phone: str = Field(description="the office's number; for the officers' calls")
    capacity: list[CapacityOut]
    endpoint: EndpointOut | None


class ProviderListed(BaseModel):
    provider_id: UUID
    name: str
    service_types: list[ServiceType]
    registered_at: datetime
    embargoed: bool


def listed(providers: Sequence[Provider]) -> list[ProviderListed]:
    return [
        ProviderListed(
            provider_id=each.provider_id,
            name=each.profile.name,
            service_types=list(each.profile.service_types),
            registered_at=each.registered_at,
            embargoed=each.embargo is not None,
        )
        for each in providers
    ]


def provider_out(provider: Provider, definitions: Definitions) -> ProviderOut:
    return ProviderOut(
        provider_id=provider.provider_id,
        name=provider.profile.name,
        service_types=list(provider.profile.service_types),
        turnover=provider.profile.turnover,
        registered_at=provider.registered_at,
        embargo=provider.embargo,
        channels=list(provider.told.channels or ()),
        rating=provider.best_rating,
        branches=[_branch_out(each) for each in provider.branches],
        memberships=_memberships_out(provider, definitions),
        spot_areas=list(provider.spot_areas),
    )


def details_out(seen: ProviderSeen) -> ProviderDetails:
    return ProviderDetails(
        **dict(provider_out(seen.provider, seen.definitions)),
        phone=seen.provider.profile.phone,
        capacity=[capacity_out(each) for each in seen.capacity],
        endpoint=None if seen.endpoint is None else _endpoint_out(seen.endpoint),
    )


def _memberships_out(provider: Provider, definitions: Definitions) -> list[MembershipOut]:
    """As others were told; what exactly is lacking is for the provider and the officers only."""
    return [
        MembershipOut(
            framework=each.framework,
            area=each.area,
            tier=int(each.tier),
            eligible=each.eligible,
            lacking=list(
                shortfalls(provider, Place(each.framework, each.area, each.tier), definitions.get(each.framework))
            ),
            reasons=list(each.reasons),
        )
        for each in provider.told.memberships or ()
    ]


def _branch_out(branch: Branch) -> BranchOut:
    return BranchOut(
        branch_id=branch.branch_id,
        name=branch.name,
        outward_code=branch.outward_code,
        domiciliary_care=branch.domiciliary_care,
        status=branch.status,
        rating=branch.rating,
        published_on=branch.published_on,
    )


def capacity_out(capacity: DeclaredCapacity) -> CapacityOut:
    return CapacityOut(area=capacity.area, free_hours=capacity.free_hours, declared_at=capacity.declared_at)


def _endpoint_out(endpoint: EndpointSeen) -> EndpointOut:
    because = endpoint.disabled_because
    return EndpointOut(url=endpoint.url, enabled=because is None, disabled_because=because)
