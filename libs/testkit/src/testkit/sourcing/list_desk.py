"""Reads lists of a running sourcing service and ticks their rows, as providers and officers do."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel

from contracts.catalogue import LISTS
from contracts.events.listings import Advert
from contracts.ids import AreaCode, ListId, ListingReference
from testkit.http_response import HttpResponse
from testkit.sourcing.harness import ANSWER, OPERATE, WAIT_TIMEOUT
from testkit.sourcing.scenario_market import ScenarioMarket
from testkit.topics import read_topic
from testkit.waiting import wait_until


class ListSummary(BaseModel):
    list_id: ListId
    kind: str
    day: date
    moved_from: date | None
    late: bool
    closes_at: datetime | None
    is_closed: bool


class ListPage(BaseModel):
    items: list[ListSummary]


class MyProposal(BaseModel):
    rate: str


class ListRowResponse(BaseModel):
    advert: Advert
    is_open: bool
    ticked: bool | None
    my_proposal: MyProposal | None


class ListResponse(BaseModel):
    summary: ListSummary
    areas: list[AreaCode]
    rows: list[ListRowResponse]


@dataclass(frozen=True)
class ListRecord:
    """An event of a list's stream, as Kafka has it."""

    type: str
    payload: dict[str, Any]  # JSON of the event


@dataclass(frozen=True)
class ListDesk:
    """The lists of one market."""

    market: ScenarioMarket

    async def list_ids(self, name: str) -> list[ListId]:
        """Lists the ids of the provider's lists, the newest first."""
        answer = await self.market.request_as_provider(name, "GET", "/v1/lists?limit=200")
        return [each.list_id for each in ListPage.model_validate(answer.body).items]

    async def wait_for_list(self, name: str, *, other_than: ListId | None = None) -> ListId:
        """Waits until a list went to the provider that is not `other_than`."""

        async def find_list() -> ListId | None:
            return next((each for each in await self.list_ids(name) if each != other_than), None)

        return await wait_until(find_list, within=WAIT_TIMEOUT)

    async def request_list(self, name: str, list_id: ListId) -> HttpResponse:
        return await self.market.request_as_provider(name, "GET", f"/v1/lists/{list_id}")

    async def read_list(self, name: str, list_id: ListId) -> ListResponse:
        return ListResponse.model_validate((await self.request_list(name, list_id)).body)

    async def fetch_file(self, name: str, list_id: ListId, file_format: str = "xlsx") -> bytes:
        """Fetches the list as the provider's file."""
        path = f"/v1/lists/{list_id}/document?format={file_format}"
        return (await self.market.request_as_provider(name, "GET", path)).content

    async def return_file(
        self, name: str, list_id: ListId, content: bytes, *, idempotency_key: str | None = None
    ) -> HttpResponse:
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key is not None else {}
        provider = str(self.market.get_provider_id(name))
        harness = self.market.harness
        return await harness.sourcing.request(
            "POST",
            f"/v1/lists/{list_id}/returns",
            ANSWER,
            raw=content,
            headers=headers,
            provider_id=provider,
            subject=f"system-{provider}",
            council=harness.council,
        )

    async def return_file_as_officer(self, name: str, list_id: ListId, content: bytes) -> HttpResponse:
        path = f"/v1/council/lists/{list_id}/providers/{self.market.get_provider_id(name)}/returns"
        harness = self.market.harness
        return await harness.sourcing.request(
            "POST", path, OPERATE, raw=content, subject="officer-1", council=harness.council
        )

    async def tick(
        self, name: str, list_id: ListId, *, interested: bool = True, as_seen_by: str | None = None
    ) -> HttpResponse:
        """Ticks the only row of the list for the provider; `as_seen_by` reads its reference."""
        reference = await self._find_reference(as_seen_by or name, list_id)
        path = f"/v1/lists/{list_id}/rows/{reference}/interest"
        return await self.market.request_as_provider(name, "PUT", path, {"interested": interested})

    async def tick_as_officer(self, name: str, list_id: ListId, *, interested: bool = True) -> HttpResponse:
        """Ticks the only row of the list, as an officer does for a provider without a system."""
        row = f"/v1/council/lists/{list_id}/rows/{await self._find_reference(name, list_id)}"
        path = f"{row}/providers/{self.market.get_provider_id(name)}/interest"
        return await self.market.harness.request_as_officer("PUT", path, {"interested": interested})

    async def _find_reference(self, name: str, list_id: ListId) -> ListingReference:
        (row,) = (await self.read_list(name, list_id)).rows
        return row.advert.reference

    async def read_events(self, list_id: ListId) -> list[ListRecord]:
        """Reads the events of the list's stream from Kafka."""
        records = await read_topic(self.market.harness.kafka, LISTS, keys={str(list_id)})
        return [ListRecord(each.get_header("ce_type").split(".")[1], json.loads(each.value)) for each in records]

    async def wait_for_events(self, list_id: ListId, event_type: str) -> list[ListRecord]:
        """Waits until Kafka has an event of this type about the list, and returns all of them."""

        async def find_events() -> list[ListRecord] | None:
            return [each for each in await self.read_events(list_id) if each.type == event_type] or None

        return await wait_until(find_events, within=WAIT_TIMEOUT)
