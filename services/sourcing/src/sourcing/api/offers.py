"""A provider's offers, and the calls that officers make about them."""

from collections.abc import Callable
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
from service_runtime.http.commands import CommandBus, json_response, to_stored_problem
from service_runtime.http.paging import Cursor, Limit, Page, build_page, decode_cursor
from service_runtime.http.problems import describe_problems
from service_runtime.idempotency import StoredResponse as HttpAnswer
from service_runtime.observability.tracing import set_package
from sourcing.api.callers import Bus, Officer, Provider, Queries, to_stream_key
from sourcing.domain.errors import OfferNotFound
from sourcing.domain.search import (
    Accept,
    Decline,
    Offer,
    OfferStatus,
    ProviderAnswer,
)
from sourcing.domain.steps import AnswerNotUsed
from sourcing.domain.triggers import AnswerOffer, RecordCall
from sourcing.handlers import CommandResult, handle_command
from sourcing.ports import OfferDetails, SearchQueries

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

    def reply(self) -> ProviderAnswer | None:
        """Raises InvalidInput when answer and reason bus not go together."""
        if self.answer is None and self.decline_reason is not None:
            raise InvalidInput(FieldError("#/decline_reason", "belongs to a decline; leave it out or set answer"))
        if self.answer is None:
            return None
        if self.answer is Answer.ACCEPT and self.decline_reason is None:
            return Accept()
        if self.answer is Answer.DECLINE and self.decline_reason is not None:
            return Decline(self.decline_reason)
        raise InvalidInput(FieldError("#/decline_reason", "a decline needs a reason, an acceptance has none"))


@router.get("/v1/offers", response_model=Page[OfferOut], responses=describe_problems())
async def list_my_offers(
    caller: Provider,
    queries: Queries,
    live: Annotated[bool, Query(description="only those that can still be answered")] = False,  # noqa: FBT002  a query parameter
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[OfferOut]:
    """Your offers, the newest first."""
    found = await queries.list_offers(
        caller.as_provider, caller.council, only_live=live, after=decode_cursor(cursor), limit=limit + 1
    )
    return build_page(
        found,
        limit,
        to_item=lambda row: _to_offer_out(row.offer, row.package_id, row.care),
        position=lambda row: (row.offer.made_at, row.offer.offer_id),
    )


@router.get("/v1/offers/{offer_id}", response_model=OfferOut, responses=describe_problems(404))
async def show_my_offer(offer_id: UUID, caller: Provider, queries: Queries) -> OfferOut:
    """One of your offers, with the instant until which it can be answered."""
    seen = await _find_own_offer(OfferId(offer_id), caller, queries)
    return _to_offer_out(seen.offer, seen.package_id, seen.care)


@router.post("/v1/offers/{offer_id}/accept", response_model=OfferOut, responses=describe_problems(404, 409))
async def accept_offer(offer_id: UUID, caller: Provider, queries: Queries, bus: Bus) -> Response:
    """Take the package on the offer's terms. Too late: 409, and your answer is on record."""
    return await _answer_offer(OfferId(offer_id), Accept(), caller, queries, bus)


@router.post("/v1/offers/{offer_id}/decline", response_model=OfferOut, responses=describe_problems(404, 409))
async def decline_offer(offer_id: UUID, body: DeclineIn, caller: Provider, queries: Queries, bus: Bus) -> Response:
    """Turn the package down, with the reason that fits best; the next provider is asked at once."""
    return await _answer_offer(OfferId(offer_id), Decline(body.reason), caller, queries, bus)


async def _answer_offer(
    offer_id: OfferId, answer: ProviderAnswer, caller: Caller, queries: SearchQueries, bus: CommandBus
) -> Response:
    seen = await _find_own_offer(offer_id, caller, queries)
    command = AnswerOffer(seen.package_id, offer_id, caller.as_provider, answer)
    respond = _respond_about(offer_id)
    return await bus.execute(command, handle_command, on=to_stream_key(seen.package_id), by=caller, respond=respond)


async def _find_own_offer(offer_id: OfferId, caller: Caller, queries: SearchQueries) -> OfferDetails:
    """Another provider's offer, and one of another council, is as unknown as one that does not exist."""
    seen = await queries.find_offer(offer_id)
    if seen is None or seen.offer.provider_id != caller.as_provider or seen.council != caller.council:
        raise OfferNotFound
    set_package(seen.package_id)
    return seen


@officers.post("/v1/offers/{offer_id}/calls", response_model=OfferOut, responses=describe_problems(404, 409))
async def record_a_call(offer_id: UUID, body: CallIn, caller: Officer, queries: Queries, bus: Bus) -> Response:
    """Record a telephone call to the offer's provider, and its answer if it gave one."""
    seen = await queries.find_offer(OfferId(offer_id))
    if seen is None or seen.council != caller.council:
        raise OfferNotFound
    command = RecordCall(seen.package_id, OfferId(offer_id), body.result, body.reply())
    respond = _respond_about(command.offer_id)
    return await bus.execute(command, handle_command, on=to_stream_key(seen.package_id), by=caller, respond=respond)


def _respond_about(offer_id: OfferId) -> Callable[[CommandResult], HttpAnswer]:
    """Build the function that turns the result of a command about this offer into its response."""

    def respond(result: CommandResult) -> HttpAnswer:
        if isinstance(result.outcome, AnswerNotUsed):
            return to_stored_problem(AnswerTooLate(_explain_lateness(result.outcome)))
        offer = result.search.find_offer(offer_id)
        if offer is None:
            raise OfferNotFound
        return json_response(_to_offer_out(offer, result.search.package_id, result.search.care))

    return respond


def _explain_lateness(late: AnswerNotUsed) -> str:
    if late.reason is LateReason.NO_LONGER_ELIGIBLE:
        return f"{late.reason}: {', '.join(late.passed_over)}; your answer is on record"
    return f"{late.reason}; your answer is on record, and no other one is needed"


def _to_offer_out(offer: Offer, package_id: PackageId, care: Care) -> OfferOut:
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
