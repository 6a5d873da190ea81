"""Rebuilds a search from the events of its package: a fold over the journal."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from contracts.events.base import PackageEvent
from contracts.events.listings import (
    AwardAwaitsApproval,
    AwardLapsed,
    AwardRefused,
    PackageListed,
    ProposalReceived,
    StillListed,
)
from contracts.events.packages import (
    AcceptanceReceived,
    AcceptancesOrdered,
    CallRecorded,
    DefinitionVersionChanged,
    LateAnswerRefused,
    OfferAccepted,
    OfferClockStarted,
    OfferDeclined,
    OfferExpired,
    OfferExtended,
    OfferMade,
    OfferRedirected,
    OfferWithdrawn,
    PackagePlaced,
    PackageRequested,
    PlacementVoided,
    ProviderPassedOver,
    SourcingExhausted,
    SourcingHeld,
    SourcingStarted,
    SourcingStopped,
    StageEntered,
)
from contracts.events.reasons import ExtensionCause, LateReason
from contracts.ids import ProviderId
from sourcing.domain.search import (
    Accept,
    CurrentStage,
    Decline,
    Listing,
    Offer,
    OfferStatus,
    PendingAward,
    Placement,
    Proposal,
    Search,
    SearchStatus,
)

OfferEvent = (
    OfferRedirected
    | CallRecorded
    | OfferClockStarted
    | OfferExtended
    | AcceptanceReceived
    | OfferAccepted
    | OfferDeclined
    | OfferExpired
    | OfferWithdrawn
    | LateAnswerRefused
)
ListingEvent = StillListed | ProposalReceived | AwardAwaitsApproval | AwardRefused | AwardLapsed


def replay_search(record: Iterable[tuple[PackageEvent, datetime]]) -> Search | None:
    """Replay a package's events, each with its instant, into its search; None before the request."""
    search: Search | None = None
    for event, at in record:
        search = apply_event(search, event, at)
    return search


def apply_event(search: Search | None, event: PackageEvent, at: datetime) -> Search | None:
    """Return the search after one more event of its package; unrelated events leave it unchanged."""
    if search is not None:
        return update_search(search, event, at)
    return begin_search(event, at) if isinstance(event, PackageRequested) else None


def begin_search(event: PackageRequested, at: datetime) -> Search:
    return Search(
        package_id=event.package_id,
        care=event.care,
        wishes=event.wishes,
        follows=event.follows,
        status=SearchStatus.RUNNING,
        requested_at=at,
    )


def update_search(search: Search, event: PackageEvent, at: datetime) -> Search:
    """Return an existing search after one more event of its package."""
    if isinstance(event, OfferEvent):
        offers = (
            _apply_offer_event(offer, event, at) if offer.offer_id == event.offer_id else offer
            for offer in search.offers
        )
        return replace(search, offers=tuple(offers))
    if isinstance(event, StageEntered | ProviderPassedOver | OfferMade):
        return _apply_stage_event(search, event, at)
    if isinstance(event, ListingEvent):
        return (
            search
            if search.listing is None
            else replace(search, listing=_apply_listing_event(search.listing, event, at))
        )
    return _apply_search_event(search, event, at)


def _apply_search_event(search: Search, event: PackageEvent, at: datetime) -> Search:
    """Apply an event about the start, a hold or the end of the search."""
    after = search
    match event:
        case SourcingStarted():
            after = _set_status(search, SearchStatus.RUNNING)
            after = replace(
                after, search_id=event.search_id, definition_version=event.definition_version, started_at=at
            )
        case DefinitionVersionChanged():
            after = replace(search, definition_version=event.to_version)
        case SourcingHeld():
            after = replace(search, status=SearchStatus.HELD, missing=event.missing)
        case AcceptancesOrdered():
            after = _set_status(search, SearchStatus.RUNNING)
        case PackageListed():
            after = replace(search, status=SearchStatus.LISTED, missing=(), listing=_build_listing(event, at))
        case PackagePlaced():
            listing = replace(search.listing, award=None) if search.listing is not None else None
            after = replace(
                search,
                status=SearchStatus.PLACED,
                missing=(),
                placement=_build_placement(event, at),
                listing=listing,
            )
        case PlacementVoided() if search.placement is not None:
            after = replace(search, status=SearchStatus.STOPPED, placement=replace(search.placement, voided=True))
        case SourcingExhausted():
            after = _set_status(search, SearchStatus.EXHAUSTED)
        case SourcingStopped():
            after = _set_status(search, SearchStatus.STOPPED)
        case _:
            pass  # another service's word about the package
    return after


