"""Lists as workbooks: a provider opens the one that it got, chooses Yes or No in its rows, and sends it back."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Final
from uuid import UUID

from calloff.client import ApiClient, Request, ResponseModel
from testkit.list_workbooks import tick_workbook

_WORKBOOK_SHARE: Final = 0.5
"""Share of the providers that return Batching Lists as workbooks; the others send each row on its own."""
_STATUS: Final = {"interested": 200, "not interested": 200, "recorded and not used": 409}
"""The status that a row's own request would have had, by what came of it; 422 else."""


class ReturnedRow(ResponseModel):
    """What came of a row of a returned list."""

    reference: UUID | None
    result: str

    @property
    def status(self) -> int:
        return _STATUS.get(self.result, 422)


class _ReturnedList(ResponseModel):
    rows: tuple[ReturnedRow, ...]


def uses_workbooks(seed: int, provider_id: UUID) -> bool:
    return Random(f"{seed}/workbooks/{provider_id}").random() < _WORKBOOK_SHARE


async def return_workbook(client: ApiClient, list_url: str, answers: Mapping[UUID, bool]) -> Sequence[ReturnedRow]:
    """Fetch the list's workbook, fill in the answers, and return it. Raises KeyError for a row that it has not."""
    document = await client.get(f"{list_url}/document", format="xlsx")
    ticked = tick_workbook(document.body, answers)
    request = Request("POST", f"{list_url}/returns", body=ticked, content_type="application/octet-stream")
    return (await client.send(request)).parse(_ReturnedList).rows
