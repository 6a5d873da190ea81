"""Computes a package's next step, and when it is due, from the state of its search.

A step is due at `at`, or it waits for an officer, or nothing follows. The search makes offers in brokerage time, for
urgent packages at any time. It checks a provider's eligibility when that provider's offer is due; if it passes the
provider over, the next provider of the list gets the offer.
"""

from datetime import datetime

from contracts.framework.definition import FrameworkDefinition
from contracts.framework.stages import MiniCompetition, OpenList
from contracts.values import Channel
from sourcing.domain.brokerage_clock import BrokerageClock
from sourcing.domain.competitions.competition import Competition
from sourcing.domain.competitions.next_step import CompetitionWait, describe_wait
from sourcing.domain.next_list_steps import (
    describe_batching_list,
    describe_listing,
    find_awaited_list,
    find_following_stage,
)
from sourcing.domain.next_steps import NextStep, NextStepKind
from sourcing.domain.offer import Offer, OfferStatus
from sourcing.domain.procedures.batching_list import is_closed_for_stage, is_suspended
from sourcing.domain.search import Search, SearchStatus


def find_next_step(search: Search, definition: FrameworkDefinition | None, *, now: datetime) -> NextStep:
    """Find the next step of the package; `definition` is the version that the search is bound to.

    Without a definition the instants that depend on brokerage time are unknown (None).
    """
    match search.status:
        case SearchStatus.PLACED:
            return _describe_placement(search)
        case SearchStatus.STOPPED:
            return NextStep(NextStepKind.WITHDRAWN, "nothing: the council has withdrawn the package")
        case SearchStatus.EXHAUSTED:
            return _describe_exhaustion(search)
        case SearchStatus.HELD:
            return _describe_pause(search) if search.acts.is_paused else _describe_hold(search)
        case _:
            return _describe_under_way(search, BrokerageClock(definition, now, search.is_urgent))


def _describe_under_way(search: Search, brokerage: BrokerageClock) -> NextStep:
    if search.status is SearchStatus.LISTED:
        return describe_listing(search.listing, brokerage)
    if search.status is SearchStatus.COMPETING:
        return _describe_competition(search.competition, brokerage)
    return _describe_running(search, brokerage)


def _describe_running(search: Search, brokerage: BrokerageClock) -> NextStep:
    if len(search.live_offers) > 1:
        return _describe_offers_to_all(search, brokerage)
    offer = next(iter(search.live_offers), None)
    if offer is not None:
        return _describe_offer(offer, brokerage)
    return _describe_pause(search) if search.acts.is_paused else _describe_turn(search, brokerage)


def _describe_placement(search: Search) -> NextStep:
    placement = search.placement
    return NextStep(
        NextStepKind.PLACED,
        "nothing: the package is placed",
        provider_id=None if placement is None else placement.provider_id,
        offer_id=None if placement is None else placement.offer_id,
        proposal_id=None if placement is None else placement.proposal_id,
    )


def _describe_exhaustion(search: Search) -> NextStep:
    return NextStep(
        NextStepKind.EXHAUSTED,
        "waits for an officer: no stage is left; source the package again, offer it out of order, or place it by hand",
        stage=None if search.stage is None else search.stage.name,
    )


def _describe_pause(search: Search) -> NextStep:
    stage = None if search.stage is None else search.stage.name
    return NextStep(NextStepKind.PAUSED, "waits for an officer: resume the search, which is paused", stage=stage)


def _describe_hold(search: Search) -> NextStep:
    return NextStep(
        NextStepKind.DATA_MISSING,
        f"waits for an officer: publish what is missing ({', '.join(search.missing)})",
        stage=None if search.stage is None else search.stage.name,
        missing=search.missing,
    )


def _describe_turn(search: Search, brokerage: BrokerageClock) -> NextStep:
    """Describe the turn of the next provider of the current stage; at its end, the next stage."""
    stage = search.stage
    if any(offer.status is OfferStatus.WAITING for offer in search.offers):
        text = "the providers that accepted are put in order now; the first eligible one gets the package"
        return NextStep(NextStepKind.AWARD_DUE, text, at=brokerage.now, stage=None if stage is None else stage.name)
    if is_suspended(search):
        return describe_batching_list(search, brokerage)
    if stage is None or not stage.untried or is_closed_for_stage(search):
        return _describe_next_stage(search, brokerage)
    candidate = stage.untried[0]
    return NextStep(
        NextStepKind.OFFER_DUE,
        f"offer to the provider with rank {candidate.rank} {brokerage.describe_opening()}",
        at=brokerage.opening,
        waits_for_opening=brokerage.waits_for_opening,
        stage=stage.name,
        provider_id=candidate.provider_id,
        rank=candidate.rank,
    )


