"""The delivery log over HTTP: what was sent to a provider's system, when, and how each attempt went."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from contracts.ids import ProviderId
from provider_registry.api.callers import Anybody, Queries, check_own
from provider_registry.domain.errors import ProviderNotFound
from provider_registry.ports import DeliverySeen
from service_runtime.http.paging import Cursor, Limit, Page, cursor_at, position_of
from service_runtime.http.problems import problems

router = APIRouter(tags=["deliveries"])


class AttemptOut(BaseModel):
    number: int
    at: datetime
    took_ms: int
    status: int | None = Field(description="of the endpoint's answer; null where none came")
    failure: str | None


class DeliveryOut(BaseModel):
    """One webhook; what it said is not kept for show."""

    webhook_id: UUID = Field(description="as in the header webhook-id, the same on every attempt")
    kind: str
    about: str = Field(description="the offer or placement, or the reference of an available package")
    package_id: str | None = Field(description="null for an available package, which is known by its reference alone")
    queued_at: datetime
    outcome: Literal["delivered", "undeliverable", "cancelled"] | None = Field(
        description="null while it is being sent"
    )
    failure: str | None
    decided_at: datetime | None
    attempts: list[AttemptOut]


@router.get("/v1/providers/{provider_id}/deliveries", response_model=Page[DeliveryOut], responses=problems(404))
async def show_deliveries(
    provider_id: UUID, caller: Anybody, ask: Queries, cursor: Cursor = None, limit: Limit = 50
) -> Page[DeliveryOut]:
    """The webhooks of one provider, the newest first; a provider sees only its own."""
    check_own(ProviderId(provider_id), caller)
    after = position_of(cursor)
    if await ask.provider(ProviderId(provider_id), council=caller.council) is None:
        raise ProviderNotFound
    found = await ask.deliveries(ProviderId(provider_id), after=after, limit=limit + 1)
    page = found[:limit]
    following = cursor_at(page[-1].queued_at, page[-1].id) if len(found) > limit else None
    return Page(items=_deliveries_out(page), next=following)


def _deliveries_out(found: Sequence[DeliverySeen]) -> list[DeliveryOut]:
    return [
        DeliveryOut(
            webhook_id=each.id,
            kind=each.kind,
            about=each.about,
            package_id=each.package_id,
            queued_at=each.queued_at,
            outcome=each.outcome,
            failure=each.failure,
            decided_at=each.decided_at,
            attempts=[
                AttemptOut(
                    number=attempt.number,
                    at=attempt.at,
                    took_ms=round(attempt.took.total_seconds() * 1000),
                    status=attempt.status,
                    failure=attempt.failure,
                )
                for attempt in each.attempts
            ],
        )
        for each in found
    ]
