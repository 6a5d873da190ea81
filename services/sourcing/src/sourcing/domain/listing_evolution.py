"""Applies events to a package that is open to all."""

from dataclasses import replace
from datetime import datetime

from contracts.events.listings import (
    AwardAwaitsApproval,
    AwardLapsed,
    AwardRefused,
    PackageListed,
    ProposalReceived,
    StillListed,
)
from sourcing.domain.listed_package import Listing, PendingAward, Proposal

ListingEvent = StillListed | ProposalReceived | AwardAwaitsApproval | AwardRefused | AwardLapsed


def build_listing(event: PackageListed, at: datetime) -> Listing:
    return Listing(
        stage=event.stage,
        advert=event.advert,
        members=event.members,
        spot=event.spot,
        reach=event.reach,
        opens_at=event.opens_at,
        unit=event.unit,
        unit_kind=event.unit_kind,
        ceiling=event.ceiling,
        second_officer_always=event.second_officer_always,
        listed_at=at,
    )


def apply_listing_event(listing: Listing, event: ListingEvent, at: datetime) -> Listing:
    """Apply an event about a listing: a proposal, a pending award, the award's end, or the listing being overdue."""
    match event:
        case StillListed():
            return replace(listing, is_overdue=True)
        case ProposalReceived():
            other_proposals = (proposal for proposal in listing.proposals if proposal.provider_id != event.provider_id)
            return replace(listing, proposals=(*other_proposals, _build_proposal(event, at)))
        case AwardAwaitsApproval():
            award = PendingAward(event.award_id, event.proposal_id, event.officer, event.inadequate_reason)
            return replace(listing, award=award)
        case AwardRefused() | AwardLapsed():
            ended = listing.award is not None and listing.award.award_id == event.award_id
            return replace(listing, award=None) if ended else listing


def _build_proposal(event: ProposalReceived, at: datetime) -> Proposal:
    return Proposal(
        proposal_id=event.proposal_id,
        provider_id=event.provider_id,
        terms=event.terms,
        variations=event.variations,
        can_start_on=event.can_start_on,
        rating=event.rating,
        received_at=at,
    )
