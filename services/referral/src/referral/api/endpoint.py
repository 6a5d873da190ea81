"""Routes of a council's webhook endpoint, to which notifications about its referrals are sent.

The council is the owner and manages its own endpoint. Notifications are its only use, so that a change of the endpoint
has no further consequences and publishes no event.
"""

from fastapi import APIRouter, Response

from referral.api.callers import Bus, Queries, Writer
from referral.ports import COUNCILS, DISABLED_BY_COUNCIL
from service_runtime.http.auth import Caller
from service_runtime.http.commands import CommandBus
from service_runtime.http.problems import describe_problems
from service_runtime.unit_of_work.streams import StreamKey
from service_runtime.webhooks.endpoint_api import EndpointCommands, EndpointIn, EndpointOut, SecretOut
from service_runtime.webhooks.endpoints import EndpointNotFound

router = APIRouter(tags=["endpoint"])


@router.put("/v1/council/endpoint", response_model=SecretOut, responses=describe_problems(409))
async def put_the_endpoint(body: EndpointIn, caller: Writer, bus: Bus) -> Response:
    """Set the URL for notifications about your council's referrals; a disabled endpoint is enabled again."""
    return await _build_commands(caller, bus).put(body)


@router.get("/v1/council/endpoint", response_model=EndpointOut, responses=describe_problems(404))
async def show_the_endpoint(caller: Writer, queries: Queries) -> EndpointOut:
    """Your council's endpoint, and the reason if it is disabled."""
    state = await queries.find_endpoint(caller.council)
    if state is None:
        message = "your council has no webhook endpoint; register one by PUT"
        raise EndpointNotFound(message)
    return EndpointOut.from_state(state)


@router.post("/v1/council/endpoint/rotation", response_model=SecretOut, responses=describe_problems(404, 409))
async def rotate_the_secret(caller: Writer, bus: Bus) -> Response:
    """Create a new secret; webhooks are signed with the old ones too for a day each."""
    return await _build_commands(caller, bus).rotate_secret()


@router.delete(
    "/v1/council/endpoint/previous-secrets",
    status_code=204,
    response_class=Response,
    responses=describe_problems(404, 409),
)
async def delete_the_previous_secrets(caller: Writer, bus: Bus) -> Response:
    """Stop signing with old secrets at once, because one is known to others; the present secret stays."""
    return await _build_commands(caller, bus).delete_previous_secrets()


@router.delete("/v1/council/endpoint", status_code=204, response_class=Response, responses=describe_problems(409))
async def disable_the_endpoint(caller: Writer, bus: Bus) -> Response:
    """Disable the endpoint; referrals can be read at any time. An endpoint that answers 410 is disabled too."""
    return await _build_commands(caller, bus).disable(because=DISABLED_BY_COUNCIL)


def _build_commands(caller: Caller, bus: CommandBus) -> EndpointCommands:
    return EndpointCommands(caller.council, StreamKey(COUNCILS, caller.council), caller, bus)
