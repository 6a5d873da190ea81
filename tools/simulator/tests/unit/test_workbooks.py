"""A simulated provider opens the workbook of a list, fills in its answers, and returns it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import UUID, uuid5

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from calloff.client import ApiClient
from list_documents.workbook import write_workbook
from simulator.demo.workbooks import return_workbook, uses_workbooks
from testkit.list_workbooks import INTERESTED, REFERENCE, read_cells
from testkit.listed_documents import a_batching_list, a_row

PROVIDERS = [uuid5(UUID(int=0), str(number)) for number in range(400)]


@dataclass
class Sourcing:
    """Stands for sourcing: gives a real workbook out, and keeps what comes back."""

    workbook: bytes
    returned: list[bytes] = field(default_factory=list[bytes])

    async def send(self, request: web.Request) -> web.Response:
        assert request.query["format"] == "xlsx"
        return web.Response(body=self.workbook)

    async def take(self, request: web.Request) -> web.Response:
        self.returned.append(await request.read())
        first, second, third = (cells[REFERENCE] for cells in read_cells(self.workbook))
        results = {first: "interested", second: "recorded and not used", third: "not accepted"}
        return web.json_response({"rows": [{"reference": each, "result": results[each]} for each in results]})


@pytest.fixture
async def sourcing() -> AsyncIterator[tuple[Sourcing, str]]:
    service, app = Sourcing(write_workbook(a_batching_list(*map(a_row, range(1, 4))))), web.Application()
    app.add_routes([web.get("/list/document", service.send), web.post("/list/returns", service.take)])
    async with TestServer(app) as server:
        yield service, str(server.make_url("/list"))


async def test_the_returned_workbook_has_the_answers(sourcing: tuple[Sourcing, str]) -> None:
    service, url = sourcing
    first, second, third = (UUID(cells[REFERENCE]) for cells in read_cells(service.workbook))
    async with aiohttp.ClientSession() as session:
        rows = await return_workbook(ApiClient(session, None), url, {first: True, second: False})
    (returned,) = service.returned
    answers = {UUID(cells[REFERENCE]): cells.get(INTERESTED, "") for cells in read_cells(returned)}
    assert answers == {first: "Yes", second: "No", third: ""}
    assert [each.status for each in rows] == [200, 409, 422]


def test_half_of_the_providers_use_workbooks() -> None:
    assert 150 < sum(uses_workbooks(1, each) for each in PROVIDERS) < 250
