"""Routes of frameworks: definitions in YAML, and ranked lists by area and tier."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, Field

from contracts.catalogue import FRAMEWORKS
from contracts.definition_loader import MAX_BYTES
from contracts.errors import FieldError, InvalidInput
from contracts.events.frameworks import RankedListPublished, make_ranked_list_key
from contracts.framework import FrameworkDefinition
from contracts.ids import FrameworkKey, ProviderId
from contracts.values import Tier
from provider_registry.api.callers import Admin, AnyCaller, Bus, Queries, Staff
from provider_registry.api.definition_parser import DefinitionParser
from provider_registry.domain.errors import FrameworkNotFound
from provider_registry.domain.provider import FrameworkPlace
from provider_registry.handlers.frameworks import (
    FrameworkOutcome,
    PublishFramework,
    PublishRankedList,
    RankedListOutcome,
    publish_framework,
    publish_ranked_list,
)
from provider_registry.ports import PublishedDefinition
from service_runtime.http.app import inject
from service_runtime.http.commands import json_response
from service_runtime.http.paging import Limit
from service_runtime.http.problems import describe_problems
from service_runtime.http.text_fields import AreaName, Day, FrameworkName, RequestBody, Uuid, WholeNumber
from service_runtime.idempotency import StoredResponse
from service_runtime.unit_of_work.streams import StreamKey

router = APIRouter(tags=["frameworks"])

LARGEST_VERSION: Final = 1_000_000
LONGEST_LIST: Final = 1_000

_YAML: Final[dict[str, Any]] = {  # OpenAPI's own words, for a body that no model describes
    "requestBody": {
        "required": True,
        "content": {"application/yaml": {"schema": {"type": "string", "maxLength": MAX_BYTES}}},
    }
}

Parser = Annotated[DefinitionParser, inject(DefinitionParser)]
FrameworkPath = Annotated[FrameworkName, Path()]
AreaPath = Annotated[AreaName, Path()]
VersionPath = Annotated[int, Path(ge=1, le=LARGEST_VERSION)]


async def _read_yaml_body(request: Request) -> str:
    body = await request.body()
    if len(body) > MAX_BYTES:
        raise InvalidInput(FieldError("#", f"is larger than a definition may be, {MAX_BYTES} bytes"))
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        message = f"line {line}: is not UTF-8 text; save the file as UTF-8, not as Windows-1252 (ANSI)"
        raise InvalidInput(FieldError("#", message)) from None


async def _parse_place(framework: FrameworkPath, area: AreaPath, tier: Tier) -> FrameworkPlace:
    return FrameworkPlace(framework, area, tier)


PlacePath = Annotated[FrameworkPlace, Depends(_parse_place)]


class FrameworkOut(BaseModel):
    """One version of a framework."""

    framework: str
    version: int
    title: str
    runs_from: date
    runs_until: date


class FrameworksOut(BaseModel):
    items: list[FrameworkOut]


class DefinitionOut(BaseModel):
    published_at: datetime
    definition: FrameworkDefinition


class RankedListIn(RequestBody):
    """A ranked list as issued by the council; an empty list calls off no provider."""

    list_version: WholeNumber = Field(ge=1, le=LARGEST_VERSION, description="the next version, starting with 1")
    issued_on: Day
    live_from: Day = Field(description="first day of use, not before issued_on")
    ranking: list[Uuid] = Field(max_length=LONGEST_LIST, description="providers in order of rank")


class RankOut(BaseModel):
    provider_id: UUID
    rank: int


class RankedListOut(BaseModel):
    framework: str
    area: str
    tier: int
    list_version: int
    issued_on: date
    live_from: date
    ranking: list[RankOut]


class RankedListsOut(BaseModel):
    """The versions of one list, the newest first."""

    items: list[RankedListOut]


@router.post(
    "/v1/frameworks",
    response_model=FrameworkOut,
    status_code=201,
    responses={
        **describe_problems(409),
        200: {"model": FrameworkOut, "description": "This version was published before with the same content"},
    },
    openapi_extra=_YAML,
)
async def post_framework(
    caller: Admin, text: Annotated[str, Depends(_read_yaml_body)], bus: Bus, parser: Parser
) -> Response:
    """Publish the next version of a framework's definition as YAML.

    Every error is reported at once with its path, line, reason and remedy.
    """
    definition = await parser.parse(text)
    command = PublishFramework(definition)
    stream = StreamKey(FRAMEWORKS, definition.framework)
    return await bus.execute(command, publish_framework, on=stream, by=caller, respond=_respond_with_framework)


@router.get("/v1/frameworks", response_model=FrameworksOut, responses=describe_problems())
async def list_frameworks(caller: AnyCaller, queries: Queries) -> FrameworksOut:
    """Your council's frameworks, each in its newest version."""
    found = await queries.list_frameworks(caller.council)
    return FrameworksOut(items=[_to_framework_out(each.definition) for each in found])


