"""Applies the events of officers' acts to a search."""

from dataclasses import replace

from contracts.events.officer_acts import (
    OfferDirected,
    OfficerActApproved,
    OfficerActEnded,
    OfficerAssigned,
    PlacementByHandProposed,
    ProviderSkipped,
    SearchPaused,
    SearchResumed,
)
from contracts.ids import ActId
from sourcing.domain.officers.pending_acts import DirectedOffer, HandPlacement, OfficerActs

ActsEvent = (
    SearchPaused
    | SearchResumed
    | ProviderSkipped
    | OfferDirected
    | PlacementByHandProposed
    | OfficerActApproved
    | OfficerActEnded
    | OfficerAssigned
)


def apply_acts_event(acts: OfficerActs, event: ActsEvent) -> OfficerActs:
    after = acts
    match event:
        case SearchPaused():
            after = replace(acts, is_paused=True)
        case SearchResumed():
            after = replace(acts, is_paused=False)
        case ProviderSkipped():
            after = replace(acts, skipped=(*acts.skipped, event.provider_id))
        case OfferDirected():
            after = replace(acts, directed=(*acts.directed, _build_directed_offer(event)))
        case PlacementByHandProposed():
            after = replace(acts, placement=_build_hand_placement(event))
        case OfficerActApproved():
            after = replace(acts, directed=_approve(acts.directed, event.act_id))
        case OfficerActEnded():
            after = remove_act(acts, event.act_id)
        case OfficerAssigned():
            after = replace(acts, assigned_to=event.assigned_to)
    return after


def remove_act(acts: OfficerActs, act_id: ActId | None) -> OfficerActs:
    """Return the acts without one that was carried out or has ended."""
    placement = acts.placement
    return replace(
        acts,
        directed=tuple(offer for offer in acts.directed if offer.act_id != act_id),
        placement=None if placement is not None and placement.act_id == act_id else placement,
    )


def end_acts(acts: OfficerActs) -> OfficerActs:
    """Return the acts of a search that is over; the package stays assigned to its officer."""
    return OfficerActs(assigned_to=acts.assigned_to)


def _approve(directed: tuple[DirectedOffer, ...], act_id: ActId) -> tuple[DirectedOffer, ...]:
    return tuple(replace(offer, is_ready=True) if offer.act_id == act_id else offer for offer in directed)


def _build_directed_offer(event: OfferDirected) -> DirectedOffer:
    return DirectedOffer(
        act_id=event.act_id,
        provider_id=event.provider_id,
        lot=event.lot,
        tier=event.tier,
        area=event.area,
        officer=event.officer,
        is_ready=not event.second_officer_needed,
    )


def _build_hand_placement(event: PlacementByHandProposed) -> HandPlacement:
    return HandPlacement(
        act_id=event.act_id,
        provider_id=event.provider_id,
        terms=event.terms,
        officer=event.officer,
        reason=event.reason,
        inadequate_reason=event.inadequate_reason,
        note_id=event.note_id,
    )
