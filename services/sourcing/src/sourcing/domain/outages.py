"""Extends the time to answer by the time lost in outages of this service, so that no outage expires an offer."""

from collections.abc import Iterable
from datetime import datetime

from contracts.events.offers import OfferExtended
from sourcing.domain.draft import Draft
from sourcing.domain.offer import Offer
from sourcing.domain.steps import Result
from sourcing.domain.triggers import Outage, OutageOver


def extend_live_offers(draft: Draft, outages: Iterable[Outage]) -> None:
    """Extend the time to answer of live offers by the time lost in `outages`; each outage counts once."""
    for outage in sorted(outages, key=lambda outage: outage.down_from):
        for offer in draft.search.live_offers:
            if offer.answer_by is not None:
                _extend_offer(draft, offer, offer.answer_by, outage)


def finish_outage(_draft: Draft, _: OutageOver) -> Result:
    """Add nothing: `decide` extends the live offer before every decision, this one included."""
    return Result()


def _extend_offer(draft: Draft, offer: Offer, answer_by: datetime, outage: Outage) -> None:
    counted = offer.outages_counted_to
    has_counted = counted is not None and outage.down_from < counted
    lost_from = max(outage.down_from, offer.clock_started_at or outage.down_from)
    if has_counted or not lost_from < min(answer_by, outage.up_at):
        return
    extended = _compute_answer_by(draft, offer, left_from=lost_from, answer_by=answer_by, up_at=outage.up_at)
    if extended > answer_by:
        draft.publish(
            OfferExtended(
                package_id=draft.search.package_id,
                offer_id=offer.offer_id,
                provider_id=offer.provider_id,
                down_from=outage.down_from,
                up_at=outage.up_at,
                answer_by=extended,
            )
        )


def _compute_answer_by(
    draft: Draft, offer: Offer, *, left_from: datetime, answer_by: datetime, up_at: datetime
) -> datetime:
    """Return the new end: what was left when the outage began is left when it is over."""
    if not offer.in_brokerage_time:
        return up_at + (answer_by - left_from)
    left = draft.calendar.measure_open_time(left_from, answer_by)
    return draft.calendar.add_open_time(up_at, left)
