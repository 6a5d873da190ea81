"""Providers over HTTP: registration, branches and ratings, places in frameworks, embargoes and capacity."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from contracts.events.providers import CapacityDeclared, EmbargoReason
from contracts.ids import AreaCode, BranchId, FrameworkKey, ProviderId
from contracts.values import Channel, Hours, Money, PassOverReason, Rating, ServiceType, Tier
from provider_registry.api.callers import Admin, AdminOrProvider, Anybody, Ask, Do, Staff, check_own, stream_of
from provider_registry.domain.eligibility import Shortfall, shortfalls
from provider_registry.domain.errors import ProviderNotFound
from provider_registry.domain.provider import Branch, BranchStatus, Definitions, Place, Profile, Provider
from provider_registry.domain.ratings import rating_in
from provider_registry.handlers.providers import (
    Changed,
    ChangeProfile,
    DeclareCapacity,
    PutBranch,
    Registered,
    RegisterProvider,
    SetEmbargo,
    SetPlaces,
    SetSpotAreas,
    change_profile,
    declare_capacity,
    put_branch,
    register_provider,
    set_embargo,
    set_places,
    set_spot_areas,
)
from provider_registry.ports import DeclaredCapacity, EndpointSeen, ProviderSeen
from service_runtime.claims import Answer
from service_runtime.http.commands import answered
from service_runtime.http.paging import Cursor, Limit, Page, cursor_at, position_of
from service_runtime.http.preconditions import IfMatch, check_seen, etag
from service_runtime.http.problems import problems

router = APIRouter(tags=["providers"])


def _once_each(service_types: list[ServiceType]) -> list[ServiceType]:
    if len(set(service_types)) != len(service_types):
        message = "name each type of service once"
        raise ValueError(message)
    return service_types


Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
ServiceTypes = Annotated[
    list[ServiceType], Field(min_length=1, max_length=len(ServiceType)), AfterValidator(_once_each)
]


class ProfileIn(BaseModel):
    """What a provider is, as far as the council needs to know."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    service_types: ServiceTypes
    turnover: Money | None = Field(default=None, description="a year's, in pounds, by the accounts shown as evidence")
    phone: str = Field(
        pattern=r"^\+?[0-9][0-9 ()-]{5,23}$", description="the office's number, for the officers' call list"
    )

    def profile(self) -> Profile:
        return Profile(self.name, tuple(sorted(self.service_types)), self.turnover, self.phone)


class ProviderIn(ProfileIn):
    provider_id: UUID | None = Field(
        default=None, description="chosen by the caller, so that an import can be repeated; else one is made"
    )


class BranchIn(BaseModel):
    """One location of CQC's register; it is put whole."""

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
        description="the overall rating in CQC's words; words that are none mean not rated",
    )
    published_on: date | None = Field(default=None, description="when CQC published the rating")

    def branch(self, branch_id: UUID) -> Branch:
        return Branch(
            branch_id=BranchId(branch_id),
            name=self.name,
            outward_code=self.outward_code,
            domiciliary_care=self.domiciliary_care,
            status=self.status,
            rating=rating_in(self.rating),
            published_on=self.published_on,
        )


class PlaceIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    framework: str = Field(pattern=r"^[a-z0-9-]{3,60}$")
    area: str = Field(pattern=r"^[A-Za-z0-9-]{2,32}$")
    tier: Tier

    def place(self) -> Place:
        return Place(FrameworkKey(self.framework), AreaCode(self.area), self.tier)


class PlacesIn(BaseModel):
    """All memberships of the provider; those that are left out end."""

    model_config = ConfigDict(extra="forbid")

    memberships: list[PlaceIn] = Field(max_length=500)


