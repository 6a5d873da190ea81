"""Providers over HTTP: registration, branches and ratings, places in frameworks, embargoes and capacity."""

from uuid import UUID, uuid4

from fastapi import APIRouter, Response

from contracts.events.providers import CapacityDeclared
from contracts.ids import AreaCode, ProviderId
from provider_registry.api.callers import Admin, AdminOrProvider, Anybody, Bus, Queries, Staff, check_own, stream_of
from provider_registry.api.provider_answers import (
    CapacityOut,
    ProviderDetails,
    ProviderListed,
    ProviderOut,
    capacity_out,
    details_out,
    listed,
    provider_out,
)
from provider_registry.api.provider_bodies import (
    BranchIn,
    CapacityIn,
    EmbargoIn,
    PlacesIn,
    ProfileIn,
    ProviderIn,
    SpotAreasIn,
)
from provider_registry.domain.errors import ProviderNotFound
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
from provider_registry.ports import DeclaredCapacity
from service_runtime.http.commands import json_response
from service_runtime.http.paging import Cursor, Limit, Page, cursor_at, position_of
from service_runtime.http.preconditions import IfMatch, check_etag, etag
from service_runtime.http.problems import problems
from service_runtime.idempotency import StoredResponse

router = APIRouter(tags=["providers"])


@router.post(
    "/v1/providers",
    response_model=ProviderOut,
    status_code=201,
    responses={**problems(409), 200: {"model": ProviderOut, "description": "It was registered so before"}},
)
async def register_a_provider(body: ProviderIn, caller: Admin, do: Bus) -> Response:
    """Register a provider. With an id of your own the same request can be repeated without harm."""
    provider_id = ProviderId(body.provider_id or uuid4())
    command = RegisterProvider(provider_id, body.profile())
    return await do.execute(
        command, register_provider, on=stream_of(provider_id), by=caller, respond=_tell_registration
    )


@router.get("/v1/providers", response_model=Page[ProviderListed], responses=problems())
async def list_providers(caller: Staff, ask: Queries, cursor: Cursor = None, limit: Limit = 50) -> Page[ProviderListed]:
    """Your council's providers, the newest first."""
    found = await ask.providers(caller.council, after=position_of(cursor), limit=limit + 1)
    page = found[:limit]
    following = cursor_at(page[-1].registered_at, page[-1].provider_id) if len(found) > limit else None
    return Page(items=listed(page), next=following)


@router.get("/v1/providers/{provider_id}", response_model=ProviderDetails, responses=problems(404))
async def show_provider(provider_id: UUID, caller: Anybody, ask: Queries, response: Response) -> ProviderDetails:
    """One provider, with its ETag; a provider sees only itself."""
    check_own(ProviderId(provider_id), caller)
    seen = await ask.provider(ProviderId(provider_id), council=caller.council)
    if seen is None:
        raise ProviderNotFound
    response.headers["ETag"] = etag(seen.provider.version)
    return details_out(seen)


@router.put("/v1/providers/{provider_id}", response_model=ProviderOut, responses=problems(404, 412, 428, 409))
async def change_provider(
    provider_id: UUID, body: ProfileIn, caller: Admin, do: Bus, if_match: IfMatch = None
) -> Response:
    """Change what a provider is; If-Match carries the ETag of what you have read."""
    command = ChangeProfile(
        ProviderId(provider_id), body.profile(), expect=lambda version: check_etag(if_match, version=version)
    )
    stream = stream_of(command.provider_id)
    return await do.execute(command, change_profile, on=stream, by=caller, respond=_tell_change)


@router.put(
    "/v1/providers/{provider_id}/branches/{branch_id}", response_model=ProviderOut, responses=problems(404, 409)
)
async def put_a_branch(provider_id: UUID, branch_id: UUID, body: BranchIn, caller: Admin, do: Bus) -> Response:
    """Add a branch, or replace what is known of it: its registration, and its rating as CQC writes it."""
    command = PutBranch(ProviderId(provider_id), body.branch(branch_id))
    stream = stream_of(command.provider_id)
    return await do.execute(command, put_branch, on=stream, by=caller, respond=_tell_change)


