"""Routes for officers: list the proposals for an open package, and award the package."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from contracts.errors import Conflict
from contracts.events.listings import Advert
from contracts.ids import ProposalId, ProviderId
from contracts.values import Money, Rating
from service_runtime.http.commands import json_response, to_stored_problem
from service_runtime.http.problems import describe_problems
from service_runtime.http.text_fields import ReasonName, RequestBody, Uuid
from service_runtime.idempotency import StoredResponse as HttpAnswer
from sourcing.api.available import (
    CounterOfferOut,
    ProposalIn,
    ProposalOut,
    respond_with_proposal,
    to_counter_offer_out,
    to_proposal_out,
)
from sourcing.api.callers import Bus, Officer, PackageNotFound, Queries, find_search, to_stream_key
from sourcing.domain.listed_package import Listing
from sourcing.domain.steps import AwaitsApproval, AwardBarred, Placed
from sourcing.domain.triggers import AwardProposal, SubmitProposal
from sourcing.handlers import CommandResult, handle_command

router = APIRouter(tags=["officers"])


class AwardNotPossible(Conflict):
    """The award is recorded and was not carried out."""

    title = "This award was not carried out"


class ProposalSeenOut(ProposalOut):
    """A proposal with the fields that only officers see."""

    provider_id: UUID
    rating: Rating = Field(description="rating at the time of the proposal; an award to Inadequate needs a reason")
    above_ceiling: bool = Field(description="a second officer has to approve the price")
    counter_offer: CounterOfferOut | None = Field(description="the council's newest answer to the provider")


class ProposalsOut(BaseModel):
    """The proposals for an open package, the cheapest first."""

    package_id: UUID
    advert: Advert
    ceiling: Money
    listed_at: datetime
    awaiting_approval: UUID | None = Field(description="the award that waits for a second officer in pricing")
    items: list[ProposalSeenOut]


class AwardIn(RequestBody):
    proposal_id: Uuid
    inadequate_reason: ReasonName | None = None


class ProposalForProviderIn(ProposalIn):
    """A proposal that a provider made by telephone or letter."""

    provider_id: Uuid


class AwardOut(BaseModel):
    """The result of an award."""

    result: Literal["placed", "waits for a second officer"]
    package_id: UUID
    proposal_id: UUID
    placement_id: UUID | None
    award_id: UUID | None


@router.get("/v1/packages/{package_id}/proposals", response_model=ProposalsOut, responses=describe_problems(404))
async def list_proposals(package_id: UUID, caller: Officer, queries: Queries) -> ProposalsOut:
    """List the proposals for a package that is open to all, the cheapest first."""
    search = await find_search(package_id, caller, queries)
    listing = search.listing
    if listing is None:
        message = "this package is on no list; proposals are made once its ranked lists are exhausted"
        raise PackageNotFound(message)
    cheapest_first = sorted(listing.proposals, key=lambda proposal: (proposal.terms.weekly_cost, proposal.received_at))
    return ProposalsOut(
        package_id=package_id,
        advert=listing.advert,
        ceiling=listing.ceiling,
        listed_at=listing.listed_at,
        awaiting_approval=listing.award.award_id if listing.award is not None else None,
        items=[
            ProposalSeenOut(
                **to_proposal_out(proposal).model_dump(),
                provider_id=proposal.provider_id,
                rating=proposal.rating,
                above_ceiling=listing.second_officer_always or proposal.terms.rate > listing.ceiling,
                counter_offer=_find_counter_offer(listing, proposal.provider_id),
            )
            for proposal in cheapest_first
        ],
    )


def _find_counter_offer(listing: Listing, provider_id: ProviderId) -> CounterOfferOut | None:
    counter_offer = listing.find_counter_offer_to(provider_id)
    return None if counter_offer is None else to_counter_offer_out(counter_offer)


@router.post(
    "/v1/packages/{package_id}/proposals",
    response_model=ProposalOut,
    status_code=201,
    responses=describe_problems(404, 409),
)
async def enter_a_proposal(
    package_id: UUID, body: ProposalForProviderIn, caller: Officer, queries: Queries, bus: Bus
) -> Response:
    """Enter a proposal for a provider without a system of its own; the record says who entered it."""
    search = await find_search(package_id, caller, queries)
    command = SubmitProposal(
        search.package_id,
        ProviderId(body.provider_id),
        body.rate,
        tuple(dict.fromkeys(body.variations)),
        body.can_start_on,
        caller.actor,
    )
    return await bus.execute(
        command, handle_command, on=to_stream_key(command.package_id), by=caller, respond=respond_with_proposal
    )


@router.post("/v1/packages/{package_id}/awards", response_model=AwardOut, responses=describe_problems(404, 409))
async def award_package(package_id: UUID, body: AwardIn, caller: Officer, queries: Queries, bus: Bus) -> Response:
    """Award the package. Above its ceiling the award waits (202) until a second officer approves the price."""
    search = await find_search(package_id, caller, queries)
    proposal_id = ProposalId(body.proposal_id)
    command = AwardProposal(search.package_id, proposal_id, caller.actor, body.inadequate_reason)
    return await bus.execute(
        command,
        handle_command,
        on=to_stream_key(search.package_id),
        by=caller,
        respond=lambda result: _respond_with_award(result, body.proposal_id),
    )


def _respond_with_award(result: CommandResult, proposal_id: UUID) -> HttpAnswer:
    out = AwardOut(
        result="placed",
        package_id=result.search.package_id,
        proposal_id=proposal_id,
        placement_id=None,
        award_id=None,
    )
    match result.outcome:
        case Placed(placement=placement):
            return json_response(out.model_copy(update={"placement_id": placement.placement_id}))
        case AwaitsApproval(award=award):
            waits = {"result": "waits for a second officer", "award_id": award.award_id}
            return json_response(out.model_copy(update=waits), status=202)
        case AwardBarred(reasons=reasons):
            return to_stored_problem(AwardNotPossible(f"{', '.join(reasons)}; your award is on record"))
        case _:
            message = "an award places the package, waits for approval, or is refused"
            raise AssertionError(message)
