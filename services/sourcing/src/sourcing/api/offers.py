"""Routes of offers: providers list and answer them, officers record calls about them."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from contracts.catalogue import PACKAGES
from contracts.errors import Conflict, FieldError, InvalidInput
from contracts.events.offers import CallResult, OfferAnswer
from contracts.events.reasons import LateReason
from contracts.ids import OfferId, PackageId, ReasonKey
from contracts.values import Care, Channel, Hours, Terms
from service_runtime.http.auth import Caller
from service_runtime.http.commands import CommandBus, json_response, to_stored_problem
from service_runtime.http.paging import Cursor, Limit, Page, build_page, decode_cursor
from service_runtime.http.problems import describe_problems
from service_runtime.http.text_fields import ReasonName, RequestBody
from service_runtime.idempotency import StoredResponse as HttpAnswer
from service_runtime.observability.tracing import set_subject
from sourcing.api.callers import Bus, Officer, Provider, Queries, to_stream_key
from sourcing.domain.errors import OfferNotFound
from sourcing.domain.offer import Accept, Decline, Offer, OfferStatus, ProviderAnswer
from sourcing.domain.steps import AnswerNotUsed
from sourcing.domain.triggers import AnswerOffer, RecordCall
from sourcing.handlers import CommandResult, handle_command
from sourcing.ports import OfferDetails, SearchQueries

router = APIRouter(tags=["offers"])
officers = APIRouter(tags=["officers"])


class AnswerTooLate(Conflict):
    """The answer is recorded and was not used."""

    title = "Too late"


class OfferOut(BaseModel):
    """An offer of one package to one provider, with the actions that are allowed now."""

    offer_id: UUID
    package_id: UUID = Field(description="an opaque reference; referral reveals the person after the placement")
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
    allowed_actions: list[OfferAnswer]


class DeclineIn(RequestBody):
    reason: ReasonName = Field(description="one of the reasons that the framework's definition lists")


class AnswerIn(RequestBody):
    """A provider's answer as an officer enters it."""

    answer: OfferAnswer
    decline_reason: ReasonName | None = Field(default=None, description="needed when the answer is a decline")

    def to_answer(self) -> ProviderAnswer:
        """Return the answer. Raises InvalidInput when answer and reason contradict."""
        return build_answer(self.answer, self.decline_reason)


class CallIn(RequestBody):
    """The result of a telephone call; an answer given on it counts as the provider's own."""

    result: CallResult
    answer: OfferAnswer | None = None
    decline_reason: ReasonName | None = Field(default=None, description="needed when the answer is a decline")

    def reply(self) -> ProviderAnswer | None:
        """Return the answer given on the call, if any. Raises InvalidInput when answer and reason contradict."""
        if self.answer is None and self.decline_reason is not None:
            raise InvalidInput(FieldError("#/decline_reason", "belongs to a decline; leave it out or set answer"))
        return None if self.answer is None else build_answer(self.answer, self.decline_reason)


def build_answer(answer: OfferAnswer, decline_reason: ReasonKey | None) -> ProviderAnswer:
    """Build a provider's answer. Raises InvalidInput when answer and reason contradict."""
    if answer is OfferAnswer.ACCEPT and decline_reason is None:
        return Accept()
    if answer is OfferAnswer.DECLINE and decline_reason is not None:
        return Decline(decline_reason)
    raise InvalidInput(FieldError("#/decline_reason", "a decline needs a reason, an acceptance has none"))


@router.get("/v1/offers", response_model=Page[OfferOut], responses=describe_problems())
async def list_my_offers(
    caller: Provider,
    queries: Queries,
    live: Annotated[bool, Query(description="only those that can still be answered")] = False,  # noqa: FBT002  a query parameter
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[OfferOut]:
    """List your offers, the newest first."""
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
    """Show one of your offers, with the instant before which it can be answered."""
    details = await _find_own_offer(OfferId(offer_id), caller, queries)
    return _to_offer_out(details.offer, details.package_id, details.care)


@router.post("/v1/offers/{offer_id}/accept", response_model=OfferOut, responses=describe_problems(404, 409))
async def accept_offer(offer_id: UUID, caller: Provider, queries: Queries, bus: Bus) -> Response:
    """Accept the package on the offer's terms. An answer that is too late gets 409 and is recorded."""
    return await _answer_offer(OfferId(offer_id), Accept(), caller, queries, bus)


@router.post("/v1/offers/{offer_id}/decline", response_model=OfferOut, responses=describe_problems(404, 409))
async def decline_offer(offer_id: UUID, body: DeclineIn, caller: Provider, queries: Queries, bus: Bus) -> Response:
    """Decline the package with the reason that fits best; the next provider gets its offer at once."""
    return await _answer_offer(OfferId(offer_id), Decline(body.reason), caller, queries, bus)


async def _answer_offer(
    offer_id: OfferId, answer: ProviderAnswer, caller: Caller, queries: SearchQueries, bus: CommandBus
) -> Response:
    place = await queries.find_offer_place(offer_id)
    if place is None or place.provider_id != caller.as_provider or place.council != caller.council:
        raise OfferNotFound
    set_subject(PACKAGES, str(place.package_id))
    command = AnswerOffer(place.package_id, offer_id, caller.as_provider, answer)
    respond = _make_responder(offer_id)
    return await bus.execute(command, handle_command, on=to_stream_key(place.package_id), by=caller, respond=respond)


async def _find_own_offer(offer_id: OfferId, caller: Caller, queries: SearchQueries) -> OfferDetails:
    """Find the caller's own offer. Raises OfferNotFound, also for offers of other providers or councils."""
    details = await queries.find_offer(offer_id)
    if details is None or details.offer.provider_id != caller.as_provider or details.council != caller.council:
        raise OfferNotFound
    set_subject(PACKAGES, str(details.package_id))
    return details


@officers.post("/v1/offers/{offer_id}/calls", response_model=OfferOut, responses=describe_problems(404, 409))
async def record_a_call(offer_id: UUID, body: CallIn, caller: Officer, queries: Queries, bus: Bus) -> Response:
    """Record a telephone call to the offer's provider, and its answer if it gave one."""
    details = await queries.find_offer(OfferId(offer_id))
    if details is None or details.council != caller.council:
        raise OfferNotFound
    command = RecordCall(details.package_id, OfferId(offer_id), body.result, body.reply())
    respond = _make_responder(command.offer_id)
    return await bus.execute(command, handle_command, on=to_stream_key(details.package_id), by=caller, respond=respond)


@officers.post("/v1/offers/{offer_id}/answers", response_model=OfferOut, responses=describe_problems(404, 409))
async def enter_an_answer(offer_id: UUID, body: AnswerIn, caller: Officer, queries: Queries, bus: Bus) -> Response:
    """Enter a provider's answer for it, whatever the offer's channel; it counts as its own, and is on record as yours.

    An answer that was given on a telephone call about the offer is recorded with the call.
    """
    place = await queries.find_offer_place(OfferId(offer_id))
    if place is None or place.council != caller.council:
        raise OfferNotFound
    command = AnswerOffer(place.package_id, OfferId(offer_id), place.provider_id, body.to_answer())
    respond = _make_responder(command.offer_id)
    return await bus.execute(command, handle_command, on=to_stream_key(place.package_id), by=caller, respond=respond)


def _make_responder(offer_id: OfferId) -> Callable[[CommandResult], HttpAnswer]:
    """Return a function that converts the result of a command about this offer to its response."""

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
        allowed_actions=[OfferAnswer.ACCEPT, OfferAnswer.DECLINE] if offer.is_live else [],
    )