def _apply_stage_event(search: Search, event: StageEntered | ProviderPassedOver | OfferMade, at: datetime) -> Search:
    running = _set_status(search, SearchStatus.RUNNING)
    match event:
        case StageEntered():
            stage = CurrentStage(name=event.stage, tiers=event.tiers, lists=event.lists, candidates=event.candidates)
            return replace(running, stage=stage)
        case ProviderPassedOver():
            return _mark_tried(running, event.provider_id)
        case OfferMade():
            return replace(_mark_tried(running, event.provider_id), offers=(*running.offers, _build_offer(event, at)))


def _build_listing(event: PackageListed, at: datetime) -> Listing:
    return Listing(
        stage=event.stage,
        advert=event.advert,
        members=event.members,
        spot=event.spot,
        unit=event.unit,
        unit_kind=event.unit_kind,
        ceiling=event.ceiling,
        second_officer_always=event.second_officer_always,
        listed_at=at,
    )


def _apply_listing_event(listing: Listing, event: ListingEvent, at: datetime) -> Listing:
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


def _apply_offer_event(offer: Offer, event: OfferEvent, at: datetime) -> Offer:
    if isinstance(event, OfferRedirected | CallRecorded | OfferClockStarted | OfferExtended):
        return _apply_delivery_event(offer, event, at)
    after = offer
    match event:
        case AcceptanceReceived():
            after = replace(offer, status=OfferStatus.WAITING, answer=Accept())
        case OfferAccepted():
            after = replace(offer, status=OfferStatus.ACCEPTED, answer=Accept())
        case OfferDeclined():
            after = replace(offer, status=OfferStatus.DECLINED, answer=Decline(event.reason, event.note_id))
        case OfferExpired():
            after = replace(offer, status=OfferStatus.EXPIRED)
        case OfferWithdrawn():
            after = replace(
                offer,
                status=OfferStatus.WITHDRAWN,
                withdrawn_because=event.reason,
                award_refused_for=event.passed_over,
            )
        case LateAnswerRefused(reason=LateReason.NO_LONGER_ELIGIBLE):
            # This answer ended the offer; it is stored so that a repeat gets the same response.
            refused = offer.refused_answers | {event.answer}
            after = replace(offer, answer=Accept(), award_refused_for=event.passed_over, refused_answers=refused)
        case LateAnswerRefused():
            after = replace(offer, refused_answers=offer.refused_answers | {event.answer})
    return after


def _apply_delivery_event(
    offer: Offer, event: OfferRedirected | CallRecorded | OfferClockStarted | OfferExtended, at: datetime
) -> Offer:
    """Apply an event about the delivery of a live offer or its time to answer."""
    match event:
        case OfferRedirected():
            return replace(
                offer,
                channel=event.to_channel,
                redirected_at=at,
                answer_minutes=event.answer_by.minutes,
                in_brokerage_time=event.answer_by.brokerage_time,
                deliver_within=timedelta(minutes=event.deliver_within_minutes),
            )
        case CallRecorded():
            return replace(offer, calls=event.attempt)
        case OfferClockStarted():
            return replace(
                offer, status=OfferStatus.DELIVERED, delivered_at=event.delivered_at, answer_by=event.answer_by
            )
        case OfferExtended():
            is_outage = event.cause is ExtensionCause.OUTAGE
            counted_to = event.up_at if is_outage else offer.outages_counted_to
            return replace(offer, answer_by=event.answer_by, outages_counted_to=counted_to)


def _set_status(search: Search, status: SearchStatus) -> Search:
    return replace(search, status=status, missing=())


def _mark_tried(search: Search, provider_id: ProviderId) -> Search:
    if search.stage is None:
        return search
    return replace(search, stage=replace(search.stage, tried=(*search.stage.tried, provider_id)))


def _build_offer(event: OfferMade, at: datetime) -> Offer:
    return Offer(
        offer_id=event.offer_id,
        stage=event.stage,
        provider_id=event.provider_id,
        rank=event.rank,
        channel=event.channel,
        status=OfferStatus.MADE,
        terms=event.terms,
        weekly_hours=event.weekly_hours,
        made_at=at,
        answer_minutes=event.answer_by.minutes,
        in_brokerage_time=event.answer_by.brokerage_time,
        deliver_within=timedelta(minutes=event.deliver_within_minutes),
        asks_all=event.asks_all,
        answer_by=event.answer_by.instant if event.asks_all else None,
    )


def _build_placement(event: PackagePlaced, at: datetime) -> Placement:
    return Placement(
        placement_id=event.placement_id,
        offer_id=event.offer_id,
        proposal_id=event.proposal_id,
        provider_id=event.provider_id,
        weekly_hours=event.weekly_hours,
        terms=event.terms,
        placed_at=at,
    )
