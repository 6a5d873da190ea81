"""Offers a package to one provider at a time, in ranked order, stage by stage, in brokerage time."""

from datetime import timedelta
from typing import Final

from contracts.events.packages import (
    Candidate,
    OfferMade,
    PackageRequested,
    ProviderPassedOver,
    SourcingExhausted,
    SourcingHeld,
    SourcingStarted,
    StageEntered,
)
from contracts.events.reasons import ExhaustedReason
from contracts.framework import Exhausted, OpenList, SequentialOffers
from contracts.ids import OfferId, SearchId
from contracts.values import AnswerBy, Channel, PassOverReason, Terms
from sourcing.domain.draft import Draft
from sourcing.domain.listing import list_package
from sourcing.domain.market import ProviderFacts, find_pass_over_reasons
from sourcing.domain.search import Search, SearchStatus
from sourcing.domain.steps import FollowUp, Result
from sourcing.domain.triggers import NextOfferDue, OfferEnded, ProjectionUpdated

ONE_MINUTE: Final = timedelta(minutes=1)


def start_search(draft: Draft, _: PackageRequested) -> Result:
    """Start the search and make its first offer, if it can be made now; a repeated request changes nothing."""
    return Result() if draft.before is not None else _advance(draft)


def offer_to_next_provider(draft: Draft, event: OfferEnded) -> Result:
    """After an offer's end, make the next offer, unless the search has moved on since."""
    return _advance(draft) if is_awaiting_next_offer(draft.search, event) else Result()


def resume_search(draft: Draft, _: NextOfferDue | ProjectionUpdated) -> Result:
    """Advance a search that has no live offer: the brokerage opens, or a missing entry has arrived."""
    return _advance(draft) if draft.search.is_between_offers else Result()


def is_awaiting_next_offer(search: Search, event: OfferEnded) -> bool:
    """Return whether `event` ended the latest offer and no decision has followed it yet."""
    is_latest = bool(search.offers) and search.offers[-1].offer_id == event.offer_id
    return is_latest and search.status is SearchStatus.RUNNING and search.live_offer is None


def is_waiting_for_opening(draft: Draft) -> bool:
    """Return whether offers wait for brokerage time. Urgent packages never wait; others are not evaluated before it."""
    return not draft.search.is_urgent and not draft.calendar.is_open(draft.at)


def build_answer_by(draft: Draft, stage: SequentialOffers, channel: Channel) -> AnswerBy:
    """Return the time to answer as a length; it becomes an instant when the offer is delivered."""
    urgent = draft.search.is_urgent
    return AnswerBy(
        minutes=stage.answer_within.get_duration(channel, urgent=urgent) // ONE_MINUTE,
        brokerage_time=not urgent,
    )


def _advance(draft: Draft) -> Result:
    """Advance the search as far as possible now: to its next offer, to the opening, to a hold, or to its end."""
    if _ensure_stage(draft) and not is_waiting_for_opening(draft):
        while draft.search.is_between_offers and _process_next_candidate(draft):
            pass
    return Result(follow_up=FollowUp.LOOK_FOR_PROVIDER)


def _ensure_stage(draft: Draft) -> bool:
    """Start the search and enter its first stage where needed; False when it is held or there is no stage."""
    search = draft.search
    if _hold_for(draft, draft.market.find_missing_definition(search.care, search.definition_version)):
        return False
    if search.search_id is None:
        _start_search(draft)
    return draft.search.stage is not None or _enter_stage(draft, draft.definition.find_next_stage(None))


def _process_next_candidate(draft: Draft) -> bool:
    """Handle the next candidate, or the end of the stage; True when another candidate may follow now."""
    untried = draft.stage.untried
    if not untried:
        return _enter_stage(draft, _find_following_stage(draft))
    facts = draft.market.get_facts(untried[0].provider_id)
    care = draft.search.care
    if draft.market.find_missing_facts(care, untried[:1]):
        return not _hold_for(draft, draft.market.find_missing_facts(care, untried))
    _offer_or_pass_over(draft, untried[0], facts)
    return True


def _offer_or_pass_over(draft: Draft, candidate: Candidate, facts: ProviderFacts) -> None:
    search, stage = draft.search, draft.stage
    reasons = find_pass_over_reasons(facts, care=search.care, wishes=search.wishes, tier=stage.tier, at_award=False)
    terms = draft.market.compute_terms(facts, search.care, on=draft.local_day)
    if terms is not None and not reasons:
        draft.publish(_build_offer(draft, candidate, facts, terms))
        return
    draft.publish(
        ProviderPassedOver(
            package_id=search.package_id,
            search_id=draft.search_id,
            stage=stage.name,
            provider_id=candidate.provider_id,
            rank=candidate.rank,
            reasons=(*reasons, *(() if terms else (PassOverReason.NO_RATE_SELECTED,))),
            views=facts.projection_uses,
        )
    )


def _build_offer(draft: Draft, candidate: Candidate, facts: ProviderFacts, terms: Terms) -> OfferMade:
    care, stage = draft.search.care, draft.definition.get_sequential_stage(draft.stage.name)
    return OfferMade(
        package_id=draft.search.package_id,
        search_id=draft.search_id,
        offer_id=OfferId(draft.new_id()),
        stage=stage.stage,
        provider_id=candidate.provider_id,
        rank=candidate.rank,
        channel=facts.channel,
        care=care,
        weekly_hours=care.weekly_hours,
        terms=terms,
        answer_by=build_answer_by(draft, stage, facts.channel),
        views=facts.projection_uses,
    )


def _start_search(draft: Draft) -> None:
    care = draft.search.care
    draft.publish(
        SourcingStarted(
            package_id=draft.search.package_id,
            search_id=SearchId(draft.new_id()),
            framework=care.framework,
            definition_version=draft.definition.version,
            area=care.area,
        )
    )


def _find_following_stage(draft: Draft) -> SequentialOffers | OpenList | None:
    current = draft.definition.get_sequential_stage(draft.stage.name)
    return None if current.exhausted is Exhausted.STOP else draft.definition.find_next_stage(current.stage)


def _enter_stage(draft: Draft, stage: SequentialOffers | OpenList | None) -> bool:
    """Enter `stage` and pin its ranked list; True when its candidates can be handled.

    The search is held when the list is missing, exhausted when there is no stage, and listed by an OpenList.
    """
    if stage is None:
        _exhaust_search(draft)
        return False
    if isinstance(stage, OpenList):
        list_package(draft, stage)
        return False
    care = draft.search.care
    if _hold_for(draft, draft.market.find_missing_list(care, stage.tier)):
        return False
    ranked_list = draft.market.ranked_lists[stage.tier]
    draft.publish(
        StageEntered(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            stage=stage.stage,
            tier=stage.tier,
            list_version=ranked_list.list_version,
            candidates=ranked_list.ranking,
        )
    )
    return True


def _exhaust_search(draft: Draft) -> None:
    draft.publish(
        SourcingExhausted(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            last_stage=draft.stage.name,
            reason=ExhaustedReason.NO_STAGE_LEFT,
        )
    )


def _hold_for(draft: Draft, missing: tuple[str, ...]) -> bool:
    """Hold the search when something is missing; True when it is held. The same gaps are published once."""
    if not missing:
        return False
    missing = tuple(dict.fromkeys(missing))
    if draft.search.missing != missing:
        draft.publish(SourcingHeld(package_id=draft.search.package_id, missing=missing))
    return True
