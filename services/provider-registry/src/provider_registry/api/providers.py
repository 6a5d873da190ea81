"""Routes of providers: registration, skills, spot areas, embargoes and capacity."""

from uuid import UUID, uuid4

from fastapi import APIRouter, Response

from contracts.events.providers import CapacityDeclared
from contracts.ids import ProviderId
from provider_registry.api.callers import (
    Admin,
    AdminOrProvider,
    AnyCaller,
    Bus,
    Queries,
    Staff,
    build_stream_key,
    check_own,
)
from provider_registry.api.provider_requests import (
    CapacityIn,
    EmbargoIn,
    ProfileIn,
    ProviderIn,
    SkillsIn,
    SpotAreasIn,
)
from provider_registry.api.provider_responses import (
    CapacityOut,
    ProviderDetails,
    ProviderListed,
    ProviderOut,
    respond_with_provider,
    to_capacity_out,
    to_provider_details,
    to_provider_item,
    to_provider_out,
)
from provider_registry.domain.errors import ProviderNotFound
from provider_registry.handlers.providers import (
    ChangeProfile,
    DeclareCapacity,
    RegisterProvider,
    RegistrationResult,
    SetEmbargo,
    SetSkills,
    SetSpotAreas,
    change_profile,
    declare_capacity,
    register_provider,
    set_embargo,
    set_skills,
    set_spot_areas,
)
from provider_registry.ports import DeclaredCapacity
from service_runtime.http.commands import json_response
from service_runtime.http.instants import Now
from service_runtime.http.paging import Cursor, Limit, Page, build_page, decode_cursor
from service_runtime.http.preconditions import IfMatch, check_etag, format_etag
from service_runtime.http.problems import describe_problems
from service_runtime.idempotency import StoredResponse

router = APIRouter(tags=["providers"])


@router.post(
    "/v1/providers",
    response_model=ProviderOut,
    status_code=201,
    responses={
        **describe_problems(409),
        200: {"model": ProviderOut, "description": "The provider was registered before with the same details"},
    },
)
async def post_provider(body: ProviderIn, caller: Admin, bus: Bus) -> Response:
    """Register a provider. With an id chosen by the caller the request is repeatable."""
    provider_id = ProviderId(body.provider_id or uuid4())
    command = RegisterProvider(provider_id, body.to_profile())
    return await bus.execute(
        command, register_provider, on=build_stream_key(provider_id), by=caller, respond=_respond_with_registration
    )


@router.get("/v1/providers", response_model=Page[ProviderListed], responses=describe_problems())
async def list_providers(
    caller: Staff, queries: Queries, cursor: Cursor = None, limit: Limit = 50
) -> Page[ProviderListed]:
    """Your council's providers, the newest first."""
    found = await queries.list_providers(caller.council, after=decode_cursor(cursor), limit=limit + 1)
    return build_page(found, limit, to_item=to_provider_item, position=lambda row: (row.registered_at, row.provider_id))


@router.get("/v1/providers/{provider_id}", response_model=ProviderDetails, responses=describe_problems(404))
async def show_provider(
    provider_id: UUID, caller: AnyCaller, queries: Queries, now: Now, response: Response
) -> ProviderDetails:
    """One provider, with its ETag; a provider sees only itself."""
    check_own(ProviderId(provider_id), caller)
    seen = await queries.find_provider(ProviderId(provider_id), council=caller.council, at=now)
    if seen is None:
        raise ProviderNotFound
    response.headers["ETag"] = format_etag(seen.provider.version)
    return to_provider_details(seen, at=now)


@router.put("/v1/providers/{provider_id}", response_model=ProviderOut, responses=describe_problems(404, 412, 428, 409))
async def put_provider(
    provider_id: UUID, body: ProfileIn, caller: Admin, bus: Bus, if_match: IfMatch = None
) -> Response:
    """Replace a provider's details. If-Match carries the ETag of the version that was read."""
    command = ChangeProfile(
        ProviderId(provider_id), body.to_profile(), expect=lambda version: check_etag(if_match, version=version)
    )
    stream = build_stream_key(command.provider_id)
    return await bus.execute(command, change_profile, on=stream, by=caller, respond=respond_with_provider)


@router.put("/v1/providers/{provider_id}/skills", response_model=ProviderOut, responses=describe_problems(404, 409))
async def put_skills(provider_id: UUID, body: SkillsIn, caller: Admin, bus: Bus) -> Response:
    """Set all specialist skills of a provider, each with its evidence and the days on which that counts."""
    command = SetSkills(ProviderId(provider_id), tuple(each.to_skill() for each in body.skills))
    stream = build_stream_key(command.provider_id)
    return await bus.execute(command, set_skills, on=stream, by=caller, respond=respond_with_provider)


@router.put(
    "/v1/providers/{provider_id}/spot-areas",
    response_model=ProviderOut,
    responses=describe_problems(404, 412, 428, 409),
)
async def put_spot_areas(
    provider_id: UUID, body: SpotAreasIn, caller: Admin, bus: Bus, if_match: IfMatch = None
) -> Response:
    """Set the areas served outside frameworks. If-Match carries the ETag of the version that was read."""
    command = SetSpotAreas(
        ProviderId(provider_id),
        tuple(body.areas),
        expect=lambda version: check_etag(if_match, version=version),
    )
    stream = build_stream_key(command.provider_id)
    return await bus.execute(command, set_spot_areas, on=stream, by=caller, respond=respond_with_provider)


@router.post("/v1/providers/{provider_id}/embargo", response_model=ProviderOut, responses=describe_problems(404, 409))
async def post_embargo(provider_id: UUID, body: EmbargoIn, caller: Admin, bus: Bus) -> Response:
    """Embargo a provider: it gets no new offers. A live offer stays; its acceptance is refused."""
    command = SetEmbargo(ProviderId(provider_id), body.reason)
    stream = build_stream_key(command.provider_id)
    return await bus.execute(command, set_embargo, on=stream, by=caller, respond=respond_with_provider)


@router.delete("/v1/providers/{provider_id}/embargo", response_model=ProviderOut, responses=describe_problems(404, 409))
async def delete_embargo(provider_id: UUID, caller: Admin, bus: Bus) -> Response:
    """Lift the provider's embargo, if there is one."""
    command = SetEmbargo(ProviderId(provider_id), None)
    stream = build_stream_key(command.provider_id)
    return await bus.execute(command, set_embargo, on=stream, by=caller, respond=respond_with_provider)


@router.post("/v1/providers/{provider_id}/capacity", response_model=CapacityOut, responses=describe_problems(404, 409))
async def post_capacity(provider_id: UUID, body: CapacityIn, caller: AdminOrProvider, bus: Bus) -> Response:
    """Declare the free hours a week in an area. Later placements reduce them."""
    check_own(ProviderId(provider_id), caller)
    command = DeclareCapacity(ProviderId(provider_id), body.area, body.free_hours)
    stream = build_stream_key(command.provider_id)
    return await bus.execute(command, declare_capacity, on=stream, by=caller, respond=_respond_with_capacity)


def _respond_with_registration(result: RegistrationResult) -> StoredResponse:
    provider = result.change.provider
    location = ("location", f"/v1/providers/{provider.provider_id}")
    tag = ("etag", format_etag(provider.version))
    return json_response(to_provider_out(result.change), status=201 if result.is_new else 200, headers=(location, tag))


def _respond_with_capacity(declared: CapacityDeclared) -> StoredResponse:
    return json_response(to_capacity_out(DeclaredCapacity(declared.area, declared.free_hours, declared.declared_at)))
