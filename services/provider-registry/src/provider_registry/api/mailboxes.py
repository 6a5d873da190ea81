"""Routes of offer mailboxes. An address is stored encrypted and never returned."""

from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field

from contracts.ids import ProviderId
from provider_registry.api.callers import AdminOrProvider, Bus, build_stream_key, check_own
from provider_registry.handlers.channels import PutMailbox, RemoveMailbox, put_mailbox, remove_mailbox
from service_runtime.http.problems import describe_problems
from service_runtime.http.text_fields import Mailbox, RequestBody
from service_runtime.webhooks.endpoint_api import respond_no_content

router = APIRouter(tags=["mailboxes"])


class MailboxIn(RequestBody):
    address: Mailbox = Field(
        description="a mailbox of the company, read in office hours; the provider's channels then include email",
    )


@router.put(
    "/v1/providers/{provider_id}/mailbox",
    status_code=204,
    response_class=Response,
    responses=describe_problems(404, 409),
)
async def put_provider_mailbox(provider_id: UUID, body: MailboxIn, caller: AdminOrProvider, bus: Bus) -> Response:
    """Set the address for offers by mail, used if the provider's endpoint does not accept them."""
    check_own(ProviderId(provider_id), caller)
    command = PutMailbox(ProviderId(provider_id), body.address)
    return await bus.execute(
        command, put_mailbox, on=build_stream_key(command.provider_id), by=caller, respond=respond_no_content
    )


@router.delete(
    "/v1/providers/{provider_id}/mailbox",
    status_code=204,
    response_class=Response,
    responses=describe_problems(404, 409),
)
async def delete_provider_mailbox(provider_id: UUID, caller: AdminOrProvider, bus: Bus) -> Response:
    """Delete the address; no more offers are sent by mail."""
    check_own(ProviderId(provider_id), caller)
    command = RemoveMailbox(ProviderId(provider_id))
    return await bus.execute(
        command, remove_mailbox, on=build_stream_key(command.provider_id), by=caller, respond=respond_no_content
    )
