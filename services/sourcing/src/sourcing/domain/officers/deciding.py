"""Deciding on acts that officers proposed: a second officer approves or refuses, the first one withdraws."""

from contracts.events.officer_acts import ActEnd as End
from contracts.events.officer_acts import OfficerActApproved, OfficerActEnded
from contracts.values import PassOverReason
from sourcing.domain.awarding import is_reason_missing
from sourcing.domain.draft import Draft
from sourcing.domain.errors import ActNotFound, SameOfficer
from sourcing.domain.listing import get_known_facts
from sourcing.domain.market import ProviderFacts
from sourcing.domain.offering import advance
from sourcing.domain.officers.commands import ApproveAct, RefuseAct
from sourcing.domain.officers.pending_acts import DirectedOffer, HandPlacement, PendingAct
from sourcing.domain.officers.placing_by_hand import complete_hand_placement, find_bars_to_placing
from sourcing.domain.steps import ActEnded, ActWaits, Outcome, Placed, Result


def approve_act(draft: Draft, command: ApproveAct) -> Result:
    """Approve an act as a second officer, and carry it out where it can be; the same approval again changes nothing.

    Raises ActNotFound, SameOfficer, MarketNotKnown.
    """
    act = draft.search.acts.find(command.act_id)
    if act is None:
        return Result(_find_outcome_of_completed(draft, command))
    if isinstance(act, DirectedOffer) and act.is_ready:
        return Result(ActWaits(act.act_id))
    if act.officer == command.officer:
        raise SameOfficer("the officer who proposed this act cannot approve it; ask a second officer")
    if isinstance(act, HandPlacement):
        return Result(_place_or_end(draft, act, command))
    draft.publish(
        OfficerActApproved(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            act_id=act.act_id,
            provider_id=act.provider_id,
            officer=command.officer,
        )
    )
    follow_up = advance(draft).follow_up
    return Result(_describe_outcome(draft, command), follow_up)


def refuse_act(draft: Draft, command: RefuseAct) -> Result:
    """End an act that is not carried out yet: refused by a second officer, or withdrawn by the first one.

    Raises ActNotFound.
    """
    act = draft.search.acts.find(command.act_id)
    if act is None:
        raise ActNotFound
    reason = End.WITHDRAWN if act.officer == command.officer else End.REFUSED
    _end_act(draft, act, reason, officer=command.officer)
    return Result(ActEnded(reason))


def _find_outcome_of_completed(draft: Draft, command: ApproveAct) -> Outcome:
    """Return the outcome of an act that was carried out. Raises ActNotFound."""
    placement = draft.search.placement
    if placement is not None and placement.manual_id == command.act_id and not placement.voided:
        return Placed(placement)
    if any(offer.act_id == command.act_id for offer in draft.search.offers):
        return ActWaits(command.act_id)
    raise ActNotFound


def _describe_outcome(draft: Draft, command: ApproveAct) -> Outcome:
    """Return that the offer was made or waits; or why it was ended in the same step."""
    for event in draft.events:
        if isinstance(event, OfficerActEnded) and event.act_id == command.act_id:
            return ActEnded(event.reason, event.passed_over)
    return ActWaits(command.act_id)


def _place_or_end(draft: Draft, placement: HandPlacement, command: ApproveAct) -> Outcome:
    """Place the package if the provider may still have it, as it is looked at now; else end the act on record."""
    facts = get_known_facts(draft, placement.provider_id)
    bars = tuple(find_bars_to_placing(draft, facts))
    if bars:
        _end_act(draft, placement, End.PROVIDER_NOT_ELIGIBLE, officer=command.officer, bars=bars, facts=facts)
        return ActEnded(End.PROVIDER_NOT_ELIGIBLE, bars)
    if is_reason_missing(facts, placement.inadequate_reason):
        _end_act(draft, placement, End.INADEQUATE_WITHOUT_REASON, officer=command.officer, facts=facts)
        return ActEnded(End.INADEQUATE_WITHOUT_REASON)
    return complete_hand_placement(draft, placement, facts, second_officer=command.officer)


def _end_act(
    draft: Draft,
    act: PendingAct,
    reason: End,
    *,
    officer: str,
    bars: tuple[PassOverReason, ...] = (),
    facts: ProviderFacts | None = None,
) -> None:
    draft.publish(
        OfficerActEnded(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            act_id=act.act_id,
            provider_id=act.provider_id,
            reason=reason,
            passed_over=bars,
            officer=officer,
            views=() if facts is None else facts.projection_uses,
        )
    )
