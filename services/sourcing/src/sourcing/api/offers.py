"""A provider's offers, and the calls that officers make about them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from contracts.errors import Conflict, FieldError, InvalidInput
from contracts.events.packages import Answer, CallResult, LateReason
from contracts.ids import OfferId, PackageId
from contracts.values import Care, Channel, DeclineReason, Hours, Terms
from service_runtime.http.auth import Caller
from service_runtime.http.commands import CommandBus, json_response, problem_response_of
from service_runtime.http.paging import Cursor, Limit, Page, cursor_at, position_of
from service_runtime.http.problems import problems
from service_runtime.idempotency import StoredResponse as HttpAnswer
from service_runtime.observability.tracing import package_attributes
from sourcing.api.callers import Bus, Officer, Provider, Queries, stream_of
from sourcing.domain.errors import OfferNotFound
from sourcing.domain.search import (
    Accept,
    Decline,
    Offer,
    OfferStatus,
    Reply,
)
from sourcing.domain.steps import Late
from sourcing.handlers import (
    AnswerAnOffer,
    Answered,
    RecordACall,
    answer_offer,
    record_call,
)
from sourcing.ports import OfferSeen, SearchQueries

router = APIRouter(tags=["offers"])
officers = APIRouter(tags=["officers"])


class AnswerTooLate(Conflict):
    """The answer is on record, and was not used."""

    title = "Too late"


class OfferOut(BaseModel):
    """One package put to one provider, with what may be done about it now."""

    offer_id: UUID
    package_id: UUID = Field(description="an opaque reference; who the person is, referral tells after the placement")
    status: OfferStatus
    channel: Channel
    care: Care
    weekly_hours: Hours = Field(description="commissioned hours a week: a visit with two carers counts twice")
    terms: Terms
    made_at: datetime
    delivered_at: datetime | None
    answer_by: datetime | None = Field(description="exclusive; null until the offer is delivered")
    answer_minutes: int
    answer_minutes_are: Literal["brokerage time", "plain time"]
    allowed_actions: list[Answer]


class DeclineIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: DeclineReason


class CallIn(BaseModel):
    """What came of a telephone call; an answer given on it counts as the provider's own."""

    model_config = ConfigDict(extra="forbid")

    result: CallResult
    answer: Answer | None = None
    decline_reason: DeclineReason | None = Field(default=None, description="needed when the answer is a decline")

    def reply(self) -> Reply | None:
        """Raises InvalidInput when answer and reason do not go together."""
        if self.answer is None and self.decline_reason is not None:
            raise InvalidInput(FieldError("#/decline_reason", "belongs to a decline; leave it out or set answer"))
        if self.answer is None:
            return None
        if self.answer is Answer.ACCEPT and self.decline_reason is None:
            return Accept()
        if self.answer is Answer.DECLINE and self.decline_reason is not None:
            return Decline(self.decline_reason)
        raise InvalidInput(FieldError("#/decline_reason", "a decline needs a reason, an acceptance has none"))


@router.get("/v1/offers", response_model=Page[OfferOut], responses=problems())
async def list_my_offers(
    caller: Provider,
    ask: Queries,
    live: Annotated[bool, Query(description="only those that can still be answered")] = False,  # noqa: FBT002  a query parameter
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[OfferOut]:
    """Your offers, the newest first."""
    found = await ask.offers_of(
        caller.as_provider, caller.council, only_live=live, after=position_of(cursor), limit=limit + 1
    )
    page = found[:limit]
    following = cursor_at(page[-1].offer.made_at, page[-1].offer.offer_id) if len(found) > limit else None
    return Page(items=[_offer_out(each.offer, each.package_id, each.care) for each in page], next=following)


@router.get("/v1/offers/{offer_id}", response_model=OfferOut, responses=problems(404))
async def show_my_offer(offer_id: UUID, caller: Provider, ask: Queries) -> OfferOut:
    """One of your offers, with the instant until which it can be answered."""
    seen = await _own_offer(OfferId(offer_id), caller, ask)
    return _offer_out(seen.offer, seen.package_id, seen.care)


@router.post("/v1/offers/{offer_id}/accept", response_model=OfferOut, responses=problems(404, 409))
async def accept_offer(offer_id: UUID, caller: Provider, ask: Queries, do: Bus) -> Response:
    """Take the package on the offer's terms. Too late: 409, and your answer is on record."""
    return await _answer(OfferId(offer_id), Accept(), caller, ask, do)


@router.post("/v1/offers/{offer_id}/decline", response_model=OfferOut, responses=problems(404, 409))
async def decline_offer(offer_id: UUID, body: DeclineIn, caller: Provider, ask: Queries, do: Bus) -> Response:
    """Turn the package down, with the reason that fits best; the next provider is asked at once."""
    return await _answer(OfferId(offer_id), Decline(body.reason), caller, ask, do)


async def _answer(offer_id: OfferId, reply: Reply, caller: Caller, ask: SearchQueries, do: CommandBus) -> Response:
    seen = await _own_offer(offer_id, caller, ask)
    command = AnswerAnOffer(seen.package_id, offer_id, caller.as_provider, reply)
    return await do.execute(command, answer_offer, on=stream_of(seen.package_id), by=caller, respond=_tell)


async def _own_offer(offer_id: OfferId, caller: Caller, ask: SearchQueries) -> OfferSeen:
    """Another provider's offer, and one of another council, is as unknown as one that does not exist."""
    seen = await ask.offer(offer_id)
    if seen is None or seen.offer.provider_id != caller.as_provider or seen.council != caller.council:
        raise OfferNotFound
    package_attributes(seen.package_id)
    return seen


@officers.post("/v1/offers/{offer_id}/calls", response_model=OfferOut, responses=problems(404, 409))
async def record_a_call(offer_id: UUID, body: CallIn, caller: Officer, ask: Queries, do: Bus) -> Response:
    """Record a telephone call to the offer's provider, and its answer if it gave one."""
    seen = await ask.offer(OfferId(offer_id))
    if seen is None or seen.council != caller.council:
        raise OfferNotFound
    command = RecordACall(seen.package_id, OfferId(offer_id), body.result, body.reply())
    return await do.execute(command, record_call, on=stream_of(seen.package_id), by=caller, respond=_tell)


def _tell(result: Answered) -> HttpAnswer:
    if isinstance(result.outcome, Late):
        return problem_response_of(AnswerTooLate(_why(result.outcome)))
    return json_response(_offer_out(result.offer, result.search.package_id, result.search.care))


def _why(late: Late) -> str:
    if late.reason is LateReason.NO_LONGER_ELIGIBLE:
        return f"{late.reason}: {', '.join(late.passed_over)}; your answer is on record"
    return f"{late.reason}; your answer is on record, and no other one is needed"


def _offer_out(offer: Offer, package_id: PackageId, care: Care) -> OfferOut:
    return OfferOut(
        offer_id=offer.offer_id,
        package_id=package_id,
        status=offer.status,
        channel=offer.channel,
        care=care,
        weekly_hours=offer.weekly_hours,
        terms=offer.terms,
        made_at=offer.made_at,
        delivered_at=offer.delivered_at,
        answer_by=offer.answer_by,
        answer_minutes=offer.answer_minutes,
        answer_minutes_are="brokerage time" if offer.in_brokerage_time else "plain time",
        allowed_actions=[Answer.ACCEPT, Answer.DECLINE] if offer.is_live else [],
    )
