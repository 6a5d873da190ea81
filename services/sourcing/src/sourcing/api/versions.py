"""The route by which an officer moves a search to another version of its framework's definition."""

from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from service_runtime.http.commands import json_response
from service_runtime.http.problems import describe_problems
from service_runtime.http.text_fields import RequestBody, WholeNumber
from service_runtime.idempotency import StoredResponse as HttpAnswer
from sourcing.api.callers import Bus, Officer, Queries, find_search, to_stream_key
from sourcing.domain.triggers import ChangeVersion
from sourcing.handlers import CommandResult, handle_command

router = APIRouter(tags=["officers"])

LARGEST_VERSION = 1_000_000


class VersionIn(RequestBody):
    version: WholeNumber = Field(ge=1, le=LARGEST_VERSION, description="a published version that is in force")


class VersionOut(BaseModel):
    """The version of the definition that the search uses from now on."""

    package_id: UUID
    definition_version: int | None


@router.put(
    "/v1/packages/{package_id}/definition-version", response_model=VersionOut, responses=describe_problems(404, 409)
)
async def change_definition_version(
    package_id: UUID, body: VersionIn, caller: Officer, queries: Queries, bus: Bus
) -> Response:
    """Move a search that is under way to another version. Packages keep theirs otherwise; the move is on record."""
    search = await find_search(package_id, caller, queries)
    command = ChangeVersion(search.package_id, body.version, caller.actor)
    return await bus.execute(
        command, handle_command, on=to_stream_key(search.package_id), by=caller, respond=_respond_with_version
    )


def _respond_with_version(result: CommandResult) -> HttpAnswer:
    search = result.search
    return json_response(VersionOut(package_id=search.package_id, definition_version=search.definition_version))
