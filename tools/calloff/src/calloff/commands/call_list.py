"""`calloff call-list`: the providers that an officer telephones, with what to say and by when."""

import json
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import typer

from calloff.client import ApiResponse, ResponseModel
from calloff.commands.output import JsonOption, format_office_time, print_json, run_command
from calloff.commands.tables import print_table
from calloff.connection import connect_to_stack
from devstack.names import REGISTRY

_COLUMNS: Final = ("by", "provider", "telephone", "call", "say", "record at")
_PAGE_SIZE: Final = "200"


class Call(ResponseModel):
    provider_id: UUID
    due_at: datetime
    provider: str | None = None
    phone: str | None = None
    attempt: int = 1
    say: tuple[str, ...] = ()
    record_at: str = ""

    def to_row(self) -> tuple[object, ...]:
        by, name = format_office_time(self.due_at), self.provider or self.provider_id
        return by, name, self.phone, self.attempt, " ".join(self.say), self.record_at


class CallPage(ResponseModel):
    items: tuple[Call, ...]
    next: str | None = None


def show_call_list(
    *,
    area: Annotated[str | None, typer.Option(help="Only calls about this area.")] = None,
    framework: Annotated[str | None, typer.Option(help="Only calls about this framework.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the providers to telephone, what to say, and where the call is recorded; the first due first."""
    chosen = {"area": area, "framework": framework}
    pages = run_command(_fetch_call_list({name: value for name, value in chosen.items() if value is not None}))
    if as_json:
        print_json(json.dumps({"items": [item for page in pages for item in json.loads(page.body)["items"]]}))
        return
    rows = [call.to_row() for page in pages for call in page.parse(CallPage).items]
    print_table(_COLUMNS, rows, empty="No provider waits for a call.")


async def _fetch_call_list(chosen: dict[str, str]) -> list[ApiResponse]:
    """Returns all pages."""
    pages: list[ApiResponse] = []
    async with connect_to_stack() as stack:
        client, url = stack.create_client("officer"), stack.get_url(REGISTRY, "/v1/call-list")
        cursor: dict[str, str] = {}
        while True:
            page = await client.get(url, limit=_PAGE_SIZE, **chosen, **cursor)
            pages.append(page)
            following = page.parse(CallPage).next
            if following is None:
                return pages
            cursor = {"cursor": following}
