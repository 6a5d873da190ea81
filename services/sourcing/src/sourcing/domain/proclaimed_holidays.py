"""Extends a live offer's time to answer by a bank holiday that was proclaimed after the offer was delivered.

The market has the search's own definition with the days that newer versions proclaim
(`calendar.add_proclaimed_holidays`). A live offer in brokerage time has at least the open time that it allows, so each
day counts once, whenever it is noticed; at the latest when the timer of the old end fires.
"""

from contracts.events.offers import OfferExtended
from contracts.events.reasons import ExtensionCause
from sourcing.domain.draft import Draft
from sourcing.domain.offer import Offer


def extend_for_proclaimed_holidays(draft: Draft) -> None:
    """Extend live offers if a proclaimed day has closed the brokerage in their time to answer."""
    definition = draft.market.definition
    if definition is None or not any(each.proclaimed_on for each in definition.brokerage.overrides):
        return
    for offer in draft.search.live_offers:
        _extend_offer(draft, offer)


def _extend_offer(draft: Draft, offer: Offer) -> None:
    started_at, calendar = offer.clock_started_at, draft.calendar
    if started_at is None or offer.answer_by is None or not offer.in_brokerage_time:
        return
    answer_by = calendar.add_open_time(started_at, offer.answer_within)
    if answer_by > offer.answer_by:
        draft.publish(
            OfferExtended(
                package_id=draft.search.package_id,
                offer_id=offer.offer_id,
                provider_id=offer.provider_id,
                down_from=offer.answer_by,
                up_at=calendar.find_opening_from(offer.answer_by),
                answer_by=answer_by,
                cause=ExtensionCause.PROCLAIMED_HOLIDAY,
            )
        )
