"""Webhook endpoints over HTTP: a secret is shown once, when it is made, and stored nowhere that it could be read."""

from typing import Final
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from contracts.ids import ProviderId
from provider_registry.api.callers import Admin, AdminOrProvider, Bus, build_stream_key, check_own
from provider_registry.handlers.providers import (
    DisableEndpoint,
    PutEndpoint,
    RotateSecret,
    disable_endpoint,
    put_endpoint,
    rotate_secret,
)
from service_runtime.http.commands import json_response
from service_runtime.http.problems import describe_problems
from service_runtime.idempotency import StoredResponse

router = APIRouter(tags=["endpoints"])

NO_CONTENT: Final = StoredResponse(204, b"")


class EndpointIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    url: str = Field(
        min_length=1,
        max_length=2048,
        pattern=r"^[^\x00-\x20\x7f]+$",
        description="https, on the public internet; any 2xx answer accepts a webhook",
    )


class SecretOut(BaseModel):
    """The secret that signs webhooks (Standard Webhooks 1.0); keep it, it is not shown again."""

    secret: str | None = Field(
        description="`whsec_…`; null where the endpoint has one already, and in the answer to a repeated request"
    )


@router.put("/v1/providers/{provider_id}/endpoint", response_model=SecretOut, responses=describe_problems(404, 409))
async def put_an_endpoint(provider_id: UUID, body: EndpointIn, caller: AdminOrProvider, do: Bus) -> Response:
    """Have offers sent to this URL from now on; an endpoint that was disabled is enabled again."""
    check_own(ProviderId(provider_id), caller)
    command = PutEndpoint(ProviderId(provider_id), body.url)
    return await do.execute(
        command,
        put_endpoint,
        on=build_stream_key(command.provider_id),
        by=caller,
        respond=_shown_once,
        stored=_not_shown,
    )


@router.post(
    "/v1/providers/{provider_id}/endpoint/rotation", response_model=SecretOut, responses=describe_problems(404, 409)
)
async def rotate_the_secret(provider_id: UUID, caller: AdminOrProvider, do: Bus) -> Response:
    """Get a new secret; for a day webhooks are signed with the old one too."""
    check_own(ProviderId(provider_id), caller)
    command = RotateSecret(ProviderId(provider_id))
    return await do.execute(
        command,
        rotate_secret,
        on=build_stream_key(command.provider_id),
        by=caller,
        respond=_shown_once,
        stored=_not_shown,
    )


@router.delete(
    "/v1/providers/{provider_id}/endpoint",
    status_code=204,
    response_class=Response,
    responses=describe_problems(404, 409),
)
async def disable_an_endpoint(provider_id: UUID, caller: Admin, do: Bus) -> Response:
    """Send nothing there any more; offers are made by telephone. A provider's own system answers 410 for this."""
    command = DisableEndpoint(ProviderId(provider_id))
    stream = build_stream_key(command.provider_id)
    return await do.execute(command, disable_endpoint, on=stream, by=caller, respond=_done)


def _shown_once(secret: str | None) -> StoredResponse:
    return json_response(SecretOut(secret=secret), headers=(("cache-control", "no-store"),))


def _not_shown(_: str | None) -> StoredResponse:
    return _shown_once(None)


def _done(_: None) -> StoredResponse:
    return NO_CONTENT