class SpotAreasIn(BaseModel):
    """All areas in which the provider takes packages outside any framework; those that are left out end."""

    model_config = ConfigDict(extra="forbid")

    areas: list[Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{2,32}$")]] = Field(max_length=500)


class EmbargoIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: EmbargoReason


class CapacityIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    area: str = Field(pattern=r"^[A-Za-z0-9-]{2,32}$")
    free_hours: Hours = Field(description="commissioned hours a week that are free now: two carers count twice")


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


@router.post(
    "/v1/providers",
    response_model=ProviderOut,
    status_code=201,
    responses={**problems(409), 200: {"model": ProviderOut, "description": "It was registered so before"}},
)
async def register_a_provider(body: ProviderIn, caller: Admin, do: Do) -> Response:
    """Register a provider. With an id of your own the same request can be repeated without harm."""
    provider_id = ProviderId(body.provider_id or uuid4())
    command = RegisterProvider(provider_id, body.profile())
    return await do.carry_out(
        command, register_provider, on=stream_of(provider_id), by=caller, answer=_tell_registration
    )


@router.get("/v1/providers", response_model=Page[ProviderListed], responses=problems())
async def list_providers(caller: Staff, ask: Ask, cursor: Cursor = None, limit: Limit = 50) -> Page[ProviderListed]:
    """Your council's providers, the newest first."""
    found = await ask.providers(caller.council, after=position_of(cursor), limit=limit + 1)
    page = found[:limit]
    following = cursor_at(page[-1].registered_at, page[-1].provider_id) if len(found) > limit else None
    return Page(items=_listed(page), next=following)


@router.get("/v1/providers/{provider_id}", response_model=ProviderDetails, responses=problems(404))
async def show_provider(provider_id: UUID, caller: Anybody, ask: Ask, response: Response) -> ProviderDetails:
    """One provider, with its ETag; a provider sees only itself."""
    check_own(ProviderId(provider_id), caller)
    seen = await ask.provider(ProviderId(provider_id), council=caller.council)
    if seen is None:
        raise ProviderNotFound
    response.headers["ETag"] = etag(seen.provider.version)
    return _details_out(seen)


@router.put("/v1/providers/{provider_id}", response_model=ProviderOut, responses=problems(404, 412, 428, 409))
async def change_provider(
    provider_id: UUID, body: ProfileIn, caller: Admin, do: Do, if_match: IfMatch = None
) -> Response:
    """Change what a provider is; If-Match carries the ETag of what you have read."""
    command = ChangeProfile(
        ProviderId(provider_id), body.profile(), expect=lambda version: check_seen(if_match, version=version)
    )
    stream = stream_of(command.provider_id)
    return await do.carry_out(command, change_profile, on=stream, by=caller, answer=_tell_change)


@router.put(
    "/v1/providers/{provider_id}/branches/{branch_id}", response_model=ProviderOut, responses=problems(404, 409)
)
async def put_a_branch(provider_id: UUID, branch_id: UUID, body: BranchIn, caller: Admin, do: Do) -> Response:
    """Add a branch, or replace what is known of it: its registration, and its rating as CQC writes it."""
    command = PutBranch(ProviderId(provider_id), body.branch(branch_id))
    stream = stream_of(command.provider_id)
    return await do.carry_out(command, put_branch, on=stream, by=caller, answer=_tell_change)


@router.put("/v1/providers/{provider_id}/memberships", response_model=ProviderOut, responses=problems(404, 409))
async def set_memberships(provider_id: UUID, body: PlacesIn, caller: Admin, do: Do) -> Response:
    """Set all memberships of a provider. A tier of an area that is full refuses: 409 names it, nothing changes."""
    command = SetPlaces(ProviderId(provider_id), tuple(each.place() for each in body.memberships))
    stream = stream_of(command.provider_id)
    return await do.carry_out(command, set_places, on=stream, by=caller, answer=_tell_change)


@router.put(
    "/v1/providers/{provider_id}/spot-areas", response_model=ProviderOut, responses=problems(404, 412, 428, 409)
)
async def put_spot_areas(
    provider_id: UUID, body: SpotAreasIn, caller: Admin, do: Do, if_match: IfMatch = None
) -> Response:
    """Set where a provider takes packages outside any framework; If-Match carries the ETag of what you have read."""
    command = SetSpotAreas(
        ProviderId(provider_id),
        tuple(map(AreaCode, body.areas)),
        expect=lambda version: check_seen(if_match, version=version),
    )
    stream = stream_of(command.provider_id)
    return await do.carry_out(command, set_spot_areas, on=stream, by=caller, answer=_tell_change)


@router.post("/v1/providers/{provider_id}/embargo", response_model=ProviderOut, responses=problems(404, 409))
async def embargo_a_provider(provider_id: UUID, body: EmbargoIn, caller: Admin, do: Do) -> Response:
    """No new offers from now on. A live offer is not called back; its acceptance is refused."""
    command = SetEmbargo(ProviderId(provider_id), body.reason)
    stream = stream_of(command.provider_id)
    return await do.carry_out(command, set_embargo, on=stream, by=caller, answer=_tell_change)


@router.delete("/v1/providers/{provider_id}/embargo", response_model=ProviderOut, responses=problems(404, 409))
async def lift_an_embargo(provider_id: UUID, caller: Admin, do: Do) -> Response:
    """The provider may be offered work again; where there is no embargo, nothing happens."""
    command = SetEmbargo(ProviderId(provider_id), None)
    stream = stream_of(command.provider_id)
    return await do.carry_out(command, set_embargo, on=stream, by=caller, answer=_tell_change)


@router.post("/v1/providers/{provider_id}/capacity", response_model=CapacityOut, responses=problems(404, 409))
async def declare_free_hours(provider_id: UUID, body: CapacityIn, caller: AdminOrProvider, do: Do) -> Response:
    """Declare the hours a week that are free in an area now; what is placed from now on is taken off them."""
    check_own(ProviderId(provider_id), caller)
    command = DeclareCapacity(ProviderId(provider_id), AreaCode(body.area), body.free_hours)
    stream = stream_of(command.provider_id)
    return await do.carry_out(command, declare_capacity, on=stream, by=caller, answer=_tell_capacity)


def _tell_registration(result: Registered) -> Answer:
    location = ("location", f"/v1/providers/{result.provider.provider_id}")
    tag = ("etag", etag(result.provider.version))
    body = _provider_out(result.provider, result.definitions)
    return answered(body, status=201 if result.is_new else 200, headers=(location, tag))


def _tell_change(result: Changed) -> Answer:
    """Without the telephone number: answers are stored for repeats."""
    headers = (("etag", etag(result.provider.version)),)
    return answered(_provider_out(result.provider, result.definitions), headers=headers)


def _tell_capacity(declared: CapacityDeclared) -> Answer:
    return answered(_capacity_out(DeclaredCapacity(declared.area, declared.free_hours, declared.declared_at)))


def _listed(providers: Sequence[Provider]) -> list[ProviderListed]:
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


def _provider_out(provider: Provider, definitions: Definitions) -> ProviderOut:
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


def _details_out(seen: ProviderSeen) -> ProviderDetails:
    return ProviderDetails(
        **dict(_provider_out(seen.provider, seen.definitions)),
        phone=seen.provider.profile.phone,
        capacity=[_capacity_out(each) for each in seen.capacity],
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


def _capacity_out(capacity: DeclaredCapacity) -> CapacityOut:
    return CapacityOut(area=capacity.area, free_hours=capacity.free_hours, declared_at=capacity.declared_at)


def _endpoint_out(endpoint: EndpointSeen) -> EndpointOut:
    because = endpoint.disabled_because
    return EndpointOut(url=endpoint.url, enabled=because is None, disabled_because=because)
