"""Rebuilds a search from the events of its package: a fold over the journal."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from contracts.events.base import PackageEvent
from contracts.events.listings import (
    PackageListed,
)
from contracts.events.offers import (
    AcceptancesOrdered,
    OfferMade,
)
from contracts.events.officer_acts import PackageResourced, ProviderSkipped, SuspensionOverridden
from contracts.events.packages import PackageRequested
from contracts.events.searches import (
    DefinitionVersionChanged,
    PackagePlaced,
    PlacementVoided,
    ProviderPassedOver,
    SourcingExhausted,
    SourcingHeld,
    SourcingStarted,
    SourcingStopped,
    StageEntered,
)
from contracts.ids import ProviderId
from sourcing.domain.competitions.search_evolution import update_competitions
from sourcing.domain.list_evolution import ListEvent, apply_list_event
from sourcing.domain.listing_evolution import ListingEvent, apply_listing_event, build_listing, remove_proposal_of
from sourcing.domain.offer import OfferStatus
from sourcing.domain.offer_evolution import OfferEvent, apply_offer_event, build_offer
from sourcing.domain.officers.acts_evolution import ActsEvent, apply_acts_event, end_acts, remove_act
from sourcing.domain.search import CurrentStage, Placement, Search, SearchStatus


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


def update_search(search: Search, event: PackageEvent, at: datetime) -> Search:  # noqa: PLR0911  a line for each kind
    """Return an existing search after one more event of its package."""
    competed = update_competitions(search, event, at)
    if competed is not None:
        return competed
    if isinstance(event, OfferEvent):
        offers = (
            apply_offer_event(offer, event, at) if offer.offer_id == event.offer_id else offer
            for offer in search.offers
        )
        return replace(search, offers=tuple(offers))
    if isinstance(event, ActsEvent):
        search = replace(search, acts=apply_acts_event(search.acts, event))
    if isinstance(event, StageEntered | ProviderPassedOver | ProviderSkipped | OfferMade):
        return _apply_stage_event(search, event, at)
    if isinstance(event, SuspensionOverridden):
        entry = search.batching
        return search if entry is None else replace(search, batching=replace(entry, suspends=False))
    if isinstance(event, ListEvent):
        return apply_list_event(search, event)
    if isinstance(event, ListingEvent):
        return (
            search
            if search.listing is None
            else replace(search, listing=apply_listing_event(search.listing, event, at))
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
            after = replace(search, status=SearchStatus.LISTED, missing=(), listing=build_listing(event, at))
            after = replace(after, acts=replace(search.acts, enters_stage=None))
        case PackagePlaced() | PlacementVoided() | PackageResourced() | SourcingExhausted() | SourcingStopped():
            after = _apply_outcome(search, event, at)
        case _:
            pass  # another service's word about the package
    return after


def _apply_outcome(
    search: Search,
    event: PackagePlaced | PlacementVoided | PackageResourced | SourcingExhausted | SourcingStopped,
    at: datetime,
) -> Search:
    """Apply an end of the search, or what undoes it."""
    after = search
    match event:
        case PackagePlaced():
            listing = replace(search.listing, award=None) if search.listing is not None else None
            after = replace(
                search,
                status=SearchStatus.PLACED,
                missing=(),
                placement=_build_placement(event, at),
                listing=listing,
                acts=end_acts(search.acts),
            )
        case PlacementVoided() if search.placement is not None:
            after = _void_placement(search, search.placement, event)
        case PackageResourced():
            after = _begin_again(search, event)
        case SourcingExhausted():
            after = _set_status(search, SearchStatus.EXHAUSTED)
            after = replace(after, acts=replace(search.acts, enters_stage=None))
        case SourcingStopped():
            after = replace(_set_status(search, SearchStatus.STOPPED), acts=end_acts(search.acts))
        case PlacementVoided():
            pass  # of a package that was never placed here
    return after


def _void_placement(search: Search, placement: Placement, event: PlacementVoided) -> Search:
    """Return the search without its placement: over by the council's withdrawal, or running again."""
    voided = replace(placement, voided=True)
    if not event.resourced:
        return replace(search, status=SearchStatus.STOPPED, placement=voided)
    offers = (
        replace(offer, status=OfferStatus.FELL_THROUGH) if offer.offer_id == placement.offer_id else offer
        for offer in search.offers
    )
    return replace(search, status=SearchStatus.RUNNING, placement=voided, offers=tuple(offers))


def _begin_again(search: Search, event: PackageResourced) -> Search:
    """Return the search at the position from which it goes on: on the list, after a provider's turn, or on the road."""
    if event.restarts:
        acts = replace(search.acts, enters_stage=event.from_stage, skipped=())
        batching = search.batching if search.batching is not None and search.batching.is_out else None
        running = _set_status(search, SearchStatus.RUNNING)
        return replace(running, stage=None, listing=None, batching=batching, acts=acts)
    provider, listing = event.former_provider_id, search.listing
    if provider is not None:
        search = _mark_tried(search, provider)
        listing = None if listing is None else remove_proposal_of(listing, provider)
    return replace(
        _set_status(search, SearchStatus.LISTED if event.is_listed else SearchStatus.RUNNING), listing=listing
    )


def _apply_stage_event(
    search: Search, event: StageEntered | ProviderPassedOver | ProviderSkipped | OfferMade, at: datetime
) -> Search:
    if isinstance(event, ProviderSkipped):
        return _mark_tried(search, event.provider_id)
    if isinstance(event, OfferMade) and event.act_id is not None:
        return _add_directed_offer(search, event, at)
    running = _set_status(search, SearchStatus.RUNNING)
    match event:
        case StageEntered():
            stage = CurrentStage(name=event.stage, tiers=event.tiers, lists=event.lists, candidates=event.candidates)
            acts = replace(search.acts, skipped=(), enters_stage=None)
            return replace(running, stage=stage, acts=acts)
        case ProviderPassedOver():
            return _mark_tried(running, event.provider_id)
        case OfferMade():
            return replace(_mark_tried(running, event.provider_id), offers=(*running.offers, build_offer(event, at)))


def _add_directed_offer(search: Search, event: OfferMade, at: datetime) -> Search:
    """Add an offer out of order; a listed package stays on its list meanwhile."""
    status = search.status if search.status is SearchStatus.LISTED else SearchStatus.RUNNING
    return replace(
        _mark_tried(_set_status(search, status), event.provider_id),
        offers=(*search.offers, build_offer(event, at)),
        acts=remove_act(search.acts, event.act_id),
    )


def _set_status(search: Search, status: SearchStatus) -> Search:
    return replace(search, status=status, missing=())


def _mark_tried(search: Search, provider_id: ProviderId) -> Search:
    if search.stage is None or provider_id in search.stage.tried:
        return search
    return replace(search, stage=replace(search.stage, tried=(*search.stage.tried, provider_id)))


def _build_placement(event: PackagePlaced, at: datetime) -> Placement:
    return Placement(
        placement_id=event.placement_id,
        offer_id=event.offer_id,
        proposal_id=event.proposal_id,
        manual_id=event.manual_id,
        bid_id=event.bid_id,
        provider_id=event.provider_id,
        weekly_hours=event.weekly_hours,
        terms=event.terms,
        placed_at=at,
    )