def _describe_offers_to_all(search: Search, brokerage: BrokerageClock) -> NextStep:
    """Describe offers that were made at once: the stage ends with the last answer, at the latest at the deadline."""
    offers = search.live_offers
    ends = max(offer.answer_by for offer in offers if offer.answer_by is not None)
    text = f"answers of {len(offers)} providers due by {brokerage.format_instant(ends)}"
    calls = sum(offer.awaits_call for offer in offers)
    if calls:
        text += f"; waits for an officer: telephone {calls} of them"
    kind = NextStepKind.CALL_NEEDED if calls else NextStepKind.ANSWER_DUE
    return NextStep(kind, text, at=ends, stage=offers[0].stage)


def _describe_next_stage(search: Search, brokerage: BrokerageClock) -> NextStep:
    awaited = find_awaited_list(search, brokerage)
    if awaited is not None:
        return awaited
    following = find_following_stage(search, brokerage.definition)
    if following is None:
        text = f"the search ends without a placement {brokerage.describe_opening()}"
    elif isinstance(following, OpenList):
        text = f"the package goes on the open list {brokerage.describe_opening()}"
    elif isinstance(following, MiniCompetition):
        text = f"providers are invited to bid in stage {following.stage} {brokerage.describe_opening()}"
    else:
        text = f"stage {following.stage} begins {brokerage.describe_opening()}"
    return NextStep(
        NextStepKind.STAGE_DUE,
        text,
        at=brokerage.opening,
        waits_for_opening=brokerage.waits_for_opening,
        stage=None if following is None else following.stage,
    )


def _describe_offer(offer: Offer, brokerage: BrokerageClock) -> NextStep:
    if offer.awaits_call:
        text = f"waits for an officer: telephone the provider (call {offer.calls + 1})"
        return _build_offer_step(offer, NextStepKind.CALL_NEEDED, text, at=offer.answer_by)
    if offer.answer_by is not None:
        is_over = brokerage.now >= offer.answer_by
        until = brokerage.format_instant(offer.answer_by)
        text = f"time to answer was over at {until}: the offer expires now" if is_over else f"answer due by {until}"
        return _build_offer_step(offer, NextStepKind.ANSWER_DUE, text, at=offer.answer_by)
    return _describe_delivery(offer, brokerage)


def _describe_delivery(offer: Offer, brokerage: BrokerageClock) -> NextStep:
    """Describe an offer that is being delivered; after the grace period it goes to the next channel."""
    grace_ends = _find_end_of_grace(offer, brokerage.definition)
    if grace_ends is None or brokerage.now < grace_ends:
        until = "" if grace_ends is None else f"; undeliverable from {brokerage.format_instant(grace_ends)}"
        text = f"delivery of the offer by {offer.channel} awaited{until}"
        return _build_offer_step(offer, NextStepKind.DELIVERY_AWAITED, text, at=grace_ends)
    text = f"offer by the provider's next channel {brokerage.describe_opening()}: not delivered by {offer.channel}"
    return _build_offer_step(
        offer,
        NextStepKind.REDIRECT_DUE,
        text,
        at=brokerage.opening,
        waits_for_opening=brokerage.waits_for_opening,
    )


def _find_end_of_grace(offer: Offer, definition: FrameworkDefinition | None) -> datetime | None:
    if definition is None or offer.channel is Channel.PHONE:
        return None
    return (offer.redirected_at or offer.made_at) + offer.deliver_within


def _build_offer_step(
    offer: Offer, kind: NextStepKind, text: str, *, at: datetime | None = None, waits_for_opening: bool = False
) -> NextStep:
    return NextStep(
        kind,
        text,
        at=at,
        waits_for_opening=waits_for_opening,
        stage=offer.stage,
        provider_id=offer.provider_id,
        rank=offer.rank,
        offer_id=offer.offer_id,
    )


def _describe_competition(competition: Competition | None, brokerage: BrokerageClock) -> NextStep:
    assert competition is not None, "a search that is competed for has a competition"
    wait, text = describe_wait(competition, brokerage)
    pending = competition.award
    return NextStep(
        NextStepKind(wait.value),
        text,
        at=competition.closes_at if wait is CompetitionWait.BIDS_DUE else None,
        stage=competition.stage,
        award_id=None if pending is None else pending.award_id,
    )
