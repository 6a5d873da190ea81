"""Routes of lists as documents: providers fetch and return them, officers do both for a provider."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from contracts.catalogue import LISTS
from contracts.events.lists import ReturnChannel, RowResult
from contracts.ids import ListId, ProviderId
from list_documents.returns.limits import MAX_BYTES
from list_documents.returns.reading import read_return
from service_runtime.http.auth import Caller
from service_runtime.http.bodies import accept_body_up_to
from service_runtime.http.commands import CommandBus, json_response
from service_runtime.http.problems import describe_problems
from service_runtime.unit_of_work.streams import StreamKey
from sourcing.api.callers import Bus, Officer, Provider
from sourcing.api.list_files import FileFormat, write_list
from sourcing.api.list_of_provider import ListOfProvider, find_list_of_provider
from sourcing.api.list_returns import AppliedRow
from sourcing.api.lists import Lists
from sourcing.handlers import record_return

router = APIRouter(tags=["lists"])
officers = APIRouter(tags=["officers"])

Format = Annotated[FileFormat, Query(alias="format", description="how you want the list")]
_FILE = {
    "requestBody": {
        "required": True,
        "description": "the workbook or the CSV file, as it was sent, with the answers filled in; at most 10 MB",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
_FILES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The list", "content": {"application/octet-stream": {}}}
}


class ReturnedRowOut(BaseModel):
    line: int = Field(description="in the file")
    reference: UUID | None
    result: RowResult
    explanation: str = Field(description="what came of the row, and why")
    edited: bool = Field(description="cells of the council were changed; the answer counts nevertheless")


class ReturnOut(BaseModel):
    """What came of a returned list, row by row. Rows without an answer are left out."""

    list_id: UUID
    counted: int = Field(description="rows whose answers count")
    not_counted: int
    rows: list[ReturnedRowOut]


async def _find_for_provider(list_id: UUID, caller: Provider, lists: Lists) -> ListOfProvider:
    return await find_list_of_provider(ListId(list_id), caller, caller.as_provider, lists)


async def _find_for_officer(list_id: UUID, provider_id: UUID, caller: Officer, lists: Lists) -> ListOfProvider:
    return await find_list_of_provider(ListId(list_id), caller, ProviderId(provider_id), lists)


OwnList = Annotated[ListOfProvider, Depends(_find_for_provider)]
ProvidersList = Annotated[ListOfProvider, Depends(_find_for_officer)]


@router.get("/v1/lists/{list_id}/document", responses={**_FILES, **describe_problems(404)})
async def fetch_list(found: OwnList, file_format: Format = FileFormat.WORKBOOK) -> Response:
    """Fetch a list that went to you as a workbook, CSV or JSON. All formats show the same content hash."""
    return await send_file(found, file_format)


@router.post(
    "/v1/lists/{list_id}/returns",
    response_model=ReturnOut,
    responses=describe_problems(404, 413, 422),
    openapi_extra=_FILE,
)
@accept_body_up_to(MAX_BYTES)
async def return_list(found: OwnList, request: Request, caller: Provider, bus: Bus) -> Response:
    """Return a list with your answers. Each row is explained; one that cannot be used stops no other.

    A list that was closed meanwhile is recorded, and its ticks are not used.
    """
    return await _accept_file(found, request, caller, bus)


@officers.get(
    "/v1/council/lists/{list_id}/providers/{provider_id}/document", responses={**_FILES, **describe_problems(404)}
)
async def fetch_list_for_provider(found: ProvidersList, file_format: Format = FileFormat.WORKBOOK) -> Response:
    """Fetch the list as a provider got it."""
    return await send_file(found, file_format)


@officers.post(
    "/v1/council/lists/{list_id}/providers/{provider_id}/returns",
    response_model=ReturnOut,
    responses=describe_problems(404, 413, 422),
    openapi_extra=_FILE,
)
@accept_body_up_to(MAX_BYTES)
async def return_list_for_provider(found: ProvidersList, request: Request, caller: Officer, bus: Bus) -> Response:
    """Enter the list that a provider returned by mail or on paper; the record names the officer."""
    return await _accept_file(found, request, caller, bus)


async def send_file(found: ListOfProvider, file_format: FileFormat) -> Response:
    """Write the file beside the event loop: a workbook takes longer than other requests may wait."""
    written = await asyncio.to_thread(lambda: write_list(found.document, file_format))
    disposition = {"Content-Disposition": f'attachment; filename="{written.name}"', "Cache-Control": "no-store"}
    return Response(written.content, media_type=written.media_type, headers=disposition)


async def _accept_file(found: ListOfProvider, request: Request, caller: Caller, bus: CommandBus) -> Response:
    """Read the file, apply its rows, and record the return; a repeated request gets the first response again."""
    content = await request.body()
    returned = await asyncio.to_thread(read_return, content)
    applied = await found.apply(returned, caller, bus)
    record = found.build_record(content, applied, ReturnChannel.FILE, caller)
    return await bus.execute(
        record,
        record_return,
        on=StreamKey(LISTS, str(record.list_id)),
        by=caller,
        respond=lambda _: json_response(_to_return_out(record.list_id, applied, explained=True)),
        stored=lambda _: json_response(_to_return_out(record.list_id, applied, explained=False)),
    )


def _to_return_out(list_id: ListId, applied: Sequence[AppliedRow], *, explained: bool) -> ReturnOut:
    """Build the response; explanations can repeat what was typed, so that they are not stored."""
    answered = [each for each in applied if each.result is not RowResult.EMPTY]
    return ReturnOut(
        list_id=list_id,
        counted=sum(not each.is_problem for each in answered),
        not_counted=sum(each.is_problem for each in answered),
        rows=[
            ReturnedRowOut(
                line=each.row.number,
                reference=each.row.reference,
                result=each.result,
                explanation=each.text if explained else each.result.value,
                edited=each.row.is_edited,
            )
            for each in answered
        ],
    )
