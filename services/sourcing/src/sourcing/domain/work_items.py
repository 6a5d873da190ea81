"""Finds the work that a search needs from an officer. Every open search has a timer or a work item."""

from collections.abc import Collection
from dataclasses import dataclass

from contracts.ids import AwardId, OfferId, ProposalId, ProviderId
from sourcing.domain.listed_package import Listing
from sourcing.domain.search import Search, SearchStatus
from sourcing.domain.steps import ScheduledTimer


@dataclass(frozen=True)
class ExhaustedSearch:
    """No provider accepted the package; an officer has to source it by hand."""

    last_stage: str | None


@dataclass(frozen=True)
class HeldSearch:
    """The search is held until these entries are published."""

    missing: tuple[str, ...]


@dataclass(frozen=True)
class CallToMake:
    """An officer has to telephone a provider about its offer, for the `attempt`th time."""

    offer_id: OfferId
    provider_id: ProviderId
    attempt: int


@dataclass(frozen=True)
class AwardToApprove:
    """A second officer has to decide about a price above the ceiling."""

    award_id: AwardId
    proposal_id: ProposalId


@dataclass(frozen=True)
class ProposalsToDecide:
    """Providers have proposed to take an open package; an officer awards or waits for others."""

    count: int


@dataclass(frozen=True)
class NoProposals:
    """A package has been open for too long without a proposal; an officer has to source it by hand."""


WorkItem = ExhaustedSearch | HeldSearch | CallToMake | AwardToApprove | ProposalsToDecide | NoProposals


def find_work_items(search: Search) -> tuple[WorkItem, ...]:
    """Find what the search needs an officer for now; several calls where all providers are asked at once."""
    if search.status is SearchStatus.EXHAUSTED:
        return (ExhaustedSearch(last_stage=None if search.stage is None else search.stage.name),)
    if search.status is SearchStatus.HELD:
        return (HeldSearch(missing=search.missing),)
    if search.status is SearchStatus.LISTED and search.listing is not None:
        return _find_listing_work_items(search.listing)
    return tuple(
        CallToMake(offer_id=offer.offer_id, provider_id=offer.provider_id, attempt=offer.calls + 1)
        for offer in search.live_offers
        if offer.awaits_call
    )


def _find_listing_work_items(listing: Listing) -> tuple[WorkItem, ...]:
    if listing.award is not None:
        return (AwardToApprove(listing.award.award_id, listing.award.proposal_id),)
    if listing.proposals:
        return (ProposalsToDecide(len(listing.proposals)),)
    return (NoProposals(),) if listing.is_overdue else ()


def has_progress(search: Search, timers: Collection[ScheduledTimer]) -> bool:
    """Return whether the search is over, has a timer, or is on the work list."""
    is_over = search.status in {SearchStatus.PLACED, SearchStatus.STOPPED}
    return is_over or bool(timers) or bool(find_work_items(search))
