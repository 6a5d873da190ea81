"""The close: no more bids are taken, and those that are in are opened and checked against their commitments."""

from collections.abc import Mapping

from contracts.events.competitions import (
    BidAct,
    BidOpened,
    BidRefusal,
    BidRefused,
    CompetitionClosed,
    CompetitionEnd,
)
from contracts.ids import BidId
from contracts.sealed_bids import compute_commitment
from contracts.terms import compute_terms_at_rate
from sourcing.domain.competitions.competition import Bid, Competition, CompetitionStatus
from sourcing.domain.competitions.ending import end_competition
from sourcing.domain.competitions.scoring import rank_bids
from sourcing.domain.competitions.triggers import CompetitionDue, UnsealedBid
from sourcing.domain.draft import Draft
from sourcing.domain.steps import Result

PRICE_LIST = "as bid"


def close_competition(draft: Draft, trigger: CompetitionDue) -> Result:
    """Close the competition and open its bids. Where the lowest price wins, the result follows at once.

    A bid whose content is missing or is not what it committed to is refused, on record, and the others count.
    """
    competition = draft.search.competition
    if competition is None or competition.competition_id != trigger.competition_id:
        return Result()
    if competition.status is not CompetitionStatus.OPEN or draft.at < competition.closes_at:
        return Result()
    draft.publish(
        CompetitionClosed(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            competition_id=competition.competition_id,
            stage=competition.stage,
            bids=len(competition.bids),
        )
    )
    _open_bids(draft, competition, {each.bid_id: each for each in trigger.bids})
    _conclude(draft, had_bids=bool(competition.bids))
    return Result()


def _conclude(draft: Draft, *, had_bids: bool) -> None:
    """End the competition if no bid can win; rank the bids where the lowest price wins; else they are scored."""
    competition = draft.competition
    if not competition.bids:
        end_competition(draft, competition, CompetitionEnd.NONE_SUITABLE if had_bids else CompetitionEnd.NO_BIDS)
        return
    if competition.lowest_price:
        rank_bids(draft, competition)
        if draft.competition.winner is None:
            end_competition(draft, draft.competition, CompetitionEnd.NONE_SUITABLE)


def _open_bids(draft: Draft, competition: Competition, unsealed: Mapping[BidId, UnsealedBid]) -> None:
    for bid in competition.bids:
        found = unsealed.get(bid.bid_id)
        if found is None or not _is_as_committed(competition, bid, found):
            _refuse_bid(draft, competition, bid)
            continue
        draft.publish(_build_opened_bid(draft, competition, bid, found))


def _is_as_committed(competition: Competition, bid: Bid, found: UnsealedBid) -> bool:
    commitment = compute_commitment(
        competition_id=competition.competition_id,
        provider_id=bid.provider_id,
        rate=found.rate,
        content_hash=found.content_hash,
        salt=found.salt,
    )
    return commitment == bid.commitment


def _build_opened_bid(draft: Draft, competition: Competition, bid: Bid, found: UnsealedBid) -> BidOpened:
    unit, kind = competition.unit, competition.unit_kind
    return BidOpened(
        package_id=draft.search.package_id,
        search_id=draft.search_id,
        competition_id=competition.competition_id,
        bid_id=bid.bid_id,
        provider_id=bid.provider_id,
        rate=found.rate,
        salt=found.salt,
        content_hash=found.content_hash,
        terms=compute_terms_at_rate(draft.search.care, unit, kind, found.rate, price_list=PRICE_LIST),
    )


def _refuse_bid(draft: Draft, competition: Competition, bid: Bid) -> None:
    draft.publish(
        BidRefused(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            competition_id=competition.competition_id,
            bid_id=bid.bid_id,
            provider_id=bid.provider_id,
            act=BidAct.OPENING,
            commitment=bid.commitment,
            reasons=(BidRefusal.NOT_AS_COMMITTED,),
            views=(),
        )
    )
