"""Awards of a package to a bid: an officer confirms the result, or overrules it with a reason and a second officer.

Above the ceiling a second officer approves too, at pricing, as for proposals. An embargo and the person's refusal bar
an award; Inadequate needs the officer's reason. All of it is looked at when the award is made and when it is approved.
"""

from collections.abc import Iterator

from contracts.errors import FieldError, InvalidInput
from contracts.events.competitions import CompetitionAwarded, CompetitionEnd
from contracts.events.listings import (
    AwardAwaitsApproval,
    AwardEnd,
    AwardRefusal,
    AwardRefused,
    SecondOfficerNeeded,
)
from contracts.events.orders import SpotPriceApproved, SpotPriceRefused
from contracts.framework.words import Reasons
from contracts.ids import AwardId, ProposalId
from sourcing.domain.awarding import check_inadequate_reason, is_reason_missing
from sourcing.domain.competitions.competition import (
    AwardedBid,
    Bid,
    Competition,
    CompetitionStatus,
    PendingBidAward,
)
from sourcing.domain.competitions.ending import end_competition, give_feedback, lapse_bid_award
from sourcing.domain.competitions.errors import BidNotSuitable, BidsSealed, ResultNotKnown
from sourcing.domain.competitions.lookups import get_bid, get_competition, require_running
from sourcing.domain.competitions.outcomes import BidAwaitsApproval, CompetitionIsOver
from sourcing.domain.competitions.triggers import AwardBid
from sourcing.domain.draft import Draft
from sourcing.domain.known_reasons import require_known_reason
from sourcing.domain.listing import get_known_facts
from sourcing.domain.market import ProviderFacts
from sourcing.domain.placing import place_package
from sourcing.domain.search import SearchStatus
from sourcing.domain.steps import AwardBarred, Outcome, Placed, Result


def award_bid(draft: Draft, command: AwardBid) -> Result:
    """Award the package to a bid, or confirm that none is suitable; the same award again has the same outcome.

    Raises CompetitionNotFound, BidNotFound, BidsSealed, ResultNotKnown, BidNotSuitable, MarketNotKnown, and
    InvalidInput where a reason or a note is missing.
    """
    competition = get_competition(draft, command.competition_id)
    if competition.status is CompetitionStatus.OPEN:
        raise BidsSealed(f"the bids are sealed until the close at {competition.closes_at.isoformat()}; award then")
    if command.bid_id is None:
        return Result(_confirm_none_suitable(draft, competition, command.officer))
    bid = get_bid(competition, command.bid_id)
    repeated = _find_repeated_outcome(draft, competition, bid)
    return Result(repeated or _decide_award(draft, competition, bid, command))


def place_approved_bid(draft: Draft, event: SpotPriceApproved) -> bool:
    """Place the package when the second officer approves, if the provider may still have it; False: not a bid's award.

    The same officer twice is refused.
    """
    competition = draft.search.competition
    if competition is None or competition.award is None or competition.award.award_id != event.award_id:
        return False
    pending, bid = competition.award, get_bid(competition, competition.award.bid_id)
    facts = get_known_facts(draft, bid.provider_id)
    bars = tuple(_find_refusals_at_approval(draft, pending, facts, second_officer=event.officer))
    if bars:
        _refuse_award(draft, pending, bid, facts, bars, officer=event.officer)
    else:
        _complete_award(draft, competition, pending, bid, facts, second_officer=event.officer)
    return True


def drop_refused_bid(draft: Draft, event: SpotPriceRefused) -> bool:
    """Drop the award when the second officer refuses it; the ranking stays. False: not a bid's award."""
    competition = draft.search.competition
    if competition is None or competition.award is None or competition.award.award_id != event.award_id:
        return False
    lapse_bid_award(draft, competition, AwardEnd.PRICE_REFUSED)
    return True


def _confirm_none_suitable(draft: Draft, competition: Competition, officer: str) -> Outcome:
    if competition.end is CompetitionEnd.NONE_SUITABLE:
        return CompetitionIsOver()
    require_running(competition)
    _require_result(competition)
    if competition.winner is not None:
        raise InvalidInput(FieldError("#/bid_id", "is missing; a bid is suitable: name the first of the ranking"))
    end_competition(draft, competition, CompetitionEnd.NONE_SUITABLE, officer=officer)
    return CompetitionIsOver()


def _find_repeated_outcome(draft: Draft, competition: Competition, bid: Bid) -> Outcome | None:
    """Return the outcome of an award that was made before, by any officer; else None."""
    if draft.search.status is SearchStatus.PLACED and draft.placement.bid_id == bid.bid_id:
        return Placed(draft.placement)
    if competition.award is not None and competition.award.bid_id == bid.bid_id:
        return BidAwaitsApproval(competition.award)
    return None


def _decide_award(draft: Draft, competition: Competition, bid: Bid, command: AwardBid) -> Outcome:
    pending = PendingBidAward(
        AwardId(draft.new_id()),
        bid.bid_id,
        command.officer,
        command.inadequate_reason,
        command.overrule_reason,
        command.note_id,
    )
    too_late = tuple(_find_late_refusals(draft, competition))
    if too_late:
        facts = draft.market.get_facts(bid.provider_id)
        return _refuse_award(draft, pending, bid, facts, too_late, officer=command.officer)
    _require_result(competition)
    _require_suitable(competition, bid)
    _check_reasons(draft, competition, bid, command)
    facts = get_known_facts(draft, bid.provider_id)
    check_inadequate_reason(draft, facts, command.inadequate_reason)
    bars = tuple(_find_refusals(draft, facts))
    if bars:
        return _refuse_award(draft, pending, bid, facts, bars, officer=command.officer)
    because = tuple(_find_needs_of_second_officer(competition, bid))
    if because:
        return _request_approval(draft, competition, pending, bid, because)
    return _complete_award(draft, competition, pending, bid, facts, second_officer=None)


