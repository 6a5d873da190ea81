"""Sealed bids: taken, replaced and withdrawn before the close; one that cannot count is on record too.

A bid is in time strictly before the close: at the closing instant it is late (DOMAIN, clocks).
"""

from collections.abc import Iterator

from contracts.errors import FieldError, InvalidInput
from contracts.events.competitions import BidAct, BidReceived, BidRefusal, BidRefused, BidWithdrawn
from contracts.ids import ProviderId
from sourcing.domain.competitions.competition import Competition, CompetitionStatus
from sourcing.domain.competitions.lookups import get_competition
from sourcing.domain.competitions.outcomes import BidNotTaken, BidTaken, BidTakenBack
from sourcing.domain.competitions.triggers import SubmitBid, WithdrawBid
from sourcing.domain.draft import Draft
from sourcing.domain.listing import get_known_facts
from sourcing.domain.steps import Result


def submit_bid(draft: Draft, command: SubmitBid) -> Result:
    """Take a sealed bid, which replaces the provider's earlier one, or record why it does not count.

    Raises CompetitionNotFound, MarketNotKnown, and InvalidInput for a bid that does not answer each criterion once.
    """
    competition = get_competition(draft, command.competition_id)
    if not competition.is_invited(command.provider_id):
        return _refuse(draft, competition, command, (BidRefusal.NOT_INVITED,))
    _check_answers(competition, command)
    reasons = tuple(_find_refusals(draft, competition, command.provider_id))
    if reasons:
        return _refuse(draft, competition, command, reasons)
    earlier = competition.find_bid_of(command.provider_id)
    replaces = None if earlier is None else earlier.bid_id
    draft.publish(
        BidReceived(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            competition_id=competition.competition_id,
            bid_id=command.bid_id,
            provider_id=command.provider_id,
            commitment=command.commitment,
            replaces=replaces,
            views=draft.market.get_facts(command.provider_id).projection_uses,
        )
    )
    return Result(BidTaken(command.bid_id, replaces))


def withdraw_bid(draft: Draft, command: WithdrawBid) -> Result:
    """Take a bid back before the close. Raises CompetitionNotFound."""
    competition = get_competition(draft, command.competition_id)
    bid = competition.find_bid_of(command.provider_id)
    if not competition.is_invited(command.provider_id):
        return _refuse_withdrawal(draft, competition, command, BidRefusal.NOT_INVITED)
    if not _takes_bids(draft, competition):
        return _refuse_withdrawal(draft, competition, command, BidRefusal.CLOSED)
    if bid is None:
        return _refuse_withdrawal(draft, competition, command, BidRefusal.NO_BID)
    draft.publish(
        BidWithdrawn(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            competition_id=competition.competition_id,
            bid_id=bid.bid_id,
            provider_id=command.provider_id,
        )
    )
    return Result(BidTakenBack(bid.bid_id))


def _check_answers(competition: Competition, command: SubmitBid) -> None:
    """Raises InvalidInput, naming the criteria that lack an answer and the answers that no criterion asks for."""
    wanted = [each.criterion for each in competition.criteria]
    lacking = [each for each in wanted if each not in command.answered]
    if lacking:
        raise InvalidInput(FieldError("#/answers", f"lacks an answer to {', '.join(lacking)}; answer each criterion"))
    for position, key in enumerate(command.answered):
        if key not in wanted or key in command.answered[:position]:
            remedy = ", ".join(wanted) or "nothing: only the rate counts"
            raise InvalidInput(FieldError(f"#/answers/{position}/criterion", f"is not asked for once; answer {remedy}"))


def _find_refusals(draft: Draft, competition: Competition, provider_id: ProviderId) -> Iterator[BidRefusal]:
    if not _takes_bids(draft, competition):
        yield BidRefusal.CLOSED
    if get_known_facts(draft, provider_id).embargoed:
        yield BidRefusal.EMBARGOED
    if provider_id in draft.search.wishes.refused:
        yield BidRefusal.REFUSED_BY_PERSON


def _takes_bids(draft: Draft, competition: Competition) -> bool:
    return competition.status is CompetitionStatus.OPEN and draft.at < competition.closes_at


def _refuse(draft: Draft, competition: Competition, command: SubmitBid, reasons: tuple[BidRefusal, ...]) -> Result:
    draft.publish(
        BidRefused(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            competition_id=competition.competition_id,
            bid_id=command.bid_id,
            provider_id=command.provider_id,
            act=BidAct.BID,
            commitment=command.commitment,
            reasons=reasons,
            views=draft.market.get_facts(command.provider_id).projection_uses,
        )
    )
    return Result(BidNotTaken(reasons))


def _refuse_withdrawal(draft: Draft, competition: Competition, command: WithdrawBid, reason: BidRefusal) -> Result:
    draft.publish(
        BidRefused(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            competition_id=competition.competition_id,
            bid_id=None,
            provider_id=command.provider_id,
            act=BidAct.WITHDRAWAL,
            commitment=None,
            reasons=(reason,),
            views=(),
        )
    )
    return Result(BidNotTaken((reason,)))
