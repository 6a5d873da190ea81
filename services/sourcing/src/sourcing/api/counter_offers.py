"""Routes of counter-offers: an officer answers a proposal by another rate, and the provider accepts or declines."""

from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field

from contracts.ids import CounterOfferId, ListingReference, ProposalId
from service_runtime.http.auth import Caller
from service_runtime.http.commands import json_response
from service_runtime.http.problems import describe_problems
from service_runtime.http.text_fields import InstantText, Rate, ReasonName, RequestBody, Uuid
from service_runtime.idempotency import StoredResponse as HttpAnswer
from sourcing.api.available import (
    CounterOfferOut,
    ProposalOut,
    find_listed_search,
    respond_with_proposal,
    to_counter_offer_out,
)
from sourcing.api.callers import Bus, Officer, Provider, Queries, find_search, to_stream_key
from sourcing.domain.officers.commands import AnswerCounterOffer, MakeCounterOffer
from sourcing.domain.steps import CounterOffered
from sourcing.handlers import CommandResult, handle_command
from sourcing.ports import SearchQueries

officers = APIRouter(tags=["officers"])
providers = APIRouter(tags=["available packages"])


class CounterOfferIn(RequestBody):
    """The rate at which the council would take up a proposal."""

    proposal_id: Uuid
    rate: Rate = Field(description="pounds for each unit of the package")
    valid_until: InstantText = Field(description="exclusive")
    reason: ReasonName = Field(description="one of the officers' reasons of the framework's definition")


@officers.post(
    "/v1/packages/{package_id}/counter-offers",
    response_model=CounterOfferOut,
    status_code=201,
    responses=describe_problems(404, 409),
)
async def make_a_counter_offer(
    package_id: UUID, body: CounterOfferIn, caller: Officer, queries: Queries, bus: Bus
) -> Response:
    """Answer a proposal by another rate. It replaces an older counter-offer to the provider."""
    search = await find_search(package_id, caller, queries)
    command = MakeCounterOffer(
        search.package_id, ProposalId(body.proposal_id), body.rate, body.valid_until, caller.actor, body.reason
    )
    return await bus.execute(
        command, handle_command, on=to_stream_key(command.package_id), by=caller, respond=_respond_with_counter_offer
    )


_ANSWER = "/v1/available-packages/{reference}/counter-offers/{counter_offer_id}"


@providers.post(f"{_ANSWER}/accept", response_model=ProposalOut, status_code=201, responses=describe_problems(404, 409))
async def accept_a_counter_offer(
    reference: UUID, counter_offer_id: UUID, caller: Provider, queries: Queries, bus: Bus
) -> Response:
    """Accept the council's rate: it becomes your proposal, with the variations of your older one."""
    command = await _build_answer(reference, counter_offer_id, caller, queries, accepts=True)
    return await bus.execute(
        command, handle_command, on=to_stream_key(command.package_id), by=caller, respond=respond_with_proposal
    )


@providers.post(f"{_ANSWER}/decline", status_code=204, responses=describe_problems(404, 409))
async def decline_a_counter_offer(
    reference: UUID, counter_offer_id: UUID, caller: Provider, queries: Queries, bus: Bus
) -> Response:
    """Decline the council's rate; your proposal stands."""
    command = await _build_answer(reference, counter_offer_id, caller, queries, accepts=False)
    return await bus.execute(
        command, handle_command, on=to_stream_key(command.package_id), by=caller, respond=_respond_with_nothing
    )


async def _build_answer(
    reference: UUID, counter_offer_id: UUID, caller: Caller, queries: SearchQueries, *, accepts: bool
) -> AnswerCounterOffer:
    details = await find_listed_search(ListingReference(reference), caller, queries)
    return AnswerCounterOffer(
        details.search.package_id, CounterOfferId(counter_offer_id), caller.as_provider, accepts=accepts
    )


def _respond_with_nothing(_: CommandResult) -> HttpAnswer:
    return HttpAnswer(204, b"", ())


def _respond_with_counter_offer(result: CommandResult) -> HttpAnswer:
    assert isinstance(result.outcome, CounterOffered), "a counter-offer is made or refused"
    return json_response(to_counter_offer_out(result.outcome.counter_offer), status=201)