def _find_late_refusals(draft: Draft, competition: Competition) -> Iterator[AwardRefusal]:
    """Find why the award is too late: the package is placed or withdrawn, or another award waits."""
    if competition.is_over or draft.search.status is not SearchStatus.COMPETING:
        yield AwardRefusal.NO_LONGER_OPEN
    if competition.award is not None:
        yield AwardRefusal.ANOTHER_WAITS


def _require_result(competition: Competition) -> None:
    if not competition.ranking or competition.missing_scores:
        raise ResultNotKnown(
            f"{competition.missing_scores} scores are missing; score every bid by every criterion, then award"
        )


def _require_suitable(competition: Competition, bid: Bid) -> None:
    ranked = competition.find_ranked(bid.bid_id)
    if ranked is None or ranked.unsuitable:
        why = ", ".join(() if ranked is None else ranked.unsuitable)
        raise BidNotSuitable(f"the bid is {why}; award another one, or end the competition")


def _check_reasons(draft: Draft, competition: Competition, bid: Bid, command: AwardBid) -> None:
    """Raises InvalidInput where the result is overruled without a reason and a note, or a reason overrules nothing."""
    is_first = competition.winner is not None and competition.winner.bid_id == bid.bid_id
    allowed = Reasons.list_keys(draft.definition.reasons.overrule)
    if is_first and command.overrule_reason is not None:
        raise InvalidInput(FieldError("#/overrule_reason", "overrules nothing: this is the first bid of the ranking"))
    if is_first:
        return
    if command.overrule_reason is None:
        detail = f"is missing: another bid is first in the ranking; give one of {', '.join(allowed)}"
        raise InvalidInput(FieldError("#/overrule_reason", detail))
    require_known_reason(command.overrule_reason, allowed, "#/overrule_reason")
    if command.note_id is None:
        raise InvalidInput(FieldError("#/note", "is missing; state why another bid than the first is awarded"))


def _find_refusals(draft: Draft, facts: ProviderFacts) -> Iterator[AwardRefusal]:
    if facts.embargoed:
        yield AwardRefusal.EMBARGOED
    if facts.provider_id in draft.search.wishes.refused:
        yield AwardRefusal.REFUSED_BY_PERSON


def _find_refusals_at_approval(
    draft: Draft, pending: PendingBidAward, facts: ProviderFacts, *, second_officer: str
) -> Iterator[AwardRefusal]:
    if second_officer == pending.officer:
        yield AwardRefusal.SAME_OFFICER
    yield from _find_refusals(draft, facts)
    if is_reason_missing(facts, pending.inadequate_reason):
        yield AwardRefusal.INADEQUATE_WITHOUT_REASON


def _find_needs_of_second_officer(competition: Competition, bid: Bid) -> Iterator[SecondOfficerNeeded]:
    if bid.content.rate > competition.ceiling:
        yield SecondOfficerNeeded.ABOVE_CEILING
    if competition.second_officer_always:
        yield SecondOfficerNeeded.ALWAYS
    if competition.winner is None or competition.winner.bid_id != bid.bid_id:
        yield SecondOfficerNeeded.OVERRULED


def _request_approval(
    draft: Draft,
    competition: Competition,
    pending: PendingBidAward,
    bid: Bid,
    because: tuple[SecondOfficerNeeded, ...],
) -> BidAwaitsApproval:
    draft.publish(
        AwardAwaitsApproval(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            award_id=pending.award_id,
            proposal_id=ProposalId(bid.bid_id),
            provider_id=bid.provider_id,
            terms=bid.content.terms,
            ceiling=competition.ceiling,
            officer=pending.officer,
            inadequate_reason=pending.inadequate_reason,
            because=because,
            overrule_reason=pending.overrule_reason,
            note_id=pending.note_id,
        )
    )
    return BidAwaitsApproval(pending)


def _refuse_award(
    draft: Draft,
    pending: PendingBidAward,
    bid: Bid,
    facts: ProviderFacts,
    bars: tuple[AwardRefusal, ...],
    *,
    officer: str,
) -> AwardBarred:
    draft.publish(
        AwardRefused(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            award_id=pending.award_id,
            proposal_id=ProposalId(bid.bid_id),
            provider_id=bid.provider_id,
            officer=officer,
            reasons=bars,
            views=facts.projection_uses,
        )
    )
    return AwardBarred(bars)


def _complete_award(
    draft: Draft,
    competition: Competition,
    pending: PendingBidAward,
    bid: Bid,
    facts: ProviderFacts,
    *,
    second_officer: str | None,
) -> Placed:
    draft.publish(
        CompetitionAwarded(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            competition_id=competition.competition_id,
            stage=competition.stage,
            award_id=pending.award_id,
            bid_id=bid.bid_id,
            provider_id=bid.provider_id,
            officer=pending.officer,
            second_officer=second_officer,
            overrule_reason=pending.overrule_reason,
            note_id=pending.note_id,
            rating=facts.rating,
            inadequate_reason=pending.inadequate_reason,
        )
    )
    placed = AwardedBid(bid.bid_id, bid.provider_id, bid.content.terms)
    hours = draft.search.care.weekly_hours
    placement = place_package(draft, placed, facts, stage=competition.stage, weekly_hours=hours)
    give_feedback(draft, competition, winner=bid.bid_id)
    return Placed(placement)
