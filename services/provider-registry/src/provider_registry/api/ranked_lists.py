"""Routes of ranked lists, by lot, area, tier and group."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from contracts.catalogue import FRAMEWORKS
from contracts.events.frameworks import RankedListPublished, make_ranked_list_key
from contracts.ids import ProviderId
from provider_registry.api.callers import Admin, Bus, Queries, Staff
from provider_registry.api.scopes import LARGEST_VERSION, PlacePath
from provider_registry.domain.errors import FrameworkNotFound
from provider_registry.domain.places import ListScope
from provider_registry.handlers.ranked_lists import PublishRankedList, RankedListOutcome, publish_ranked_list
from service_runtime.http.commands import json_response
from service_runtime.http.instants import Now
from service_runtime.http.paging import Limit
from service_runtime.http.problems import describe_problems
from service_runtime.http.text_fields import Day, GroupName, RequestBody, Uuid, WholeNumber
from service_runtime.idempotency import StoredResponse
from service_runtime.unit_of_work.streams import StreamKey

router = APIRouter(tags=["ranked lists"])

LONGEST_LIST: Final = 1_000
_PATH: Final = "/v1/frameworks/{framework}/lots/{lot}/areas/{area}/tiers/{tier}/lists"


class RankedListIn(RequestBody):
    """A ranked list as issued by the council; an empty list calls off no provider."""

    group: GroupName | None = Field(default=None, description="of a definition with list_groups; null: all packages")
    list_version: WholeNumber = Field(ge=1, le=LARGEST_VERSION, description="the next version, starting with 1")
    issued_on: Day
    live_from: Day = Field(description="first day of use, not before issued_on")
    ranking: list[Uuid] = Field(max_length=LONGEST_LIST, description="providers in order of rank")


class RankOut(BaseModel):
    provider_id: UUID
    rank: int


class RankedListOut(BaseModel):
    framework: str
    lot: str
    area: str
    tier: str
    group: str | None
    list_version: int
    issued_on: date
    live_from: date
    ranking: list[RankOut]


class RankedListsOut(BaseModel):
    """The versions of one list, the newest first."""

    items: list[RankedListOut]


@router.post(
    _PATH,
    response_model=RankedListOut,
    status_code=201,
    responses={
        **describe_problems(404, 409),
        200: {"model": RankedListOut, "description": "This version was published before with the same content"},
    },
)
async def post_ranked_list(place: PlacePath, body: RankedListIn, caller: Admin, bus: Bus) -> Response:
    """Import the next version of the ranked list of one tier of one area, or of one of its groups."""
    command = PublishRankedList(
        scope=ListScope(place, body.group),
        list_version=body.list_version,
        issued_on=body.issued_on,
        live_from=body.live_from,
        ranking=tuple(map(ProviderId, body.ranking)),
    )
    key = make_ranked_list_key(place.framework, place.lot, place.area, place.tier, body.group)
    stream = StreamKey(FRAMEWORKS, key)
    return await bus.execute(command, publish_ranked_list, on=stream, by=caller, respond=_respond_with_ranked_list)


@router.get(_PATH, response_model=RankedListsOut, responses=describe_problems(404))
async def show_ranked_lists(
    place: PlacePath,
    caller: Staff,
    queries: Queries,
    *,
    now: Now,
    group: Annotated[GroupName | None, Query()] = None,
    limit: Limit = 20,
) -> RankedListsOut:
    """The versions of the ranked list of one tier of one area, or of one of its groups, the newest first."""
    found = await queries.list_ranked_lists(ListScope(place, group), council=caller.council, at=now, limit=limit)
    if found is None:
        raise FrameworkNotFound
    return _to_ranked_lists_out(found)


def _respond_with_ranked_list(outcome: RankedListOutcome) -> StoredResponse:
    return json_response(_to_ranked_list_out(outcome.ranked), status=201 if outcome.is_new else 200)


def _to_ranked_lists_out(found: Sequence[RankedListPublished]) -> RankedListsOut:
    return RankedListsOut(items=[_to_ranked_list_out(each) for each in found])


def _to_ranked_list_out(ranked: RankedListPublished) -> RankedListOut:
    return RankedListOut(
        framework=ranked.framework,
        lot=ranked.lot,
        area=ranked.area,
        tier=ranked.tier,
        group=ranked.group,
        list_version=ranked.list_version,
        issued_on=ranked.issued_on,
        live_from=ranked.live_from,
        ranking=[RankOut(provider_id=each.provider_id, rank=each.rank) for each in ranked.ranking],
    )
