"""Route of notices: who was told what, by which channel and when, and who was not."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from contracts.events.notices import CallReason, NoticeKind
from contracts.ids import ListId, PackageId, ProviderId
from contracts.values import Channel
from provider_registry.api.callers import Queries, Staff
from provider_registry.domain.notice import NoticeState
from provider_registry.ports.notices import NO_END, FoundNotice, NoticeFilter
from service_runtime.http.paging import Cursor, Limit, Page, build_page, decode_cursor
from service_runtime.http.problems import describe_problems

router = APIRouter(tags=["notices"])


class NoticeOut(BaseModel):
    """What one provider has to be told of one event, and what became of it."""

    notice_id: UUID
    kind: NoticeKind
    state: NoticeState = Field(description="lapsed: what it was about ended before the provider was told")
    channel: Channel = Field(description="the one in use, or by which the provider was told")
    because: CallReason | None = Field(description="why an officer has to call, or had to")
    provider_id: UUID
    provider: str | None
    package_id: UUID | None
    list_id: UUID | None
    about: UUID = Field(description="the offer, placement, proposal, open package or list")
    created_at: datetime
    due_at: datetime = Field(description="by when the provider has to be told")
    notified_at: datetime | None
    calls: int


async def _parse_filter(
    package_id: Annotated[UUID | None, Query(description="of this package")] = None,
    list_id: Annotated[UUID | None, Query(description="of this list")] = None,
    provider_id: Annotated[UUID | None, Query(description="to this provider")] = None,
    state: Annotated[NoticeState | None, Query(description="only in this state")] = None,
) -> NoticeFilter:
    return NoticeFilter(
        None if package_id is None else PackageId(package_id),
        None if list_id is None else ListId(list_id),
        None if provider_id is None else ProviderId(provider_id),
        state,
    )


@router.get("/v1/notices", response_model=Page[NoticeOut], responses=describe_problems())
async def list_notices(
    caller: Staff,
    queries: Queries,
    chosen: Annotated[NoticeFilter, Depends(_parse_filter)],
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[NoticeOut]:
    """List the notices of a package, a list or a provider: those that are not told first, then the newest.

    Without one of them: all notices of your council that are not told. Offers by webhook are in the delivery log.
    """
    found = await queries.list_notices(caller.council, chosen, after=decode_cursor(cursor), limit=limit + 1)
    return build_page(found, limit, to_item=_to_notice_out, position=_find_position)


def _find_position(found: FoundNotice) -> tuple[datetime, UUID]:
    notice = found.notice
    return notice.settled_at or NO_END, notice.notice_id


def _to_notice_out(found: FoundNotice) -> NoticeOut:
    notice = found.notice
    return NoticeOut(
        notice_id=notice.notice_id,
        kind=notice.kind,
        state=notice.state,
        channel=notice.channel,
        because=notice.because,
        provider_id=notice.provider_id,
        provider=found.provider_name,
        package_id=notice.package_id,
        list_id=notice.list_id,
        about=notice.about,
        created_at=notice.created_at,
        due_at=notice.due_at,
        notified_at=notice.settled_at if notice.state is NoticeState.NOTIFIED else None,
        calls=notice.calls,
    )
