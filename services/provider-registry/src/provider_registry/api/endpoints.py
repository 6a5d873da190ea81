"""Routes of providers' webhook endpoints, to which offers are sent.

The provider is the owner. Unlike a council's endpoint, this one is a channel for offers: a change of it changes the
provider's channels, which are published, and only the council's staff may disable it. It is read with the provider.
"""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from contracts.ids import ProviderId
from provider_registry.api.callers import (
    Admin,
    AdminOrProvider,
    Bus,
    Queries,
    Staff,
    build_stream_key,
    check_own,
)
from provider_registry.handlers.channels import (
    delete_previous_provider_secrets,
    disable_provider_endpoint,
    put_provider_endpoint,
    rotate_provider_secret,
)
from provider_registry.ports import DISABLED_BY_OFFICER
from service_runtime.http.auth import Caller
from service_runtime.http.commands import CommandBus
from service_runtime.http.problems import describe_problems
from service_runtime.webhooks.endpoint_api import EndpointCommands, EndpointIn, SecretOut

router = APIRouter(tags=["endpoints"])


@router.put("/v1/providers/{provider_id}/endpoint", response_model=SecretOut, responses=describe_problems(404, 409))
async def put_an_endpoint(provider_id: UUID, body: EndpointIn, caller: AdminOrProvider, bus: Bus) -> Response:
    """Set the URL for offers; a disabled endpoint is enabled again."""
    check_own(ProviderId(provider_id), caller)
    return await _build_commands(provider_id, caller, bus).put(body, put_provider_endpoint)


@router.post(
    "/v1/providers/{provider_id}/endpoint/rotation", response_model=SecretOut, responses=describe_problems(404, 409)
)
async def rotate_the_secret(provider_id: UUID, caller: AdminOrProvider, bus: Bus) -> Response:
    """Create a new secret; webhooks are signed with the old ones too for a day each."""
    check_own(ProviderId(provider_id), caller)
    return await _build_commands(provider_id, caller, bus).rotate_secret(rotate_provider_secret)


@router.delete(
    "/v1/providers/{provider_id}/endpoint/previous-secrets",
    status_code=204,
    response_class=Response,
    responses=describe_problems(404, 409),
)
async def delete_the_previous_secrets(provider_id: UUID, caller: AdminOrProvider, bus: Bus) -> Response:
    """Stop signing with old secrets at once, because one is known to others; the present secret stays."""
    check_own(ProviderId(provider_id), caller)
    return await _build_commands(provider_id, caller, bus).delete_previous_secrets(delete_previous_provider_secrets)


@router.delete(
    "/v1/providers/{provider_id}/endpoint",
    status_code=204,
    response_class=Response,
    responses=describe_problems(404, 409),
)
async def disable_an_endpoint(provider_id: UUID, caller: Admin, bus: Bus) -> Response:
    """Disable the endpoint; offers use the provider's other channels. An endpoint that answers 410 is disabled too."""
    commands = _build_commands(provider_id, caller, bus)
    return await commands.disable(because=DISABLED_BY_OFFICER, handler=disable_provider_endpoint)


class FailingEndpointOut(BaseModel):
    """An endpoint that accepts nothing: its provider gets offers by other channels, or soon will."""

    provider_id: UUID
    name: str
    phone: str = Field(description="office number for the officers' calls")
    failing_since: datetime | None = Field(description="null if it answered 410 before it failed for long")
    disabled_because: str | None = Field(description="null until it is disabled")


@router.get("/v1/failing-endpoints", response_model=list[FailingEndpointOut], responses=describe_problems())
async def list_failing_endpoints(caller: Staff, queries: Queries) -> list[FailingEndpointOut]:
    """The endpoints of your council's providers that fail for a day or longer, or were disabled for it or by a 410."""
    found = await queries.list_failing_endpoints(caller.council)
    return [
        FailingEndpointOut(
            provider_id=each.provider_id,
            name=each.name,
            phone=each.phone,
            failing_since=each.failing_since,
            disabled_because=each.disabled_because,
        )
        for each in found
    ]


def _build_commands(provider_id: UUID, caller: Caller, bus: CommandBus) -> EndpointCommands:
    return EndpointCommands(str(provider_id), build_stream_key(ProviderId(provider_id)), caller, bus)
