"""Routes of notifications that a council's endpoint did not accept: the council reads them or has them sent again."""

from uuid import UUID

from fastapi import APIRouter, Response

from referral.api.callers import Bus, Queries, Writer
from referral.ports import COUNCILS
from service_runtime.http.auth import Caller
from service_runtime.http.commands import CommandBus
from service_runtime.http.paging import Cursor, Limit, Page, decode_cursor
from service_runtime.http.problems import describe_problems
from service_runtime.unit_of_work.streams import StreamKey
from service_runtime.webhooks.message_api import (
    AcknowledgementIn,
    MessageCommands,
    MessageOut,
    ReplayIn,
    ReplayOut,
    build_message_page,
)

router = APIRouter(tags=["messages"])


@router.get("/v1/council/messages", response_model=Page[MessageOut], responses=describe_problems())
async def list_messages(caller: Writer, queries: Queries, cursor: Cursor = None, limit: Limit = 50) -> Page[MessageOut]:
    """The webhooks that did not arrive and are not acknowledged, with their content, the oldest first."""
    found = await queries.list_kept_messages(caller.council, after=decode_cursor(cursor), limit=limit + 1)
    return build_message_page(found, limit)


@router.post(
    "/v1/council/messages/acknowledgement",
    status_code=204,
    response_class=Response,
    responses=describe_problems(409, 422),
)
async def acknowledge_messages(body: AcknowledgementIn, caller: Writer, bus: Bus) -> Response:
    """Take messages off the list after your system has handled them."""
    return await _build_commands(caller, bus).acknowledge(body)


@router.post(
    "/v1/council/messages/replay",
    status_code=202,
    response_model=ReplayOut,
    responses=describe_problems(404, 409, 422),
)
async def replay_messages(body: ReplayIn, caller: Writer, bus: Bus) -> Response:
    """Send all messages on the list since an instant again, with the same ids and bodies, signed anew."""
    return await _build_commands(caller, bus).replay_since(body)


@router.post(
    "/v1/council/messages/{webhook_id}/replay",
    status_code=202,
    response_model=ReplayOut,
    responses=describe_problems(404, 409),
)
async def replay_a_message(webhook_id: UUID, caller: Writer, bus: Bus) -> Response:
    """Send one webhook again, whether it arrived or not."""
    return await _build_commands(caller, bus).replay_one(webhook_id)


def _build_commands(caller: Caller, bus: CommandBus) -> MessageCommands:
    return MessageCommands(caller.council, StreamKey(COUNCILS, caller.council), caller, bus)