@router.put("/v1/providers/{provider_id}/memberships", response_model=ProviderOut, responses=problems(404, 409))
async def set_memberships(provider_id: UUID, body: PlacesIn, caller: Admin, do: Bus) -> Response:
    """Set all memberships of a provider. A tier of an area that is full refuses: 409 names it, nothing changes."""
    command = SetPlaces(ProviderId(provider_id), tuple(each.place() for each in body.memberships))
    stream = stream_of(command.provider_id)
    return await do.execute(command, set_places, on=stream, by=caller, respond=_tell_change)


@router.put(
    "/v1/providers/{provider_id}/spot-areas", response_model=ProviderOut, responses=problems(404, 412, 428, 409)
)
async def put_spot_areas(
    provider_id: UUID, body: SpotAreasIn, caller: Admin, do: Bus, if_match: IfMatch = None
) -> Response:
    """Set where a provider takes packages outside any framework; If-Match carries the ETag of what you have read."""
    command = SetSpotAreas(
        ProviderId(provider_id),
        tuple(map(AreaCode, body.areas)),
        expect=lambda version: check_etag(if_match, version=version),
    )
    stream = stream_of(command.provider_id)
    return await do.execute(command, set_spot_areas, on=stream, by=caller, respond=_tell_change)


@router.post("/v1/providers/{provider_id}/embargo", response_model=ProviderOut, responses=problems(404, 409))
async def embargo_a_provider(provider_id: UUID, body: EmbargoIn, caller: Admin, do: Bus) -> Response:
    """No new offers from now on. A live offer is not called back; its acceptance is refused."""
    command = SetEmbargo(ProviderId(provider_id), body.reason)
    stream = stream_of(command.provider_id)
    return await do.execute(command, set_embargo, on=stream, by=caller, respond=_tell_change)


@router.delete("/v1/providers/{provider_id}/embargo", response_model=ProviderOut, responses=problems(404, 409))
async def lift_an_embargo(provider_id: UUID, caller: Admin, do: Bus) -> Response:
    """The provider may be offered work again; where there is no embargo, nothing happens."""
    command = SetEmbargo(ProviderId(provider_id), None)
    stream = stream_of(command.provider_id)
    return await do.execute(command, set_embargo, on=stream, by=caller, respond=_tell_change)


@router.post("/v1/providers/{provider_id}/capacity", response_model=CapacityOut, responses=problems(404, 409))
async def declare_free_hours(provider_id: UUID, body: CapacityIn, caller: AdminOrProvider, do: Bus) -> Response:
    """Declare the hours a week that are free in an area now; what is placed from now on is taken off them."""
    check_own(ProviderId(provider_id), caller)
    command = DeclareCapacity(ProviderId(provider_id), AreaCode(body.area), body.free_hours)
    stream = stream_of(command.provider_id)
    return await do.execute(command, declare_capacity, on=stream, by=caller, respond=_tell_capacity)


def _tell_registration(result: Registered) -> StoredResponse:
    location = ("location", f"/v1/providers/{result.provider.provider_id}")
    tag = ("etag", etag(result.provider.version))
    body = provider_out(result.provider, result.definitions)
    return json_response(body, status=201 if result.is_new else 200, headers=(location, tag))


def _tell_change(result: Changed) -> StoredResponse:
    """Without the telephone number: answers are stored for repeats."""
    headers = (("etag", etag(result.provider.version)),)
    return json_response(provider_out(result.provider, result.definitions), headers=headers)


def _tell_capacity(declared: CapacityDeclared) -> StoredResponse:
    return json_response(capacity_out(DeclaredCapacity(declared.area, declared.free_hours, declared.declared_at)))
