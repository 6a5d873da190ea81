"""`calloff unreadable`: lists, shows and discards records of Kafka that a service could not read and has passed."""

import json
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import typer

from calloff.client import ApiResponse, ResponseModel
from calloff.commands.dead_letters import DiscardRequest, ServiceOption
from calloff.commands.output import JsonOption, format_office_time, print_json, print_line, run_command
from calloff.commands.stack_status import Service, select_services
from calloff.connection import StackConnection, connect_to_stack
from contracts.errors import NotFound
from devstack.errors import ServiceRefused

unreadable = typer.Typer(help="Records of Kafka that a service could not read and has passed.", no_args_is_help=True)

_LARGEST_PAGE: Final = 200


class NotUnreadable(NotFound):
    title = "No such record"

    def __init__(self) -> None:
        super().__init__("no service lists this record; `calloff unreadable list` shows the records that are listed")


class UnreadableRecord(ResponseModel):
    id: UUID
    consumer: str
    topic: str
    partition: int
    offset: int
    because: str
    found_at: datetime


class UnreadableRecords(ResponseModel):
    items: tuple[UnreadableRecord, ...]
    next: str | None


@unreadable.command("list")
def list_unreadable(*, service: ServiceOption = None, as_json: JsonOption = False) -> None:
    """List the newest unreadable records of each service, with the commands that show or discard them."""
    responses = run_command(_fetch_unreadable(service))
    if as_json:
        print_json(json.dumps({name: json.loads(response.body)["items"] for name, response in responses.items()}))
        return
    lines = [
        line for name, response in responses.items() for line in _describe_page(name, response.parse(UnreadableRecords))
    ]
    print_line("\n".join(lines) or "Every record could be read.")


def _describe_page(service: str, page: UnreadableRecords) -> Iterator[str]:
    for record in page.items:
        place = f"{record.topic}-{record.partition} at {record.offset}"
        yield f"{service}, {place}, {record.consumer}, found {format_office_time(record.found_at)}: {record.because}"
        yield f"  calloff unreadable show {record.id}"
        yield f"  calloff unreadable discard {record.id} --because <ticket>"
    if page.next is not None:
        yield f"{service} lists more: GET /v1/unreadable"


async def _fetch_unreadable(service: Service | None) -> dict[str, ApiResponse]:
    path = f"/v1/unreadable?limit={_LARGEST_PAGE}"
    async with connect_to_stack() as stack:
        client = stack.create_client("operator")
        return {name: await client.get(stack.get_url(name, path)) for name in select_services(service)}


@unreadable.command("show")
def show_unreadable(record_id: UUID, *, service: ServiceOption = None) -> None:
    """Print a record as JSON, its bytes in base64. They are foreign: they can contain anything."""

    async def get(stack: StackConnection, name: str) -> ApiResponse:
        return await stack.create_client("operator").get(stack.get_url(name, f"/v1/unreadable/{record_id}"))

    print_json(run_command(_ask_until_found(get, service)).body)


@unreadable.command("discard")
def discard_unreadable(
    record_id: UUID,
    *,
    because: Annotated[str, typer.Option(help="A code or ticket number, without names of people.")],
    service: ServiceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a record off the list; it is kept with the reason."""
    body = DiscardRequest(because=because)

    async def discard(stack: StackConnection, name: str) -> ApiResponse:
        url = stack.get_url(name, f"/v1/unreadable/{record_id}/discard")
        return await stack.create_client("operator").post(url, body)

    run_command(_ask_until_found(discard, service))
    print_json('{"discarded": true}') if as_json else print_line("The record is discarded; the discard is on record.")


async def _ask_until_found(
    request: Callable[[StackConnection, str], Awaitable[ApiResponse]], service: Service | None
) -> ApiResponse:
    """Sends `request` to each service until one has the record. Raises NotUnreadable."""
    async with connect_to_stack() as stack:
        for name in select_services(service):
            try:
                return await request(stack, name)
            except ServiceRefused as refused:
                if refused.status != 404:
                    raise
    raise NotUnreadable
