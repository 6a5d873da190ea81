"""The simulated officers: the first telephones and awards, the second decides prices above the ceiling."""

import asyncio
import contextlib
from collections.abc import Awaitable
from random import Random
from typing import Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from calloff.client import ApiClient, ApiResponse, ResponseModel
from contracts.events.offers import CallResult
from contracts.example_words import InadequateReasons, PriceRefusals
from contracts.ids import ReasonKey
from contracts.values import Rating
from devstack.errors import ServiceRefused, ServiceUnreachable
from simulator.behaviour import CallOutcome, OfferAnswer, draw_call_outcome

_POLL_INTERVAL: Final = 2.0
"""Seconds."""


class WorkItem(ResponseModel):
    what: str
    package_id: UUID
    stage: str | None = None
    missing: tuple[str, ...] = ()
    offer_id: UUID | None = None
    provider_id: UUID | None = None
    attempt: int | None = None
    award_id: UUID | None = None


class ReceivedProposal(ResponseModel):
    proposal_id: UUID
    rating: Rating


class ProposalPage(ResponseModel):
    items: tuple[ReceivedProposal, ...]


class AwardIn(BaseModel):
    model_config = ConfigDict(frozen=True)

    proposal_id: UUID
    inadequate_reason: ReasonKey | None = None


class WorkList(ResponseModel):
    items: tuple[WorkItem, ...]
    next: str | None = None


class CallIn(BaseModel):
    """The record of one call in sourcing's format."""

    model_config = ConfigDict(frozen=True)

    result: CallResult
    answer: Literal["accept", "decline"] | None = None
    decline_reason: ReasonKey | None = None


class RefusalIn(BaseModel):
    model_config = ConfigDict(frozen=True)

    reason: ReasonKey = PriceRefusals.WAIT_FOR_OTHERS


class Officer:
    """Acts for both officers. `calls` counts the calls that were recorded."""

    def __init__(
        self, first_client: ApiClient, second_client: ApiClient, sourcing_url: str, pricing_url: str, *, seed: int
    ) -> None:
        self._first_client = first_client
        self._second_client = second_client
        self._sourcing_url = sourcing_url
        self._pricing_url = pricing_url
        self._seed = seed
        self.calls = 0

    async def run(self) -> None:
        """Process the work list until cancelled. An unreachable service is tried again at the next poll."""
        while True:
            with contextlib.suppress(ServiceRefused, ServiceUnreachable):
                await self.process_work_list()
            await asyncio.sleep(_POLL_INTERVAL)

    async def process_work_list(self) -> int:
        """Process every item of the current work list, page by page, and return how many items were done."""
        done, page = 0, await self._read_page()
        while True:
            for item in page.items:
                done += await self._process_item(item)
            if page.next is None:
                return done
            page = await self._read_page(cursor=page.next)

    async def _read_page(self, **parameters: str) -> WorkList:
        response = await self._first_client.get(f"{self._sourcing_url}/v1/work-list", limit="200", **parameters)
        return response.parse(WorkList)

    async def _process_item(self, item: WorkItem) -> bool:
        if item.offer_id is not None:
            return await self._call(item.offer_id, item.attempt or 1)
        if item.award_id is not None:
            return await self._decide_price(item.award_id)
        return item.what == "proposals to decide" and await self._award(item.package_id)

    async def _award(self, package_id: UUID) -> bool:
        """Award the cheapest valid proposal."""
        url = f"{self._sourcing_url}/v1/packages/{package_id}"
        proposals = (await self._first_client.get(f"{url}/proposals")).parse(ProposalPage).items
        if not proposals:
            return False
        cheapest = proposals[0]
        reason = InadequateReasons.NO_OTHER_PROPOSAL if cheapest.rating is Rating.INADEQUATE else None
        award = AwardIn(proposal_id=cheapest.proposal_id, inadequate_reason=reason)
        return await self._send_unless_obsolete(self._first_client.post(f"{url}/awards", award))

    async def _decide_price(self, award_id: UUID) -> bool:
        """Approve two of three prices and refuse the others."""
        agrees = Random(f"{self._seed}/price/{award_id}").random() < 0.67
        url = f"{self._pricing_url}/v1/spot-prices/{award_id}"
        request = (
            self._second_client.post(f"{url}/approve")
            if agrees
            else self._second_client.post(f"{url}/refuse", RefusalIn())
        )
        return await self._send_unless_obsolete(request)

    async def _send_unless_obsolete(self, request: Awaitable[ApiResponse]) -> bool:
        """Send the request; return False if the service answers 404 or 409 because the item has changed."""
        try:
            await request
        except ServiceRefused as refused:
            if refused.status not in {404, 409}:
                raise
            return False
        return True

    async def _call(self, offer_id: UUID, attempt: int) -> bool:
        record = build_call_record(draw_call_outcome(self._seed, offer_id, attempt=attempt))
        key = f"call-{offer_id}-{attempt}"
        url = f"{self._sourcing_url}/v1/offers/{offer_id}/calls"
        is_recorded = await self._send_unless_obsolete(self._first_client.post(url, record, idempotency_key=key))
        self.calls += is_recorded
        return is_recorded


def build_call_record(outcome: CallOutcome) -> CallIn:
    """Build the record of a call."""
    if not outcome.reached:
        return CallIn(result=CallResult.NOT_REACHED)
    if outcome.answer is OfferAnswer.ACCEPT:
        return CallIn(result=CallResult.REACHED, answer="accept")
    return CallIn(result=CallResult.REACHED, answer="decline", decline_reason=outcome.decline_reason)
