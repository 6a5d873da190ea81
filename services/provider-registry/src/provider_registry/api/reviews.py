"""Routes that explain, draw and compare versions of a definition, published or proposed."""

from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Response

from contracts.framework.definition import FrameworkDefinition
from contracts.ids import CouncilKey, FrameworkKey
from contracts.review.comparison import render_comparison
from contracts.review.drawing import draw_svg
from contracts.review.explanation import explain_definition
from contracts.review.road_groups import group_roads
from provider_registry.api.callers import Queries, Staff
from provider_registry.api.definition_parser import DefinitionParser
from provider_registry.api.scopes import FrameworkPath, VersionPath
from provider_registry.domain.errors import FrameworkNotFound
from provider_registry.ports import RegistryQueries
from service_runtime.http.app import inject
from service_runtime.http.problems import describe_problems

router = APIRouter(tags=["frameworks"])

Reviewer = Annotated[DefinitionParser, inject(DefinitionParser)]
_MARKDOWN: Final = "text/markdown; charset=utf-8"
_SVG: Final = "image/svg+xml"


def _describe_content(kind: str) -> dict[int | str, dict[str, Any]]:  # OpenAPI's own words
    content = {kind: {"schema": {"type": "string"}}}
    return {200: {"content": content, "description": "Successful Response"}, **describe_problems(404, 503)}


@router.get(
    "/v1/frameworks/{framework}/versions/{version}/explanation",
    response_class=Response,
    responses=_describe_content("text/markdown"),
)
async def explain_version(
    framework: FrameworkPath, version: VersionPath, caller: Staff, queries: Queries, reviewer: Reviewer
) -> Response:
    """The version in plain English, stage by stage, as Markdown with a Mermaid drawing of its roads."""
    definition = await _find_version(framework, version, caller.council, queries)
    return Response(await reviewer.run(partial(explain_definition, definition)), media_type=_MARKDOWN)


@router.get(
    "/v1/frameworks/{framework}/versions/{version}/drawing", response_class=Response, responses=_describe_content(_SVG)
)
async def draw_version(
    framework: FrameworkPath, version: VersionPath, caller: Staff, queries: Queries, reviewer: Reviewer
) -> Response:
    """The roads of the version as a picture."""
    definition = await _find_version(framework, version, caller.council, queries)
    picture = await reviewer.run(lambda: draw_svg(definition, group_roads(definition)))
    return Response(picture, media_type=_SVG)


@router.get(
    "/v1/frameworks/{framework}/versions/{version}/changes",
    response_class=Response,
    responses=_describe_content("text/markdown"),
)
async def compare_version(
    framework: FrameworkPath, version: VersionPath, caller: Staff, queries: Queries, reviewer: Reviewer
) -> Response:
    """What changes for whom from the version before to this one: to be read before a proposal is approved."""
    after = await _find_version(framework, version, caller.council, queries)
    before = await _find_version(framework, version - 1, caller.council, queries)
    return Response(await reviewer.run(partial(render_comparison, before, after)), media_type=_MARKDOWN)


async def _find_version(
    framework: FrameworkKey, version: int, council: CouncilKey, queries: RegistryQueries
) -> FrameworkDefinition:
    """Finds a published version, else the proposed one. Raises FrameworkNotFound."""
    published = await queries.find_definition(framework, version, council=council)
    if published is not None:
        return published.definition
    for proposal in await queries.list_proposals(council):
        if (proposal.definition.framework, proposal.definition.version) == (framework, version):
            return proposal.definition
    raise FrameworkNotFound
