"""Routes of webhooks that a provider's endpoint did not accept: the provider reads them or has them sent again.

What was answered or has ended meanwhile stays so: a webhook that is sent again starts no clock and opens no offer.
"""

from uuid import UUID

from fastapi import APIRouter, Response

from contracts.ids import ProviderId
from provider_registry.api.callers import AdminOrProvider, Bus, Queries, build_stream_key, check_own
from provider_registry.domain.errors import ProviderNotFound
from provider_registry.ports import RegistryQueries
from service_runtime.http.auth import Caller
from service_runtime.http.commands import CommandBus
from service_runtime.http.paging import Cursor, Limit, Page, decode_cursor
from service_runtime.http.problems import describe_problems
from service_runtime.webhooks.message_api import (
    AcknowledgementIn,
    MessageCommands,
    MessageOut,
    ReplayIn,
    ReplayOut,
    build_message_page,
)

router = APIRouter(tags=["messages"])


@router.get("/v1/providers/{provider_id}/messages", response_model=Page[MessageOut], responses=describe_problems(404))
async def list_messages(
    provider_id: UUID, caller: AdminOrProvider, queries: Queries, cursor: Cursor = None, limit: Limit = 50
) -> Page[MessageOut]:
    """The webhooks that did not arrive and are not acknowledged, with their content, the oldest first."""
    await _check_access(provider_id, caller, queries)
    after = decode_cursor(cursor)
    found = await queries.list_kept_messages(ProviderId(provider_id), after=after, limit=limit + 1)
    return build_message_page(found, limit)


@router.post(
    "/v1/providers/{provider_id}/messages/acknowledgement",
    status_code=204,
    response_class=Response,
    responses=describe_problems(404, 409, 422),
)
async def acknowledge_messages(
    provider_id: UUID, body: AcknowledgementIn, caller: AdminOrProvider, queries: Queries, bus: Bus
) -> Response:
    """Take messages off the list after your system has handled them."""
    await _check_access(provider_id, caller, queries)
    return await _build_commands(provider_id, caller, bus).acknowledge(body)


@router.post(
    "/v1/providers/{provider_id}/messages/replay",
    status_code=202,
    response_model=ReplayOut,
    responses=describe_problems(404, 409, 422),
)
async def replay_messages(
    provider_id: UUID, body: ReplayIn, caller: AdminOrProvider, queries: Queries, bus: Bus
) -> Response:
    """Send all messages on the list since an instant again, with the same ids and bodies, signed anew."""
    await _check_access(provider_id, caller, queries)
    return await _build_commands(provider_id, caller, bus).replay_since(body)


@router.post(
    "/v1/providers/{provider_id}/messages/{webhook_id}/replay",
    status_code=202,
    response_model=ReplayOut,
    responses=describe_problems(404, 409),
)
async def replay_a_message(
    provider_id: UUID, webhook_id: UUID, caller: AdminOrProvider, queries: Queries, bus: Bus
) -> Response:
    """Send one webhook of the delivery log again, whether it arrived or not."""
    await _check_access(provider_id, caller, queries)
    return await _build_commands(provider_id, caller, bus).replay_one(webhook_id)


async def _check_access(provider_id: UUID, caller: Caller, queries: RegistryQueries) -> None:
    """Raises ProviderNotFound unless the caller is the provider or an administrator of its council."""
    check_own(ProviderId(provider_id), caller)
    if not await queries.has_provider(ProviderId(provider_id), council=caller.council):
        raise ProviderNotFound


def _build_commands(provider_id: UUID, caller: Caller, bus: CommandBus) -> MessageCommands:
    return MessageCommands(str(provider_id), build_stream_key(ProviderId(provider_id)), caller, bus)
