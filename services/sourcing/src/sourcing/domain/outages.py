"""Our own outage holds an offer, it never expires it: its clock gains the time in which nobody could answer."""

from collections.abc import Iterable
from datetime import datetime

from contracts.events.packages import OfferExtended
from sourcing.domain.draft import Course
from sourcing.domain.search import Offer
from sourcing.domain.triggers import Outage


def extend_for(course: Course, outages: Iterable[Outage]) -> None:
    """Give the live offer back what `outages` took from its time to answer; each counts once."""
    for outage in sorted(outages, key=lambda each: each.down_from):
        offer = course.search.live_offer
        if offer is not None and offer.answer_by is not None:
            _extend(course, offer, offer.answer_by, outage)


def _extend(course: Course, offer: Offer, answer_by: datetime, outage: Outage) -> None:
    counted = offer.outages_counted_to
    has_counted = counted is not None and outage.down_from < counted
    lost_from = max(outage.down_from, offer.delivered_at or outage.down_from)
    if has_counted or not lost_from < min(answer_by, outage.up_at):
        return
    extended = _end(course, offer, left_from=lost_from, answer_by=answer_by, up_at=outage.up_at)
    if extended > answer_by:
        course.publish(
            OfferExtended(
                package_id=course.search.package_id,
                offer_id=offer.offer_id,
                provider_id=offer.provider_id,
                down_from=outage.down_from,
                up_at=outage.up_at,
                answer_by=extended,
            )
        )


def _end(course: Course, offer: Offer, *, left_from: datetime, answer_by: datetime, up_at: datetime) -> datetime:
    """What was left when we went down is left when we are back."""
    if not offer.in_brokerage_time:
        return up_at + (answer_by - left_from)
    left = course.calendar.open_time_between(left_from, answer_by)
    return course.calendar.after(up_at, left)
