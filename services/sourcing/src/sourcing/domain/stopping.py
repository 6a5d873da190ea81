"""The council withdraws: the search decides what that means by now, and always answers."""

from contracts.events.packages import OfferEnd, PlacementVoided, SourcingStopped, WithdrawalRequested
from sourcing.domain.answering import withdraw
from sourcing.domain.awarding import withdraw_award
from sourcing.domain.draft import Course
from sourcing.domain.search import SearchStatus


def stop(course: Course, event: WithdrawalRequested) -> None:
    """Before an acceptance the search stops, after it the placement is voided; a second withdrawal is no news."""
    search = course.search
    if search.status is SearchStatus.STOPPED:
        return
    if search.status is SearchStatus.PLACED:
        _void(course, event)
        return
    if search.live_offer is not None:
        withdraw(course, search.live_offer, OfferEnd.PACKAGE_WITHDRAWN)
    withdraw_award(course)
    course.publish(SourcingStopped(package_id=search.package_id, search_id=search.search_id))


def _void(course: Course, event: WithdrawalRequested) -> None:
    placement = course.placement
    course.publish(
        PlacementVoided(
            package_id=event.package_id,
            placement_id=placement.placement_id,
            provider_id=placement.provider_id,
            weekly_hours=placement.weekly_hours,
            reason=event.reason,
        )
    )
