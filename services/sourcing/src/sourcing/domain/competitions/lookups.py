"""Finds the competition, bid or question that a command names."""

from contracts.ids import BidId, CompetitionId
from sourcing.domain.competitions.competition import Bid, Competition
from sourcing.domain.competitions.errors import BidNotFound, CompetitionNotFound, CompetitionOver
from sourcing.domain.draft import Draft


def get_competition(draft: Draft, competition_id: CompetitionId) -> Competition:
    """Return the package's competition with this id. Raises CompetitionNotFound."""
    found = next((each for each in draft.search.competitions if each.competition_id == competition_id), None)
    if found is None:
        raise CompetitionNotFound
    return found


def require_running(competition: Competition) -> None:
    """Raises CompetitionOver for a competition that was awarded or has ended."""
    if competition.is_over:
        how = competition.status if competition.end is None else competition.end
        raise CompetitionOver(f"the competition is over ({how}); read the package's decision to see what followed")


def get_bid(competition: Competition, bid_id: BidId) -> Bid:
    """Return a bid of the competition. Raises BidNotFound, also for one that was replaced or withdrawn."""
    bid = competition.find_bid(bid_id)
    if bid is None:
        raise BidNotFound("there is no such bid in this competition; list its bids to see which ones there are")
    return bid
