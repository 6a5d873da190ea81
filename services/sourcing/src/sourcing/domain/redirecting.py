"""Redirecting an offer that could not be delivered to the provider's next channel."""

from contracts.events.offers import OfferRedirected, OfferUndeliverable
from contracts.ids import OfferId
from contracts.values import Channel
from sourcing.domain.draft import Draft
from sourcing.domain.making_offers import ONE_MINUTE, build_answer_by, is_waiting_for_opening
from sourcing.domain.offer import Offer
from sourcing.domain.steps import FollowUp, Result
from sourcing.domain.triggers import DeliveryOverdue


def redirect_undeliverable_offer(draft: Draft, event: OfferUndeliverable) -> Result:
    """Redirect the offer; an event about a channel that the offer has already left changes nothing."""
    offer = draft.search.find_offer(event.offer_id)
    if offer is None or offer.channel is not event.channel:
        return Result()
    return _redirect_awaiting_offer(draft, event.offer_id)


def redirect_overdue_offer(draft: Draft, trigger: DeliveryOverdue) -> Result:
    """Redirect the offer when no event about its delivery has arrived in time."""
    return _redirect_awaiting_offer(draft, trigger.offer_id)


def _redirect_awaiting_offer(draft: Draft, offer_id: OfferId) -> Result:
    offer = draft.search.find_offer(offer_id)
    if offer is None or not offer.awaits_delivery or offer.awaits_call:
        return Result()
    return _redirect_offer(draft, offer)


def _redirect_offer(draft: Draft, offer: Offer) -> Result:
    """Send the same offer by the provider's next channel, with a fresh clock; after the last one, by telephone.

    Webhooks and mails leave in brokerage time only; an offer joins the officers' call list at any hour.
    """
    to_channel = draft.market.get_facts(offer.provider_id).find_fallback_channel(offer.channel)
    if to_channel is not Channel.PHONE and is_waiting_for_opening(draft):
        return Result(follow_up=FollowUp.REDIRECT_OFFER, follow_up_offer=offer.offer_id)
    stage = draft.definition.get_offering_stage(offer.stage)
    answer_by = build_answer_by(draft, stage, to_channel, alone=not offer.asks_all)
    draft.publish(
        OfferRedirected(
            package_id=draft.search.package_id,
            offer_id=offer.offer_id,
            provider_id=offer.provider_id,
            from_channel=offer.channel,
            to_channel=to_channel,
            answer_by=answer_by.model_copy(update={"instant": offer.answer_by}) if offer.asks_all else answer_by,
            deliver_within_minutes=stage.undeliverable_after // ONE_MINUTE,
        )
    )
    return Result()
