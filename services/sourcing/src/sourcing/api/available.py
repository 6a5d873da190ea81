"""Packages that are open to all: what providers see of them, and what they propose."""

from datetime import date, datetime
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from contracts.errors import Conflict
from contracts.events.listings import Advert, ProposalRefusal, Variation
from contracts.ids import ListingReference, ProviderId
from contracts.values import Money, PriceUnit
from service_runtime.http.auth import Caller
from service_runtime.http.commands import json_response, problem_response_of
from service_runtime.http.paging import Cursor, Limit, Page, cursor_at, position_of
from service_runtime.http.problems import problems
from service_runtime.idempotency import StoredResponse as HttpAnswer
from service_runtime.observability.tracing import package_attributes
from sourcing.api.callers import Bus, Provider, Queries, stream_of
from sourcing.domain.errors import ListingClosed, ListingNotFound
from sourcing.domain.search import Listing, Proposal, SearchStatus
from sourcing.domain.steps import NotTaken, Proposed
from sourcing.domain.triggers import Propose
from sourcing.handlers import Decided, ProposeToTake, propose_to_take
from sourcing.ports import SearchQueries, SearchSeen

router = APIRouter(tags=["available packages"])


class ProposalNotTaken(Conflict):
    """The proposal is on record, and cannot be taken up."""

    title = "This proposal cannot be taken up"


class AvailablePackageOut(BaseModel):
    """An open package as a list may tell of it; its reference is random and says nothing about the person."""

    advert: Advert
    unit: PriceUnit = Field(description="what a proposed rate is for")
    listed_at: datetime
    my_proposal: "ProposalOut | None" = Field(description="your newest proposal, if you made one")


class ProposalOut(BaseModel):
    proposal_id: UUID
    rate: Money
    unit: PriceUnit
    weekly_cost: Money
    variations: list[Variation]
    can_start_on: date | None
    received_at: datetime


class ProposalIn(BaseModel):
    """A rate, and another way to deliver the package where that makes it viable."""

    model_config = ConfigDict(extra="forbid")

    rate: Money = Field(gt=0, description="pounds for each unit of the package")
    variations: list[Variation] = Field(default=[], max_length=len(Variation))
    can_start_on: date | None = None


@router.get("/v1/available-packages", response_model=Page[AvailablePackageOut], responses=problems())
async def list_available_packages(
    caller: Provider, ask: Queries, cursor: Cursor = None, limit: Limit = 50
) -> Page[AvailablePackageOut]:
    """Packages of your areas that nobody has taken so far, the newest first; propose a rate for any of them."""
    found = await ask.open_to(caller.as_provider, caller.council, after=position_of(cursor), limit=limit + 1)
    listings = [search.listing for search in found if search.listing is not None]
    page = listings[:limit]
    following = cursor_at(page[-1].listed_at, page[-1].advert.reference) if len(listings) > limit else None
    return Page(items=[_available_out(each, caller.as_provider) for each in page], next=following)


@router.get("/v1/available-packages/{reference}", response_model=AvailablePackageOut, responses=problems(404))
async def show_available_package(reference: UUID, caller: Provider, ask: Queries) -> AvailablePackageOut:
    """One open package, with your proposal for it. Once it is placed or taken back, nobody reads about it here."""
    search = (await _listed(ListingReference(reference), caller, ask)).search
    if search.listing is None or search.status is not SearchStatus.LISTED:
        raise ListingClosed
    return _available_out(search.listing, caller.as_provider)


@router.post(
    "/v1/available-packages/{reference}/proposals",
    response_model=ProposalOut,
    status_code=201,
    responses=problems(404, 409),
)
async def propose_to_take_package(
    reference: UUID, body: ProposalIn, caller: Provider, ask: Queries, do: Bus
) -> Response:
    """Propose to take an open package; your newest proposal replaces an older one. An officer decides."""
    seen = await _listed(ListingReference(reference), caller, ask)
    variations = tuple(each for each in Variation if each in body.variations)
    proposal = Propose(caller.as_provider, body.rate, variations, body.can_start_on)
    command = ProposeToTake(seen.search.package_id, proposal)
    return await do.execute(
        command, propose_to_take, on=stream_of(command.package_id), by=caller, respond=_tell_proposal
    )


async def _listed(reference: ListingReference, caller: Caller, ask: SearchQueries) -> SearchSeen:
    """What is open to others only is as unknown as what does not exist."""
    seen = await ask.listed(reference)
    if seen is None or seen.council != caller.council or not await ask.works_in(caller.as_provider, seen):
        raise ListingNotFound
    package_attributes(seen.search.package_id)
    return seen


def _tell_proposal(result: Decided) -> HttpAnswer:
    if isinstance(result.outcome, NotTaken):
        shown = [each for each in result.outcome.reasons if each is not ProposalRefusal.REFUSED_BY_PERSON]
        why = ", ".join(shown) or "this package cannot be placed with you"  # the person's wishes are nobody's business
        return problem_response_of(ProposalNotTaken(f"{why}; your proposal is on record"))
    assert isinstance(result.outcome, Proposed), "a proposal stands or is refused"
    return json_response(proposal_out(result.outcome.proposal), status=201)


def _available_out(listing: Listing, provider_id: ProviderId) -> AvailablePackageOut:
    mine = listing.proposal_of(provider_id)
    return AvailablePackageOut(
        advert=listing.advert,
        unit=listing.unit,
        listed_at=listing.listed_at,
        my_proposal=None if mine is None else proposal_out(mine),
    )


def proposal_out(proposal: Proposal) -> ProposalOut:
    return ProposalOut(
        proposal_id=proposal.proposal_id,
        rate=proposal.terms.rate,
        unit=proposal.terms.unit,
        weekly_cost=proposal.terms.weekly_cost,
        variations=list(proposal.variations),
        can_start_on=proposal.can_start_on,
        received_at=proposal.received_at,
    )
