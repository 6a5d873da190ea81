"""Applies events to an offer."""

from dataclasses import replace
from datetime import datetime, timedelta

from contracts.events.offers import (
    AcceptanceReceived,
    CallRecorded,
    LateAnswerRefused,
    OfferAccepted,
    OfferClockStarted,
    OfferDeclined,
    OfferExpired,
    OfferExtended,
    OfferMade,
    OfferRedirected,
    OfferWithdrawn,
)
from contracts.events.reasons import ExtensionCause, LateReason
from sourcing.domain.offer import Accept, Decline, Offer, OfferStatus

OfferEvent = (
    OfferRedirected
    | CallRecorded
    | OfferClockStarted
    | OfferExtended
    | AcceptanceReceived
    | OfferAccepted
    | OfferDeclined
    | OfferExpired
    | OfferWithdrawn
    | LateAnswerRefused
)


def apply_offer_event(offer: Offer, event: OfferEvent, at: datetime) -> Offer:
    if isinstance(event, OfferRedirected | CallRecorded | OfferClockStarted | OfferExtended):
        return _apply_delivery_event(offer, event, at)
    after = offer
    match event:
        case AcceptanceReceived():
            after = replace(offer, status=OfferStatus.WAITING, answer=Accept())
        case OfferAccepted():
            after = replace(offer, status=OfferStatus.ACCEPTED, answer=Accept())
        case OfferDeclined():
            after = replace(offer, status=OfferStatus.DECLINED, answer=Decline(event.reason, event.note_id))
        case OfferExpired():
            after = replace(offer, status=OfferStatus.EXPIRED)
        case OfferWithdrawn():
            after = replace(
                offer,
                status=OfferStatus.WITHDRAWN,
                withdrawn_because=event.reason,
                award_refused_for=event.passed_over,
            )
        case LateAnswerRefused(reason=LateReason.NO_LONGER_ELIGIBLE):
            # This answer ended the offer; it is stored so that a repeat gets the same response.
            refused = offer.refused_answers | {event.answer}
            after = replace(offer, answer=Accept(), award_refused_for=event.passed_over, refused_answers=refused)
        case LateAnswerRefused():
            after = replace(offer, refused_answers=offer.refused_answers | {event.answer})
    return after


def _apply_delivery_event(
    offer: Offer, event: OfferRedirected | CallRecorded | OfferClockStarted | OfferExtended, at: datetime
) -> Offer:
    """Apply an event about the delivery of a live offer or its time to answer."""
    match event:
        case OfferRedirected():
            return replace(
                offer,
                channel=event.to_channel,
                redirected_at=at,
                answer_minutes=event.answer_by.minutes,
                in_brokerage_time=event.answer_by.brokerage_time,
                deliver_within=timedelta(minutes=event.deliver_within_minutes),
            )
        case CallRecorded():
            return replace(offer, calls=event.attempt)
        case OfferClockStarted():
            return replace(
                offer, status=OfferStatus.DELIVERED, delivered_at=event.delivered_at, answer_by=event.answer_by
            )
        case OfferExtended():
            is_outage = event.cause is ExtensionCause.OUTAGE
            counted_to = event.up_at if is_outage else offer.outages_counted_to
            return replace(offer, answer_by=event.answer_by, outages_counted_to=counted_to)


def build_offer(event: OfferMade, at: datetime) -> Offer:
    return Offer(
        offer_id=event.offer_id,
        stage=event.stage,
        provider_id=event.provider_id,
        rank=event.rank,
        channel=event.channel,
        status=OfferStatus.MADE,
        terms=event.terms,
        weekly_hours=event.weekly_hours,
        made_at=at,
        answer_minutes=event.answer_by.minutes,
        in_brokerage_time=event.answer_by.brokerage_time,
        deliver_within=timedelta(minutes=event.deliver_within_minutes),
        asks_all=event.asks_all,
        answer_by=event.answer_by.instant if event.asks_all else None,
        tier=event.tier,
        lot=event.place_lot,
        area=event.place_area,
        act_id=event.act_id,
    )
