"""A council's webhook endpoint over HTTP: where its own system hears what becomes of its referrals.

A secret is shown once, when it is made, and stored nowhere that it could be read.
"""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from contracts.ids import CouncilKey
from referral.handlers import (
    DisableEndpoint,
    PutEndpoint,
    RotateSecret,
    disable_endpoint,
    put_endpoint,
    rotate_secret,
)
from referral.ports import ReferralQueries
from service_runtime.http.app import inject
from service_runtime.http.auth import Caller, require_scopes
from service_runtime.http.commands import CommandBus, command_bus, json_response
from service_runtime.http.problems import describe_problems
from service_runtime.idempotency import StoredResponse
from service_runtime.unit_of_work.streams import StreamKey
from service_runtime.webhooks.endpoints import EndpointNotFound

router = APIRouter(tags=["endpoint"])

COUNCILS: Final = "councils"
"""Commands about one council happen one at a time; nothing is published there."""
NO_CONTENT: Final = StoredResponse(204, b"")

Writer = Annotated[Caller, Depends(require_scopes("referrals:write"))]
Queries = Annotated[ReferralQueries, inject(ReferralQueries)]
Bus = Annotated[CommandBus, Depends(command_bus)]


class EndpointIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    url: str = Field(
        min_length=1,
        max_length=2048,
        pattern=r"^[^\x00-\x20\x7f]+$",
        description="https, on the public internet; any 2xx answer accepts a webhook",
    )


class EndpointOut(BaseModel):
    url: str
    enabled: bool
    disabled_because: str | None


class SecretOut(BaseModel):
    """The secret that signs webhooks (Standard Webhooks 1.0); keep it, it is not shown again."""

    secret: str | None = Field(
        description="`whsec_…`; null where the endpoint has one already, and in the answer to a repeated request"
    )


@router.put("/v1/council/endpoint", response_model=SecretOut, responses=describe_problems(409))
async def put_the_endpoint(body: EndpointIn, caller: Writer, do: Bus) -> Response:
    """Have news of your council's referrals sent to this URL from now on; a disabled endpoint is enabled again."""
    command = PutEndpoint(caller.council, body.url)
    return await do.execute(
        command,
        put_endpoint,
        on=_build_stream_key(caller.council),
        by=caller,
        respond=_respond_with_secret,
        stored=_respond_without_secret,
    )


@router.get("/v1/council/endpoint", response_model=EndpointOut, responses=describe_problems(404))
async def show_the_endpoint(caller: Writer, ask: Queries) -> EndpointOut:
    """Where news of your council's referrals goes, and why it does not, where that is so."""
    seen = await ask.find_endpoint(caller.council)
    if seen is None:
        message = "your council has no webhook endpoint; register one by PUT"
        raise EndpointNotFound(message)
    return EndpointOut(url=seen.url, enabled=seen.disabled_because is None, disabled_because=seen.disabled_because)


@router.post("/v1/council/endpoint/rotation", response_model=SecretOut, responses=describe_problems(404, 409))
async def rotate_the_secret(caller: Writer, do: Bus) -> Response:
    """Get a new secret; for a day webhooks are signed with the old one too."""
    return await do.execute(
        RotateSecret(caller.council),
        rotate_secret,
        on=_build_stream_key(caller.council),
        by=caller,
        respond=_respond_with_secret,
        stored=_respond_without_secret,
    )


@router.delete("/v1/council/endpoint", status_code=204, response_class=Response, responses=describe_problems(409))
async def disable_the_endpoint(caller: Writer, do: Bus) -> Response:
    """Send nothing there any more; referrals can be asked for at any time. Your own system may answer 410 for this."""
    command = DisableEndpoint(caller.council)
    return await do.execute(
        command, disable_endpoint, on=_build_stream_key(caller.council), by=caller, respond=_respond_no_content
    )


def _build_stream_key(council: CouncilKey) -> StreamKey:
    return StreamKey(COUNCILS, council)


def _respond_with_secret(secret: str | None) -> StoredResponse:
    return json_response(SecretOut(secret=secret), headers=(("cache-control", "no-store"),))


def _respond_without_secret(_: str | None) -> StoredResponse:
    return _respond_with_secret(None)


def _respond_no_content(_: None) -> StoredResponse:
    return NO_CONTENT