@router.get(
    "/v1/frameworks/{framework}/versions/{version}", response_model=DefinitionOut, responses=describe_problems(404)
)
async def show_definition(
    framework: FrameworkPath, version: VersionPath, caller: AnyCaller, queries: Queries
) -> DefinitionOut:
    """One version of a framework's definition; it never changes."""
    found = await queries.find_definition(FrameworkKey(framework), version, council=caller.council)
    if found is None:
        raise FrameworkNotFound
    return _to_definition_out(found)


@router.post(
    "/v1/frameworks/{framework}/areas/{area}/tiers/{tier}/lists",
    response_model=RankedListOut,
    status_code=201,
    responses={
        **describe_problems(404, 409),
        200: {"model": RankedListOut, "description": "This version was published before with the same content"},
    },
)
async def post_ranked_list(place: PlacePath, body: RankedListIn, caller: Admin, bus: Bus) -> Response:
    """Import the next version of the ranked list of one tier of one area."""
    command = PublishRankedList(
        place=place,
        list_version=body.list_version,
        issued_on=body.issued_on,
        live_from=body.live_from,
        ranking=tuple(map(ProviderId, body.ranking)),
    )
    stream = StreamKey(FRAMEWORKS, make_ranked_list_key(place.framework, place.area, place.tier))
    return await bus.execute(command, publish_ranked_list, on=stream, by=caller, respond=_respond_with_ranked_list)


@router.get(
    "/v1/frameworks/{framework}/areas/{area}/tiers/{tier}/lists",
    response_model=RankedListsOut,
    responses=describe_problems(404),
)
async def show_ranked_lists(place: PlacePath, caller: Staff, queries: Queries, limit: Limit = 20) -> RankedListsOut:
    """The versions of the ranked list of one tier of one area, the newest first."""
    found = await queries.list_ranked_lists(place, council=caller.council, limit=limit)
    if found is None:
        raise FrameworkNotFound
    return _to_ranked_lists_out(found)


def _respond_with_framework(outcome: FrameworkOutcome) -> StoredResponse:
    return json_response(_to_framework_out(outcome.definition), status=201 if outcome.is_new else 200)


def _respond_with_ranked_list(outcome: RankedListOutcome) -> StoredResponse:
    return json_response(_to_ranked_list_out(outcome.ranked), status=201 if outcome.is_new else 200)


def _to_framework_out(definition: FrameworkDefinition) -> FrameworkOut:
    return FrameworkOut(
        framework=definition.framework,
        version=definition.version,
        title=definition.title,
        runs_from=definition.runs_from,
        runs_until=definition.runs_until,
    )


def _to_definition_out(found: PublishedDefinition) -> DefinitionOut:
    return DefinitionOut(published_at=found.published_at, definition=found.definition)


def _to_ranked_lists_out(found: Sequence[RankedListPublished]) -> RankedListsOut:
    return RankedListsOut(items=[_to_ranked_list_out(each) for each in found])


def _to_ranked_list_out(ranked: RankedListPublished) -> RankedListOut:
    return RankedListOut(
        framework=ranked.framework,
        area=ranked.area,
        tier=int(ranked.tier),
        list_version=ranked.list_version,
        issued_on=ranked.issued_on,
        live_from=ranked.live_from,
        ranking=[RankOut(provider_id=each.provider_id, rank=each.rank) for each in ranked.ranking],
    )
