"""Routes of published definitions."""

from datetime import date, datetime

from fastapi import APIRouter
from pydantic import BaseModel

from contracts.framework.definition import FrameworkDefinition
from contracts.ids import FrameworkKey
from provider_registry.api.callers import AnyCaller, Queries
from provider_registry.api.scopes import FrameworkPath, VersionPath
from provider_registry.domain.errors import FrameworkNotFound
from service_runtime.http.problems import describe_problems

router = APIRouter(tags=["frameworks"])


class FrameworkOut(BaseModel):
    """One published version of a framework."""

    framework: str
    version: int
    title: str
    runs_from: date
    runs_until: date

    @classmethod
    def from_definition(cls, definition: FrameworkDefinition) -> "FrameworkOut":
        return cls(
            framework=definition.framework,
            version=definition.version,
            title=definition.title,
            runs_from=definition.runs_from,
            runs_until=definition.runs_until,
        )


class FrameworksOut(BaseModel):
    items: list[FrameworkOut]


class DefinitionOut(BaseModel):
    published_at: datetime
    definition: FrameworkDefinition


@router.get("/v1/frameworks", response_model=FrameworksOut, responses=describe_problems())
async def list_frameworks(caller: AnyCaller, queries: Queries) -> FrameworksOut:
    """Your council's frameworks, each in its newest published version."""
    found = await queries.list_frameworks(caller.council)
    return FrameworksOut(items=[FrameworkOut.from_definition(each.definition) for each in found])


@router.get(
    "/v1/frameworks/{framework}/versions/{version}", response_model=DefinitionOut, responses=describe_problems(404)
)
async def show_definition(
    framework: FrameworkPath, version: VersionPath, caller: AnyCaller, queries: Queries
) -> DefinitionOut:
    """One published version of a framework's definition; it never changes."""
    found = await queries.find_definition(FrameworkKey(framework), version, council=caller.council)
    if found is None:
        raise FrameworkNotFound
    return DefinitionOut(published_at=found.published_at, definition=found.definition)
