"""A provider's system answers the rows of a list that it receives: it ticks, or proposes a rate."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid5

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from calloff.client import ApiClient
from contracts.example_words import Units
from devstack.json_lines import JsonLinesReader, JsonLinesWriter
from simulator.behaviour import draw_interest, draw_tick
from simulator.provider_systems import LIST_ISSUED, AnswerLogEntry, ProviderSystems
from simulator.webhook_receivers import Links, ListedRow, PackageAdvert, ReceivedWebhook, WebhookData

ALDER = UUID("0197a3c0-0000-7000-8000-000000000002")
REFERENCES = [uuid5(ALDER, str(number)) for number in range(40)]
LIST = uuid5(ALDER, "a list")


class Sourcing:
    """Stands for sourcing: notes the requests, and has closed its lists if `is_late`."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, bytes]] = []
        self.is_late = False

    async def answer(self, request: web.Request) -> web.Response:
        self.requests.append((request.method, request.path, await request.read()))
        return web.Response(status=409 if self.is_late else 200)


@pytest.fixture
async def sourcing() -> AsyncIterator[tuple[Sourcing, str]]:
    service, app = Sourcing(), web.Application()
    app.router.add_route("*", "/{path:.*}", service.answer)
    async with TestServer(app) as server:
        yield service, str(server.make_url("")).rstrip("/")


def a_list(url: str, link: str) -> ReceivedWebhook:
    rows = tuple(
        ListedRow(
            advert=PackageAdvert(reference=each), unit=Units.HOUR, links=Links.model_validate({link: f"{url}/{each}"})
        )
        for each in REFERENCES
    )
    data = WebhookData(list_id=LIST, rows=rows)
    return ReceivedWebhook(type=LIST_ISSUED, timestamp=datetime(2027, 3, 24, 16, tzinfo=UTC), data=data)


async def handle(url: str, webhook: ReceivedWebhook, log: Path, *, references: set[UUID]) -> list[AnswerLogEntry]:
    """Lets Alder's system handle the part of a list that has these rows."""
    rows = tuple(row for row in webhook.data.rows if row.advert.reference in references)
    part = webhook.model_copy(update={"data": webhook.data.model_copy(update={"rows": rows})})
    writer = JsonLinesWriter[AnswerLogEntry](log)
    async with aiohttp.ClientSession() as session:
        systems = ProviderSystems(
            sourcing_url=url, create_client=lambda _: ApiClient(session, None), log=writer, seed=1
        )
        await systems.handle_webhook(ALDER, part)
    writer.close()
    return list(JsonLinesReader(log, AnswerLogEntry).read_new())


async def test_rows_that_interest_the_provider_are_ticked(sourcing: tuple[Sourcing, str], tmp_path: Path) -> None:
    service, url = sourcing
    logged = await handle(url, a_list(url, "interest"), tmp_path / "log", references=set(REFERENCES))
    ticked = [each for each in REFERENCES if draw_tick(1, ALDER, each)]
    assert service.requests == [("PUT", f"/{each}", b'{"interested":true}') for each in ticked]
    assert [(each.what, each.reference, each.status) for each in logged] == [("tick", each, 200) for each in ticked]
    assert 0 < len(ticked) < len(REFERENCES)


async def test_a_tick_that_is_too_late_is_logged_and_not_repeated(
    sourcing: tuple[Sourcing, str], tmp_path: Path
) -> None:
    service, url = sourcing
    service.is_late = True
    ticked = next(each for each in REFERENCES if draw_tick(1, ALDER, each))
    logged = await handle(url, a_list(url, "interest"), tmp_path / "log", references={ticked})
    assert [(each.what, each.status) for each in logged] == [("tick", 409)]
    assert len(service.requests) == 1


async def test_available_packages_are_proposed_for(sourcing: tuple[Sourcing, str], tmp_path: Path) -> None:
    service, url = sourcing
    interest = {each: draw_interest(1, ALDER, each, Units.HOUR) for each in REFERENCES}
    soonest = min((each.delay_seconds, reference) for reference, each in interest.items() if each is not None)[1]
    logged = await handle(url, a_list(url, "propose"), tmp_path / "log", references={soonest})
    assert [(method, path) for method, path, _ in service.requests] == [("POST", f"/{soonest}")]
    assert [(each.what, each.reference) for each in logged] == [("propose", soonest)]
