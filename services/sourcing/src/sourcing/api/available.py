"""Routes for providers: list the open packages, and submit proposals for them."""

from datetime import date, datetime
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from contracts.catalogue import PACKAGES
from contracts.errors import Conflict
from contracts.events.listings import Advert, ProposalRefusal
from contracts.ids import ListingReference, ProviderId, ReasonKey, UnitKey
from contracts.values import Money
from service_runtime.http.auth import Caller
from service_runtime.http.commands import json_response, to_stored_problem
from service_runtime.http.paging import Cursor, Limit, Page, build_page, decode_cursor
from service_runtime.http.problems import describe_problems
from service_runtime.http.text_fields import Day, Rate, ReasonName, RequestBody
from service_runtime.idempotency import StoredResponse as HttpAnswer
from service_runtime.observability.tracing import set_subject
from sourcing.api.callers import Bus, Provider, Queries, to_stream_key
from sourcing.domain.errors import ListingClosed, ListingNotFound
from sourcing.domain.listed_package import CounterOffer, Listing, Proposal
from sourcing.domain.search import SearchStatus
from sourcing.domain.steps import ProposalNotUsed, Proposed
from sourcing.domain.triggers import SubmitProposal
from sourcing.handlers import CommandResult, handle_command
from sourcing.ports import SearchDetails, SearchQueries

router = APIRouter(tags=["available packages"])


class ProposalNotTaken(Conflict):
    """The proposal is recorded and cannot be considered."""

    title = "This proposal cannot be taken up"


class AvailablePackageOut(BaseModel):
    """An open package as the list shows it; its random reference reveals nothing about the person."""

    advert: Advert
    unit: UnitKey = Field(description="what a proposed rate is for")
    listed_at: datetime
    my_proposal: "ProposalOut | None" = Field(description="your newest proposal, if you made one")
    counter_offer: "CounterOfferOut | None" = Field(description="the council's answer to it by another rate, if any")


class ProposalOut(BaseModel):
    proposal_id: UUID
    rate: Money
    unit: UnitKey
    weekly_cost: Money
    variations: list[ReasonKey]
    can_start_on: date | None
    received_at: datetime


class CounterOfferOut(BaseModel):
    """A counter-offer to a provider's proposal."""

    counter_offer_id: UUID
    proposal_id: UUID
    rate: Money
    unit: UnitKey
    weekly_cost: Money
    valid_until: datetime = Field(description="exclusive")
    declined: bool


class ProposalIn(RequestBody):
    """A rate, and variations of the care where these make the package viable."""

    rate: Rate = Field(description="pounds for each unit of the package")
    variations: list[ReasonName] = Field(default=[], max_length=20, description="reasons of the framework's list")
    can_start_on: Day | None = None


@router.get("/v1/available-packages", response_model=Page[AvailablePackageOut], responses=describe_problems())
async def list_available_packages(
    caller: Provider, queries: Queries, cursor: Cursor = None, limit: Limit = 50
) -> Page[AvailablePackageOut]:
    """List the open packages in your areas, the newest first; you can propose a rate for each of them."""
    found = await queries.list_open_packages(
        caller.as_provider, caller.council, after=decode_cursor(cursor), limit=limit + 1
    )
    listings = [search.listing for search in found if search.listing is not None]
    return build_page(
        listings,
        limit,
        to_item=lambda row: _to_available_package_out(row, caller.as_provider),
        position=lambda row: (row.listed_at, row.advert.reference),
    )


@router.get("/v1/available-packages/{reference}", response_model=AvailablePackageOut, responses=describe_problems(404))
async def show_available_package(reference: UUID, caller: Provider, queries: Queries) -> AvailablePackageOut:
    """Show one open package, with your proposal for it. A package that was placed or withdrawn is not found."""
    search = (await find_listed_search(ListingReference(reference), caller, queries)).search
    if search.listing is None or search.status is not SearchStatus.LISTED:
        raise ListingClosed
    return _to_available_package_out(search.listing, caller.as_provider)


@router.post(
    "/v1/available-packages/{reference}/proposals",
    response_model=ProposalOut,
    status_code=201,
    responses=describe_problems(404, 409),
)
async def propose_to_take_package(
    reference: UUID, body: ProposalIn, caller: Provider, queries: Queries, bus: Bus
) -> Response:
    """Propose a rate for an open package; your newest proposal replaces an older one. An officer decides."""
    details = await find_listed_search(ListingReference(reference), caller, queries)
    variations = tuple(dict.fromkeys(body.variations))
    command = SubmitProposal(details.search.package_id, caller.as_provider, body.rate, variations, body.can_start_on)
    return await bus.execute(
        command, handle_command, on=to_stream_key(command.package_id), by=caller, respond=respond_with_proposal
    )


async def find_listed_search(reference: ListingReference, caller: Caller, queries: SearchQueries) -> SearchDetails:
    """Find a listed package. Raises ListingNotFound, also for a package that is not open to the caller."""
    details = await queries.find_listed_search(reference)
    if (
        details is None
        or details.council != caller.council
        or not await queries.is_open_to(caller.as_provider, details)
    ):
        raise ListingNotFound
    set_subject(PACKAGES, str(details.search.package_id))
    return details


def respond_with_proposal(result: CommandResult) -> HttpAnswer:
    if isinstance(result.outcome, ProposalNotUsed):
        shown = [reason for reason in result.outcome.reasons if reason is not ProposalRefusal.REFUSED_BY_PERSON]
        why = ", ".join(shown) or "this package cannot be placed with you"  # the person's refusal is confidential
        return to_stored_problem(ProposalNotTaken(f"{why}; your proposal is on record"))
    assert isinstance(result.outcome, Proposed), "a proposal is accepted for consideration or refused"
    return json_response(to_proposal_out(result.outcome.proposal), status=201)


def _to_available_package_out(listing: Listing, provider_id: ProviderId) -> AvailablePackageOut:
    mine, counter_offer = listing.find_proposal_of(provider_id), listing.find_counter_offer_to(provider_id)
    return AvailablePackageOut(
        advert=listing.advert,
        unit=listing.unit,
        listed_at=listing.listed_at,
        my_proposal=None if mine is None else to_proposal_out(mine),
        counter_offer=None if counter_offer is None else to_counter_offer_out(counter_offer),
    )


def to_proposal_out(proposal: Proposal) -> ProposalOut:
    return ProposalOut(
        proposal_id=proposal.proposal_id,
        rate=proposal.terms.rate,
        unit=proposal.terms.lines[0].unit,
        weekly_cost=proposal.terms.weekly_cost,
        variations=list(proposal.variations),
        can_start_on=proposal.can_start_on,
        received_at=proposal.received_at,
    )


def to_counter_offer_out(counter_offer: CounterOffer) -> CounterOfferOut:
    return CounterOfferOut(
        counter_offer_id=counter_offer.counter_offer_id,
        proposal_id=counter_offer.proposal_id,
        rate=counter_offer.terms.rate,
        unit=counter_offer.terms.lines[0].unit,
        weekly_cost=counter_offer.terms.weekly_cost,
        valid_until=counter_offer.valid_until,
        declined=counter_offer.is_declined,
    )
