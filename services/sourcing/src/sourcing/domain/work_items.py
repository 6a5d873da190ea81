"""Finds the work that a search needs from an officer. Every open search has a timer or a work item.

A work item has a kind, what it is about, and the instant when it matters (`due`; None: since it came up). Each row of
the work list is one of them (`store/work_items.py`).
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.ids import ActId, AwardId, OfferId, ProposalId, ProviderId
from sourcing.domain.competitions.competition import Competition
from sourcing.domain.competitions.work_items import (
    BidsToScore,
    CompetitionWorkItem,
    QuestionsToAnswer,
    ResultToConfirm,
    find_competition_work_items,
)
from sourcing.domain.listed_package import Listing
from sourcing.domain.officers.pending_acts import HandPlacement
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
class PausedSearch:
    """An officer paused the search; it goes on when an officer resumes it."""


@dataclass(frozen=True)
class CallToMake:
    """An officer has to telephone a provider about its offer, for the `attempt`th time."""

    offer_id: OfferId
    provider_id: ProviderId
    attempt: int
    due: datetime


@dataclass(frozen=True)
class ActToApprove:
    """A second officer has to approve or refuse an offer out of order, or a placement by hand."""

    act_id: ActId
    provider_id: ProviderId
    is_placement: bool


@dataclass(frozen=True)
class AwardToApprove:
    """A second officer has to decide about an award; for a bid, `proposal_id` is the bid's."""

    award_id: AwardId
    proposal_id: ProposalId


@dataclass(frozen=True)
class ProposalsToDecide:
    """Providers have proposed to take an open package; an officer awards or waits for others."""

    count: int


@dataclass(frozen=True)
class NoProposals:
    """A package has been open for too long without a proposal; an officer has to source it by hand."""


WorkItem = (
    ExhaustedSearch
    | HeldSearch
    | PausedSearch
    | CallToMake
    | ActToApprove
    | AwardToApprove
    | ProposalsToDecide
    | NoProposals
    | CompetitionWorkItem
)


def find_work_items(search: Search) -> tuple[WorkItem, ...]:
    """Find what the search needs an officer for now; several calls where all providers are asked at once."""
    return tuple(_list_work_items(search))


def find_subject(item: WorkItem) -> UUID | None:
    """Return the offer, act, award or competition that the item is about; None: it is about the whole package."""
    match item:
        case CallToMake():
            return item.offer_id
        case ActToApprove():
            return item.act_id
        case AwardToApprove():
            return item.award_id
        case QuestionsToAnswer() | BidsToScore() | ResultToConfirm():
            return item.competition_id
        case _:
            return None


def find_due_time(item: WorkItem) -> datetime | None:
    """Return when the item matters; None: since it came up."""
    return item.due if isinstance(item, CallToMake) else None


def _find_competition_work_items(competition: Competition) -> tuple[WorkItem, ...]:
    if competition.award is not None:
        return (AwardToApprove(competition.award.award_id, ProposalId(competition.award.bid_id)),)
    return tuple(find_competition_work_items(competition))


def has_progress(search: Search, timers: Collection[ScheduledTimer]) -> bool:
    """Return whether the search is over, has a timer, or is on the work list."""
    is_over = search.status in {SearchStatus.PLACED, SearchStatus.STOPPED}
    return is_over or bool(timers) or bool(find_work_items(search))


def _list_work_items(search: Search) -> Iterator[WorkItem]:
    if search.status is SearchStatus.EXHAUSTED:
        yield ExhaustedSearch(last_stage=None if search.stage is None else search.stage.name)
    if search.status is SearchStatus.HELD:
        yield HeldSearch(missing=search.missing)
    if search.acts.is_paused:
        yield PausedSearch()
    for offer in search.live_offers:
        if offer.awaits_call:
            due = offer.answer_by or offer.redirected_at or offer.made_at
            yield CallToMake(offer.offer_id, offer.provider_id, offer.calls + 1, due)
    for act in search.acts.awaiting_second_officer:
        yield ActToApprove(act.act_id, act.provider_id, is_placement=isinstance(act, HandPlacement))
    if search.status is SearchStatus.LISTED and search.listing is not None:
        yield from _list_listing_work_items(search.listing)
    if search.status is SearchStatus.COMPETING and search.competition is not None:
        yield from _find_competition_work_items(search.competition)


def _list_listing_work_items(listing: Listing) -> Iterator[WorkItem]:
    if listing.award is not None:
        yield AwardToApprove(listing.award.award_id, listing.award.proposal_id)
    elif listing.proposals:
        yield ProposalsToDecide(len(listing.proposals))
    elif listing.is_overdue:
        yield NoProposals()
