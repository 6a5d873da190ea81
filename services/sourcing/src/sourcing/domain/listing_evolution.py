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
from contracts.events.officer_acts import CounterOfferDeclined, CounterOfferMade
from contracts.ids import CounterOfferId, ProviderId
from sourcing.domain.listed_package import CounterOffer, Listing, PendingAward, Proposal

ListingEvent = (
    StillListed
    | ProposalReceived
    | CounterOfferMade
    | CounterOfferDeclined
    | AwardAwaitsApproval
    | AwardRefused
    | AwardLapsed
)


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
            counter_offers = tuple(each for each in listing.counter_offers if each.provider_id != event.provider_id)
            return replace(
                listing, proposals=(*other_proposals, _build_proposal(event, at)), counter_offers=counter_offers
            )
        case CounterOfferMade():
            others = (each for each in listing.counter_offers if each.provider_id != event.provider_id)
            return replace(listing, counter_offers=(*others, _build_counter_offer(event)))
        case CounterOfferDeclined():
            return replace(listing, counter_offers=_mark_declined(listing.counter_offers, event.counter_offer_id))
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
        counter_offer_id=event.counter_offer_id,
    )


def remove_proposal_of(listing: Listing, provider_id: ProviderId) -> Listing:
    """Return the listing without the proposal of a provider whose placement fell through; it may propose anew."""
    return replace(
        listing,
        proposals=tuple(each for each in listing.proposals if each.provider_id != provider_id),
        counter_offers=tuple(each for each in listing.counter_offers if each.provider_id != provider_id),
    )


def _build_counter_offer(event: CounterOfferMade) -> CounterOffer:
    return CounterOffer(
        counter_offer_id=event.counter_offer_id,
        proposal_id=event.proposal_id,
        provider_id=event.provider_id,
        terms=event.terms,
        valid_until=event.valid_until,
    )


def _mark_declined(made: tuple[CounterOffer, ...], declined: CounterOfferId) -> tuple[CounterOffer, ...]:
    return tuple(replace(each, is_declined=True) if each.counter_offer_id == declined else each for each in made)
