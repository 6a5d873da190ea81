"""Offers mailboxes over HTTP: an address goes in, is kept encrypted, and is shown to nobody."""

from typing import Final
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from contracts.ids import ProviderId
from provider_registry.api.callers import AdminOrProvider, Bus, check_own, stream_of
from provider_registry.handlers.providers import PutMailbox, RemoveMailbox, put_mailbox, remove_mailbox
from service_runtime.http.problems import problems
from service_runtime.idempotency import StoredResponse

router = APIRouter(tags=["mailboxes"])

NO_CONTENT: Final = StoredResponse(204, b"")


class MailboxIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    address: str = Field(
        max_length=254,
        pattern=r"^[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$",
        description="a mailbox of the company, read in office hours; the channels of the provider say that it is there",
    )


@router.put(
    "/v1/providers/{provider_id}/mailbox", status_code=204, response_class=Response, responses=problems(404, 409)
)
async def put_a_mailbox(provider_id: UUID, body: MailboxIn, caller: AdminOrProvider, do: Bus) -> Response:
    """Have offers mailed to this address where the provider's system does not take them."""
    check_own(ProviderId(provider_id), caller)
    command = PutMailbox(ProviderId(provider_id), body.address)
    return await do.execute(command, put_mailbox, on=stream_of(command.provider_id), by=caller, respond=_done)


@router.delete(
    "/v1/providers/{provider_id}/mailbox", status_code=204, response_class=Response, responses=problems(404, 409)
)
async def remove_a_mailbox(provider_id: UUID, caller: AdminOrProvider, do: Bus) -> Response:
    """Send no mail any more, and forget the address."""
    check_own(ProviderId(provider_id), caller)
    command = RemoveMailbox(ProviderId(provider_id))
    return await do.execute(command, remove_mailbox, on=stream_of(command.provider_id), by=caller, respond=_done)


def _done(_: None) -> StoredResponse:
    return NO_CONTENT
