"""Withdrawing an offer before the provider's answer counts."""

from contracts.events.offers import OfferWithdrawn
from contracts.events.reasons import OfferEnd
from contracts.values import PassOverReason
from sourcing.domain.draft import Draft
from sourcing.domain.offer import Offer


def withdraw_offer(
    draft: Draft, offer: Offer, reason: OfferEnd, *, passed_over: tuple[PassOverReason, ...] = ()
) -> None:
    draft.publish(
        OfferWithdrawn(
            package_id=draft.search.package_id,
            offer_id=offer.offer_id,
            provider_id=offer.provider_id,
            reason=reason,
            passed_over=passed_over,
        )
    )
