"""Routes of a provider's places: setting them, mobilising them, and requests that another officer approves."""

from uuid import UUID

from fastapi import APIRouter, Response

from contracts.ids import ProviderId
from provider_registry.api.callers import Admin, Bus, build_stream_key
from provider_registry.api.place_requests import PlaceKeyIn, PlaceKeysIn, PlacesIn, RequestedPlaceIn
from provider_registry.api.provider_responses import ProviderOut, respond_with_provider
from provider_registry.handlers.places import (
    ApprovePlace,
    MarkMobilised,
    RequestPlace,
    SetPlaces,
    approve_place,
    mark_mobilised,
    request_place,
    set_places,
)
from service_runtime.http.problems import describe_problems

router = APIRouter(tags=["places"])


@router.put("/v1/providers/{provider_id}/places", response_model=ProviderOut, responses=describe_problems(404, 409))
async def put_places(provider_id: UUID, body: PlacesIn, caller: Admin, bus: Bus) -> Response:
    """Set all places of a provider. If a place is full, 409 names it and nothing changes.

    States follow each other: applied, awarded, mobilising, active; an active place can be paused and resumed, and any
    can be left. A place of a closed framework begins on its first day, and one of a round when the round's places do.
    """
    command = SetPlaces(ProviderId(provider_id), tuple(each.to_asked_place() for each in body.places))
    stream = build_stream_key(command.provider_id)
    return await bus.execute(command, set_places, on=stream, by=caller, respond=respond_with_provider)


@router.post(
    "/v1/providers/{provider_id}/places/mobilised", response_model=ProviderOut, responses=describe_problems(404, 409)
)
async def post_mobilised(provider_id: UUID, body: PlaceKeysIn, caller: Admin, bus: Bus) -> Response:
    """Make mobilising places active, zone by zone. If one is not mobilising, 409 names it and nothing changes."""
    command = MarkMobilised(ProviderId(provider_id), tuple(each.to_place() for each in body.places))
    stream = build_stream_key(command.provider_id)
    return await bus.execute(command, mark_mobilised, on=stream, by=caller, respond=respond_with_provider)


@router.post(
    "/v1/providers/{provider_id}/places/requests", response_model=ProviderOut, responses=describe_problems(404, 409)
)
async def post_place_request(provider_id: UUID, body: RequestedPlaceIn, caller: Admin, bus: Bus) -> Response:
    """Request a variation of a closed framework, or an exception by which an interim provider takes new packages.

    The place counts as applied for until another officer approves it.
    """
    command = RequestPlace(ProviderId(provider_id), body.to_asked_place(), body.because)
    stream = build_stream_key(command.provider_id)
    return await bus.execute(command, request_place, on=stream, by=caller, respond=respond_with_provider)


@router.post(
    "/v1/providers/{provider_id}/places/approval", response_model=ProviderOut, responses=describe_problems(404, 409)
)
async def post_place_approval(provider_id: UUID, body: PlaceKeyIn, caller: Admin, bus: Bus) -> Response:
    """Approve a requested place. The officer who requested it gets 409."""
    command = ApprovePlace(ProviderId(provider_id), body.to_place())
    stream = build_stream_key(command.provider_id)
    return await bus.execute(command, approve_place, on=stream, by=caller, respond=respond_with_provider)
