"""Advances a search that has no live offer: stage by stage, each by the procedure that the definition names."""

from contracts.events.competitions import CompetitionEnded
from contracts.events.packages import PackageRequested
from contracts.events.searches import SourcingStarted
from contracts.framework.stages import MiniCompetition, OfferToAll
from contracts.ids import SearchId
from sourcing.domain.draft import Draft
from sourcing.domain.holding import hold_for
from sourcing.domain.officers.directed_offers import make_directed_offers
from sourcing.domain.procedures.mini_competition import repeat_or_leave
from sourcing.domain.procedures.offer_to_all import ask_all_or_close
from sourcing.domain.procedures.one_at_a_time import offer_to_next_candidate
from sourcing.domain.search import Search, SearchStatus
from sourcing.domain.stage_entry import enter_next_stage, enter_stage
from sourcing.domain.steps import FollowUp, Result
from sourcing.domain.triggers import AnswerRecorded, NextOfferDue, ProjectionUpdated


def start_search(draft: Draft, _: PackageRequested) -> Result:
    """Start the search and make its first offer, if it can be made now; a repeated request changes nothing."""
    return Result() if draft.before is not None else advance(draft)


def continue_search(draft: Draft, event: AnswerRecorded) -> Result:
    """After an offer's end, or the last answer of all that were asked, go on, unless the search has moved on since."""
    return advance(draft) if is_awaiting_next_step(draft.search, event) else Result()


def continue_after_competition(draft: Draft, event: CompetitionEnded) -> Result:
    """After a competition without an award, go on, unless the search has moved on since."""
    search, competition = draft.search, draft.search.competition
    is_newest = competition is not None and competition.competition_id == event.competition_id
    is_there = search.stage is not None and search.stage.name == event.stage
    return advance(draft) if is_newest and is_there and search.is_between_offers else Result()


def resume_search(draft: Draft, _: NextOfferDue | ProjectionUpdated) -> Result:
    """Advance a search that has no live offer: the brokerage opens, or a missing entry has arrived."""
    return advance(draft) if draft.search.is_between_offers else Result()


def is_awaiting_next_step(search: Search, event: AnswerRecorded) -> bool:
    """Return whether no offer is live any more after `event`, and no decision has followed it yet."""
    offer = search.find_offer(event.offer_id)
    if offer is None or search.live_offers:
        return False
    if search.acts.is_paused:
        return search.has_waiting_acceptances
    if search.status is SearchStatus.LISTED:
        return offer is search.offers[-1] and search.acts.next_offer is not None
    if search.status is not SearchStatus.RUNNING:
        return False
    is_of_all = offer.asks_all and search.stage is not None and offer.stage == search.stage.name
    return offer is search.offers[-1] or is_of_all


def advance(draft: Draft) -> Result:
    """Advance the search as far as possible now: to its next offers, to the opening, to a hold, or to its end.

    Offers that officers had made out of order come first; they are made for a listed and an exhausted package, too.
    """
    if draft.search.is_between_offers:
        _follow_road(draft)
        return Result(follow_up=FollowUp.LOOK_FOR_PROVIDER)
    if not draft.search.is_open:
        if draft.search.status is not SearchStatus.COMPETING:
            make_directed_offers(draft)
    elif draft.search.acts.is_paused:
        _award_while_paused(draft)
    return Result()


def _award_while_paused(draft: Draft) -> None:
    """Place the package with one of those that accepted where all were asked at once: no new offer is needed for it."""
    search = draft.search
    if search.stage is None or search.live_offers or search.stage.untried or not search.has_waiting_acceptances:
        return
    stage = draft.definition.get_offering_stage(search.stage.name)
    if isinstance(stage, OfferToAll):
        ask_all_or_close(draft, stage)


def _follow_road(draft: Draft) -> None:
    if not _ensure_started(draft) or make_directed_offers(draft) or not _ensure_stage(draft):
        return
    while draft.search.is_between_offers and not make_directed_offers(draft) and _take_step(draft):
        pass


def _ensure_started(draft: Draft) -> bool:
    """Start the search where needed; False when it is held."""
    search = draft.search
    if hold_for(draft, draft.market.find_missing_definition(search.care, search.definition_version)):
        return False
    if search.search_id is None:
        _start_search(draft)
    return True


def _ensure_stage(draft: Draft) -> bool:
    """Enter a stage where the search is in none; False when it is held or there is no stage."""
    named = draft.search.acts.enters_stage
    if draft.search.stage is not None:
        return True
    return enter_next_stage(draft, None) if named is None else enter_stage(draft, draft.definition.get_stage(named))


def _take_step(draft: Draft) -> bool:
    """Take one step of the current stage's procedure; True when another step may follow now."""
    stage = draft.definition.get_stage(draft.stage.name)
    if isinstance(stage, MiniCompetition):
        return repeat_or_leave(draft, stage)
    if isinstance(stage, OfferToAll):
        return ask_all_or_close(draft, stage)
    return offer_to_next_candidate(draft)


def _start_search(draft: Draft) -> None:
    care = draft.search.care
    draft.publish(
        SourcingStarted(
            package_id=draft.search.package_id,
            search_id=SearchId(draft.new_id()),
            framework=care.framework,
            definition_version=draft.definition.version,
            lot=care.lot,
            area=care.area,
        )
    )
