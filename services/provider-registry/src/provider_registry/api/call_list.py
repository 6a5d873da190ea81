"""Routes of the officers' call list: providers that could not be told otherwise, and what to say."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from contracts.catalogue import LISTS, PACKAGES
from contracts.events.notices import CallReason, NoticeKind
from contracts.events.offers import CallResult
from contracts.framework.titles import Titles
from contracts.ids import AreaCode, FrameworkKey, NoticeId
from provider_registry.api.callers import Bus, Officer, Queries
from provider_registry.domain.errors import NoticeNotFound
from provider_registry.domain.notice import Notice, NoticeState
from provider_registry.domain.notice_words import build_call_script
from provider_registry.domain.provider import Definitions
from provider_registry.handlers.call_list import RecordNoticeCall, record_notice_call
from provider_registry.ports.notices import CallFilter, FoundNotice
from service_runtime.http.commands import json_response
from service_runtime.http.paging import Cursor, Limit, Page, build_page, decode_cursor
from service_runtime.http.problems import describe_problems
from service_runtime.http.text_fields import AreaName, FrameworkName, InstantText, RequestBody
from service_runtime.unit_of_work.streams import StreamKey

router = APIRouter(tags=["call list"])


class CallOut(BaseModel):
    """One call to make."""

    notice_id: UUID
    kind: NoticeKind
    because: CallReason | None = Field(description="why the provider has to be called")
    provider_id: UUID
    provider: str | None = Field(description="null if the registry has no such provider")
    phone: str | None = Field(description="the office's number")
    say: list[str] = Field(description="sentences, in their order; none identifies the person")
    due_at: datetime = Field(description="by when to call")
    since: datetime
    attempt: int = Field(description="the number of this call, counted from 1")
    package_id: UUID | None
    list_id: UUID | None
    about: UUID = Field(description="the offer, placement, proposal, open package or list")
    read_at: str | None = Field(description="of a list: the path at sourcing that shows its rows and takes ticks")
    record_at: str = Field(
        description="where the call is recorded by POST; the path of an offer by telephone is sourcing's"
    )


class CallIn(RequestBody):
    result: CallResult


class CallRecordedOut(BaseModel):
    notice_id: UUID
    state: NoticeState
    attempt: int
    notified_at: datetime | None = Field(description="null while nobody was reached")


async def _parse_filter(
    area: Annotated[AreaName | None, Query(description="only calls about this area")] = None,
    framework: Annotated[FrameworkName | None, Query(description="only calls about this framework")] = None,
    due_before: Annotated[InstantText | None, Query(description="only calls that are due before then")] = None,
) -> CallFilter:
    return CallFilter(
        None if area is None else AreaCode(area), None if framework is None else FrameworkKey(framework), due_before
    )


@router.get("/v1/call-list", response_model=Page[CallOut], responses=describe_problems())
async def show_call_list(
    caller: Officer,
    queries: Queries,
    chosen: Annotated[CallFilter, Depends(_parse_filter)],
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[CallOut]:
    """List the providers to telephone, with the number and what to say, the first due first."""
    found = await queries.list_calls(caller.council, chosen, after=decode_cursor(cursor), limit=limit + 1)
    frameworks = {each.notice.facts.framework for each in found} - {None}
    definitions = await queries.load_definitions([each for each in frameworks if each is not None])
    return build_page(
        found,
        limit,
        to_item=lambda each: _to_call_out(each, definitions),
        position=lambda each: (each.notice.due_at, each.notice.notice_id),
    )


@router.post(
    "/v1/call-list/{notice_id}/calls", response_model=CallRecordedOut, responses=describe_problems(404, 409, 422)
)
async def record_a_call(notice_id: UUID, body: CallIn, caller: Officer, queries: Queries, bus: Bus) -> Response:
    """Record a call: one that reaches the provider takes it off the list. The officer is the token's subject."""
    found = await queries.find_notice(NoticeId(notice_id), council=caller.council)
    if found is None:
        raise NoticeNotFound
    command = RecordNoticeCall(NoticeId(notice_id), body.result)
    return await bus.execute(
        command,
        record_notice_call,
        on=to_stream(found.notice),
        by=caller,
        respond=lambda notice: json_response(
            CallRecordedOut(
                notice_id=notice.notice_id, state=notice.state, attempt=notice.calls, notified_at=notice.settled_at
            )
        ),
    )


def to_stream(notice: Notice) -> StreamKey:
    if notice.list_id is not None:
        return StreamKey(LISTS, str(notice.list_id))
    return StreamKey(PACKAGES, str(notice.package_id))


def _to_call_out(found: FoundNotice, definitions: Definitions) -> CallOut:
    notice = found.notice
    framework = notice.facts.framework
    titles = Titles(definitions.get(framework) if framework is not None else None)
    return CallOut(
        notice_id=notice.notice_id,
        kind=notice.kind,
        because=notice.because,
        provider_id=notice.provider_id,
        provider=found.provider_name,
        phone=found.phone,
        say=build_call_script(notice.kind, notice.facts, titles),
        due_at=notice.due_at,
        since=notice.created_at,
        attempt=notice.calls + 1,
        package_id=notice.package_id,
        list_id=notice.list_id,
        about=notice.about,
        read_at=None if notice.list_id is None else f"/v1/council/lists/{notice.list_id}",
        record_at=_find_record_path(notice),
    )


def _find_record_path(notice: Notice) -> str:
    if notice.is_offer and notice.because is not CallReason.MAIL_BOUNCED:
        return f"/v1/offers/{notice.about}/calls"
    return f"/v1/call-list/{notice.notice_id}/calls"
