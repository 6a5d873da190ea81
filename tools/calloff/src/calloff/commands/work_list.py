"""`calloff work-list`: the packages that wait for an officer."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from calloff.client import ApiResponse, ResponseModel
from calloff.commands.output import JsonOption, format_office_time, print_json, run_command
from calloff.commands.providers import ProviderDirectory
from calloff.commands.tables import print_table
from calloff.connection import connect_to_stack
from devstack.names import SOURCING

_COLUMNS = ("what", "package", "next step", "offer or award", "since")


class WorkItem(ResponseModel):
    what: str
    package_id: UUID
    do: str = ""
    since: datetime | None = None
    missing: tuple[str, ...] = ()
    offer_id: UUID | None = None
    award_id: UUID | None = None
    provider_id: UUID | None = None
    attempt: int | None = None

    def to_row(self, names: Mapping[UUID, str]) -> tuple[object, ...]:
        since = self.since and format_office_time(self.since)
        return self.what, self.package_id, self._describe_step(names), self.offer_id or self.award_id, since

    def _describe_step(self, names: Mapping[UUID, str]) -> str:
        details = [f"missing: {', '.join(self.missing)}"] if self.missing else []
        if self.attempt is not None:
            details.append(f"call {self.attempt}")
        text = f"{self.do} ({'; '.join(details)})" if details else self.do
        return text if self.provider_id is None else text.replace("the provider", names[self.provider_id], 1)


class WorkList(ResponseModel):
    items: tuple[WorkItem, ...]


def show_work_list(*, as_json: JsonOption = False) -> None:
    """List the packages that wait for an officer, and what the officer does next; the longest wait first."""
    response, names = run_command(_fetch_work_list())
    if as_json:
        print_json(response.body)
        return
    rows = [item.to_row(names) for item in response.parse(WorkList).items]
    print_table(_COLUMNS, rows, empty="Nothing waits for an officer.")


async def _fetch_work_list() -> tuple[ApiResponse, Mapping[UUID, str]]:
    async with connect_to_stack() as stack:
        response = await stack.create_client("officer").get(stack.get_url(SOURCING, "/v1/work-list"))
        items = response.parse(WorkList).items
        return response, await ProviderDirectory(stack).load_names(item.provider_id for item in items)
