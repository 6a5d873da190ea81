"""A council's withdrawal: it stops the search, or voids the placement; never both."""

from contracts.events.officer_acts import ActEnd
from contracts.events.packages import WithdrawalRequested
from contracts.events.reasons import OfferEnd
from contracts.events.searches import PlacementVoided, SourcingStopped
from sourcing.domain.awarding import withdraw_award
from sourcing.domain.competitions.ending import withdraw_competition
from sourcing.domain.draft import Draft
from sourcing.domain.offer import OfferStatus
from sourcing.domain.officers.ending_acts import end_pending_acts
from sourcing.domain.search import SearchStatus
from sourcing.domain.steps import Result
from sourcing.domain.withdrawing import withdraw_offer


def stop_search(draft: Draft, event: WithdrawalRequested) -> Result:
    """Stop the search before an acceptance, void the placement after it; a second withdrawal changes nothing."""
    search = draft.search
    if search.status is SearchStatus.STOPPED:
        return Result()
    if search.status is SearchStatus.PLACED:
        _void_placement(draft, event)
        return Result()
    for offer in search.offers:
        if offer.is_live or offer.status is OfferStatus.WAITING:
            withdraw_offer(draft, offer, OfferEnd.PACKAGE_WITHDRAWN)
    withdraw_competition(draft)
    withdraw_award(draft)
    end_pending_acts(draft, ActEnd.PACKAGE_WITHDRAWN)
    draft.publish(SourcingStopped(package_id=search.package_id, search_id=search.search_id))
    return Result()


def _void_placement(draft: Draft, event: WithdrawalRequested) -> None:
    placement = draft.placement
    draft.publish(
        PlacementVoided(
            package_id=event.package_id,
            placement_id=placement.placement_id,
            provider_id=placement.provider_id,
            weekly_hours=placement.weekly_hours,
            reason=event.reason,
        )
    )
