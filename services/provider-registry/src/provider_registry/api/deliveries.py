"""Routes of the delivery log: webhooks and mails to a provider, with every attempt."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from contracts.ids import ProviderId
from contracts.values import Channel
from provider_registry.api.callers import AnyCaller, Queries, check_own
from provider_registry.domain.errors import ProviderNotFound
from provider_registry.ports import DeliveryLogEntry
from service_runtime.http.paging import Cursor, Limit, Page, build_page, decode_cursor
from service_runtime.http.problems import describe_problems

router = APIRouter(tags=["deliveries"])


class AttemptOut(BaseModel):
    number: int
    at: datetime
    took_ms: int
    status: int | None = Field(description="HTTP status of the endpoint's answer; null if there was none")
    failure: str | None


class DeliveryOut(BaseModel):
    """One webhook or mail; its content is not shown."""

    webhook_id: UUID = Field(description="as in the header webhook-id or the Message-ID, the same on every attempt")
    kind: str
    channel: Literal[Channel.WEBHOOK, Channel.EMAIL]
    about: str = Field(description="the offer or placement, or the reference of an available package")
    package_id: str | None = Field(description="null for an available package, which has a reference instead")
    queued_at: datetime
    outcome: Literal["delivered", "undeliverable", "cancelled"] | None = Field(
        description="null while it is being sent"
    )
    failure: str | None
    decided_at: datetime | None
    attempts: list[AttemptOut]


@router.get(
    "/v1/providers/{provider_id}/deliveries", response_model=Page[DeliveryOut], responses=describe_problems(404)
)
async def show_deliveries(
    provider_id: UUID, caller: AnyCaller, queries: Queries, cursor: Cursor = None, limit: Limit = 50
) -> Page[DeliveryOut]:
    """The webhooks of one provider, the newest first; a provider sees only its own."""
    check_own(ProviderId(provider_id), caller)
    after = decode_cursor(cursor)
    if not await queries.has_provider(ProviderId(provider_id), council=caller.council):
        raise ProviderNotFound
    found = await queries.list_deliveries(ProviderId(provider_id), after=after, limit=limit + 1)
    return build_page(found, limit, to_item=_to_delivery_out, position=lambda row: (row.queued_at, row.id))


def _to_delivery_out(entry: DeliveryLogEntry) -> DeliveryOut:
    return DeliveryOut(
        webhook_id=entry.id,
        kind=entry.kind,
        channel=Channel.EMAIL if entry.is_mail else Channel.WEBHOOK,
        about=entry.about,
        package_id=entry.package_id,
        queued_at=entry.queued_at,
        outcome=entry.outcome,
        failure=entry.failure,
        decided_at=entry.decided_at,
        attempts=[
            AttemptOut(
                number=attempt.number,
                at=attempt.at,
                took_ms=round(attempt.took.total_seconds() * 1000),
                status=attempt.status,
                failure=attempt.failure,
            )
            for attempt in entry.attempts
        ],
    )
