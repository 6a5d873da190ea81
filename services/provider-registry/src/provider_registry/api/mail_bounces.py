"""Route of mails that came back; the operator's mail server reports them, by a pipe or by a webhook."""

import re
from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BeforeValidator, Field, StringConstraints

from contracts.errors import FieldError, InvalidInput
from provider_registry.api.callers import Admin, Bus, Queries
from provider_registry.domain.errors import MailNotFound
from provider_registry.handlers.call_list import record_mail_bounce
from provider_registry.ports.notices import MailBounce
from service_runtime.http.problems import describe_problems
from service_runtime.http.text_fields import RequestBody
from service_runtime.http.text_rules import CodeRule
from service_runtime.unit_of_work.streams import StreamKey
from service_runtime.webhooks.endpoint_api import respond_no_content

router = APIRouter(tags=["mailboxes"])

_ID: Final = r"^<?([0-9a-fA-F-]{36})(@[^ <>]{1,253})?>?$"
_STATUS: Final = r"^[245]\.[0-9]{1,3}\.[0-9]{1,3}$"

MessageId = Annotated[
    str,
    StringConstraints(pattern=_ID, max_length=300),
    BeforeValidator(CodeRule(_ID, "the Message-ID of a mail of this service: <id@domain>, or the id alone", 300)),
]
StatusCode = Annotated[
    str,
    StringConstraints(pattern=_STATUS, max_length=9),
    BeforeValidator(CodeRule(_STATUS, "a status code such as 5.1.1 (RFC 3463)", 9)),
]


class DsnAction(StrEnum):
    """What a delivery status notification reports of a recipient (RFC 3464, section 2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


class BounceIn(RequestBody):
    """One recipient of a delivery status notification. Its address is not needed, and not taken."""

    message_id: MessageId = Field(description="the Message-ID of the mail that was sent: <id@domain>, or the id alone")
    action: DsnAction = Field(description="only `failed` has an effect: the mail has come back for good")
    status: StatusCode = Field(description="the status code (RFC 3463), such as 5.1.1")

    def read_mail_id(self) -> UUID:
        """Raises InvalidInput for an id that no mail has."""
        found = re.match(_ID, self.message_id)
        try:
            return UUID(found.group(1) if found is not None else "")
        except ValueError:
            raise InvalidInput(FieldError("#/message_id", "is not the Message-ID of a mail of this service")) from None


@router.post("/v1/mail-bounces", status_code=204, response_class=Response, responses=describe_problems(404, 409, 422))
async def report_a_bounce(body: BounceIn, caller: Admin, queries: Queries, bus: Bus) -> Response:
    """Report that a mail came back: its provider goes on the officers' call list. A repeat changes nothing."""
    mail = await queries.find_mail(body.read_mail_id(), council=caller.council)
    if mail is None:
        raise MailNotFound
    if body.action is not DsnAction.FAILED:
        return Response(status_code=204)
    return await bus.execute(
        MailBounce(mail.mail_id, body.status),
        record_mail_bounce,
        on=StreamKey(mail.topic, mail.key),
        by=caller,
        respond=respond_no_content,
    )
