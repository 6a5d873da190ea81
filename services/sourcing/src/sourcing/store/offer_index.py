"""Offer index: to which package and provider an offer belongs, of the offers that this process made last.

These facts never change, so an answer to a recent offer finds its package without a query.
"""

from collections import OrderedDict
from typing import Final

from contracts.ids import OfferId
from sourcing.ports import OfferPlace

MAX_OFFERS: Final = 20_000


class OfferIndex:
    """The places of the most recent offers, at most MAX_OFFERS."""

    def __init__(self, max_offers: int = MAX_OFFERS) -> None:
        self._max_offers = max_offers
        self._places: OrderedDict[OfferId, OfferPlace] = OrderedDict()

    def put(self, offer_id: OfferId, place: OfferPlace) -> None:
        self._places[offer_id] = place
        if len(self._places) > self._max_offers:
            self._places.popitem(last=False)

    def get(self, offer_id: OfferId) -> OfferPlace | None:
        return self._places.get(offer_id)
