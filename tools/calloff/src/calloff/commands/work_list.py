"""`calloff work-list`: what waits for an officer."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from calloff.client import ApiResponse, ResponseModel
from calloff.commands.output import JsonOption, format_office_time, print_json, print_line, run_command
from calloff.commands.providers import ProviderDirectory
from calloff.commands.tables import print_table
from calloff.connection import StackConnection, connect_to_stack
from devstack.names import SOURCING

_COLUMNS = ("what", "package", "next step", "offer, act, award or competition", "due", "officer")


class WorkItem(ResponseModel):
    what: str
    package_id: UUID
    do: str = ""
    since: datetime | None = None
    due: datetime | None = None
    officer: str | None = None
    missing: tuple[str, ...] = ()
    preferred: tuple[UUID, ...] = ()
    offer_id: UUID | None = None
    act_id: UUID | None = None
    award_id: UUID | None = None
    provider_id: UUID | None = None
    attempt: int | None = None
    competition_id: UUID | None = None
    count: int | None = None

    def to_row(self, names: Mapping[UUID, str]) -> tuple[object, ...]:
        due = self.due or self.since
        subject = self.offer_id or self.act_id or self.award_id or self.competition_id
        step = self._describe_step(names)
        return self.what, self.package_id, step, subject, due and format_office_time(due), self.officer

    def _describe_step(self, names: Mapping[UUID, str]) -> str:
        details = [f"missing: {', '.join(self.missing)}"] if self.missing else []
        if self.attempt is not None:
            details.append(f"call {self.attempt}")
        if self.preferred:
            details.append(f"the person prefers {', '.join(names[provider] for provider in self.preferred)}")
        if self.count is not None:
            details.append(f"{self.count} left")
        text = f"{self.do} ({'; '.join(details)})" if details else self.do
        return text if self.provider_id is None else text.replace("the provider", names[self.provider_id], 1)


class WorkList(ResponseModel):
    items: tuple[WorkItem, ...]
    next: str | None = None


def show_work_list(
    *,
    area: Annotated[str | None, typer.Option(help="Only packages of this area.")] = None,
    framework: Annotated[str | None, typer.Option(help="Only packages of this framework.")] = None,
    officer: Annotated[str | None, typer.Option(help="Only packages that are assigned to this officer.")] = None,
    cursor: Annotated[str | None, typer.Option(help="Of the next page, as this one printed it.")] = None,
    limit: Annotated[int, typer.Option(help="Items of the page.", min=1, max=200)] = 200,
    as_json: JsonOption = False,
) -> None:
    """List what waits for an officer, and what the officer does next; what is due first comes first."""
    chosen = {"area": area, "framework": framework, "officer": officer, "cursor": cursor, "limit": str(limit)}
    response, names = run_command(_fetch_work_list({key: text for key, text in chosen.items() if text is not None}))
    if as_json:
        print_json(response.body)
        return
    found = response.parse(WorkList)
    rows = [item.to_row(names) for item in found.items]
    print_table(_COLUMNS, rows, empty="Nothing waits for an officer.")
    if found.next is not None:
        print_line(f"There is more: calloff work-list --cursor {found.next}")


async def _fetch_work_list(parameters: Mapping[str, str]) -> tuple[ApiResponse, Mapping[UUID, str]]:
    async with connect_to_stack() as stack:
        url = stack.get_url(SOURCING, "/v1/work-list")
        response = await stack.create_client("officer").get(url, **parameters)
        return response, await _load_names(stack, response.parse(WorkList).items)


async def _load_names(stack: StackConnection, items: Sequence[WorkItem]) -> Mapping[UUID, str]:
    named = [provider for item in items for provider in (item.provider_id, *item.preferred)]
    return await ProviderDirectory(stack).load_names(named)
