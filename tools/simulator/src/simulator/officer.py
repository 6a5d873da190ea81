"""The officers: one telephones and awards, the other decides about prices above the ceiling."""

import asyncio
import contextlib
from collections.abc import Awaitable
from random import Random
from typing import Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from calloff.client import ApiClient, ApiResponse, ResponseModel
from contracts.events.listings import InadequateReason
from contracts.events.orders import SpotPriceRefusal
from contracts.events.packages import CallResult
from contracts.values import DeclineReason, Rating
from devstack.errors import ServiceRefused, ServiceUnreachable
from simulator.behaviour import Answering, CallOutcome, call_outcome

_LOOKS_EVERY: Final = 2.0
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


class ProposalSeen(ResponseModel):
    proposal_id: UUID
    rating: Rating


class Proposals(ResponseModel):
    items: tuple[ProposalSeen, ...]


class AwardIn(BaseModel):
    model_config = ConfigDict(frozen=True)

    proposal_id: UUID
    inadequate_reason: InadequateReason | None = None


class WorkList(ResponseModel):
    items: tuple[WorkItem, ...]


class CallIn(BaseModel):
    """The record of one call, as sourcing wants it."""

    model_config = ConfigDict(frozen=True)

    result: CallResult
    answer: Literal["accept", "decline"] | None = None
    decline_reason: DeclineReason | None = None


class RefusalIn(BaseModel):
    model_config = ConfigDict(frozen=True)

    reason: SpotPriceRefusal = SpotPriceRefusal.WAIT_FOR_OTHERS


class Officer:
    """Two officers, for what one alone may not decide; `calls` counts the calls that were recorded."""

    def __init__(self, caller: ApiClient, second: ApiClient, sourcing: str, pricing: str, *, seed: int) -> None:
        self._caller = caller
        self._second = second
        self._sourcing = sourcing
        self._pricing = pricing
        self._seed = seed
        self.calls = 0

    async def work(self) -> None:
        """Until cancelled; a service that is away is tried again at the next look."""
        while True:
            with contextlib.suppress(ServiceRefused, ServiceUnreachable):
                await self.work_through_list()
            await asyncio.sleep(_LOOKS_EVERY)

    async def work_through_list(self) -> int:
        """One round over the list as it stands now; how many things were done."""
        done = 0
        answer = await self._caller.get(f"{self._sourcing}/v1/work-list", limit="200")
        for item in answer.parse(WorkList).items:
            done += await self._do(item)
        return done

    async def _do(self, item: WorkItem) -> bool:
        if item.offer_id is not None:
            return await self._call(item.offer_id, item.attempt or 1)
        if item.award_id is not None:
            return await self._decide_price(item.award_id)
        return item.what == "proposals to decide" and await self._award(item.package_id)

    async def _award(self, package_id: UUID) -> bool:
        """The cheapest of the proposals that stand."""
        url = f"{self._sourcing}/v1/packages/{package_id}"
        found = (await self._caller.get(f"{url}/proposals")).parse(Proposals).items
        if not found:
            return False
        cheapest = found[0]
        reason = InadequateReason.NO_OTHER_PROPOSAL if cheapest.rating is Rating.INADEQUATE else None
        award = AwardIn(proposal_id=cheapest.proposal_id, inadequate_reason=reason)
        return await self._unless_too_late(self._caller.post(f"{url}/awards", award))

    async def _decide_price(self, award_id: UUID) -> bool:
        """The second officer agrees to two prices of three."""
        agrees = Random(f"{self._seed}/price/{award_id}").random() < 0.67
        url = f"{self._pricing}/v1/spot-prices/{award_id}"
        work = self._second.post(f"{url}/approve") if agrees else self._second.post(f"{url}/refuse", RefusalIn())
        return await self._unless_too_late(work)

    async def _unless_too_late(self, work: Awaitable[ApiResponse]) -> bool:
        """Whether it was done; somebody else may have been quicker, and news takes a moment."""
        try:
            await work
        except ServiceRefused as refused:
            if refused.status not in {404, 409}:
                raise
            return False
        return True

    async def _call(self, offer_id: UUID, attempt: int) -> bool:
        record = recorded(call_outcome(self._seed, offer_id, attempt=attempt))
        key = f"call-{offer_id}-{attempt}"
        url = f"{self._sourcing}/v1/offers/{offer_id}/calls"
        counts = await self._unless_too_late(self._caller.post(url, record, idempotency_key=key))
        self.calls += counts
        return counts


def recorded(outcome: CallOutcome) -> CallIn:
    """The record of what came of a call."""
    if not outcome.reached:
        return CallIn(result=CallResult.NOBODY_REACHED)
    if outcome.answering is Answering.ACCEPT:
        return CallIn(result=CallResult.REACHED, answer="accept")
    return CallIn(result=CallResult.REACHED, answer="decline", decline_reason=outcome.decline_reason)
