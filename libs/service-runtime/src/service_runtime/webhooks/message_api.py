"""HTTP API of kept messages: bodies and responses, the same in every service. Each service declares the routes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, Field

from service_runtime.http.auth import Caller
from service_runtime.http.commands import CommandBus, json_response
from service_runtime.http.paging import Page, build_page
from service_runtime.http.text_fields import InstantText, RequestBody, Uuid
from service_runtime.idempotency import StoredResponse
from service_runtime.unit_of_work.streams import StreamKey
from service_runtime.webhooks.endpoint_api import respond_no_content
from service_runtime.webhooks.kept_messages import MAX_REPLAYED, KeptMessage
from service_runtime.webhooks.message_commands import (
    AcknowledgeMessages,
    ReplayedMessages,
    ReplayMessage,
    ReplayMessages,
    acknowledge_messages,
    replay_message,
    replay_messages,
)


class MessageOut(BaseModel):
    """A webhook that did not arrive."""

    webhook_id: UUID = Field(description="as in the header webhook-id; the same whenever it is sent")
    kind: str
    about: str = Field(description="as in the delivery log")
    queued_at: datetime
    failure: str = Field(description="why it was given up")
    decided_at: datetime
    content: dict[str, Any] = Field(description="the JSON body of the webhook")  # each kind has its own members


class ReplayIn(RequestBody):
    since: InstantText = Field(description="messages queued at this instant or later are sent again")


class ReplayOut(BaseModel):
    replayed: int = Field(description=f"messages that are sent again, the oldest first; at most {MAX_REPLAYED}")
    has_more: bool = Field(description="true: repeat the request (with another Idempotency-Key) for the next ones")


class AcknowledgementIn(RequestBody):
    webhook_ids: list[Uuid] = Field(min_length=1, max_length=200, description="messages that your system has handled")


def build_message_page(messages: Sequence[KeptMessage], limit: int) -> Page[MessageOut]:
    """Builds a page of the first `limit` of `messages`, which are one more if there is a next page."""
    return build_page(messages, limit, to_item=_to_message_out, position=lambda each: (each.queued_at, each.id))


def _to_message_out(message: KeptMessage) -> MessageOut:
    return MessageOut(
        webhook_id=message.id,
        kind=message.kind,
        about=message.about,
        queued_at=message.queued_at,
        failure=message.failure,
        decided_at=message.decided_at,
        content=json.loads(message.body),
    )


@dataclass(frozen=True)
class MessageCommands:
    """Executes a caller's commands on the messages to `owner`, one after the other on `stream`."""

    owner: str
    stream: StreamKey
    caller: Caller
    bus: CommandBus

    async def replay_one(self, webhook_id: UUID) -> Response:
        """Responds with 202 and ReplayOut."""
        command = ReplayMessage(self.owner, webhook_id)
        return await self.bus.execute(
            command, replay_message, on=self.stream, by=self.caller, respond=_respond_replayed
        )

    async def replay_since(self, body: ReplayIn) -> Response:
        """Responds with 202 and ReplayOut."""
        command = ReplayMessages(self.owner, body.since)
        return await self.bus.execute(
            command, replay_messages, on=self.stream, by=self.caller, respond=_respond_replayed
        )

    async def acknowledge(self, body: AcknowledgementIn) -> Response:
        """Responds with 204."""
        command = AcknowledgeMessages(self.owner, tuple(body.webhook_ids))
        return await self.bus.execute(
            command, acknowledge_messages, on=self.stream, by=self.caller, respond=respond_no_content
        )


def _respond_replayed(result: ReplayedMessages) -> StoredResponse:
    return json_response(ReplayOut(replayed=result.replayed, has_more=result.has_more), status=202)
