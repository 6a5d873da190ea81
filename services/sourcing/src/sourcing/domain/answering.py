"""What an answer is worth: the first in time ends the offer; every other one is on record and not used."""

from datetime import datetime

from contracts.events.packages import (
    CallRecorded,
    CallResult,
    LateAnswerRefused,
    LateReason,
    OfferAccepted,
    OfferClockStarted,
    OfferDeclined,
    OfferEnd,
    OfferExpired,
    OfferWithdrawn,
)
from contracts.ids import OfferId, ProviderId
from contracts.values import Channel, PassOverReason
from sourcing.domain.draft import Course
from sourcing.domain.errors import MarketNotKnown, OfferAlreadyEnded, OfferNotByPhone, OfferNotFound
from sourcing.domain.market import ProviderFacts, reasons_against
from sourcing.domain.placing import place
from sourcing.domain.search import Decline, Offer, OfferStatus, Reply
from sourcing.domain.steps import Declined, Done, Late, Outcome, Placed
from sourcing.domain.triggers import AnswerOffer, RecordCall


def answer_offer(course: Course, order: AnswerOffer) -> Outcome:
    """A provider answers its own offer. Raises OfferNotFound for another's."""
    offer = _known(course, order.offer_id)
    if offer.provider_id != order.provider_id:
        raise OfferNotFound
    return _answer(course, offer, order.reply)


def record_call(course: Course, order: RecordCall) -> Outcome:
    """A call that reaches the provider delivers the offer; an answer given on it counts in the same step.

    Raises OfferNotFound, OfferNotByPhone, and OfferAlreadyEnded for a call without an answer.
    """
    offer = _known(course, order.offer_id)
    if offer.channel is not Channel.PHONE:
        raise OfferNotByPhone(f"the offer goes by {offer.channel}; calls are recorded for offers by telephone only")
    if offer.is_live:
        offer = _called(course, offer, order.result)
    elif order.reply is None:
        raise OfferAlreadyEnded(f"the offer has ended ({offer.status}); no call about it is needed any more")
    return Done() if order.reply is None else _answer(course, offer, order.reply)


def start_clock(course: Course, offer: Offer, *, delivered_at: datetime) -> None:
    """The provider has the offer: from here its time to answer counts, in brokerage time unless it is urgent."""
    if offer.in_brokerage_time:
        answer_by = course.calendar.after(delivered_at, offer.answer_within)
    else:
        answer_by = delivered_at + offer.answer_within
    course.publish(
        OfferClockStarted(
            package_id=course.search.package_id,
            offer_id=offer.offer_id,
            provider_id=offer.provider_id,
            delivered_at=delivered_at,
            answer_by=answer_by,
        )
    )


def expire(course: Course, offer: Offer) -> None:
    course.publish(
        OfferExpired(package_id=course.search.package_id, offer_id=offer.offer_id, provider_id=offer.provider_id)
    )


def withdraw(course: Course, offer: Offer, reason: OfferEnd) -> None:
    course.publish(
        OfferWithdrawn(
            package_id=course.search.package_id,
            offer_id=offer.offer_id,
            provider_id=offer.provider_id,
            reason=reason,
        )
    )


def _known(course: Course, offer_id: OfferId) -> Offer:
    offer = course.search.offer(offer_id)
    if offer is None:
        raise OfferNotFound
    return offer


def _called(course: Course, offer: Offer, result: CallResult) -> Offer:
    """The offer after one more call; a call after the delivery is on record and changes nothing."""
    attempt = offer.calls + 1
    course.publish(
        CallRecorded(
            package_id=course.search.package_id,
            offer_id=offer.offer_id,
            provider_id=offer.provider_id,
            result=result,
            attempt=attempt,
        )
    )
    if offer.awaits_call and result is CallResult.REACHED:
        start_clock(course, offer, delivered_at=course.at)
    elif offer.awaits_call and attempt >= course.definition.sequence_named(offer.stage).calls_before_expiry:
        expire(course, offer)
    return _known(course, offer.offer_id)


def _answer(course: Course, offer: Offer, reply: Reply) -> Outcome:
    if offer.reply == reply:
        return _same_again(course, offer)
    if not offer.is_live:
        return _refuse(course, offer, reply, _why_too_late(offer))
    if offer.has_run_out(course.at):
        expire(course, offer)
        return _refuse(course, offer, reply, LateReason.AFTER_THE_END)
    if isinstance(reply, Decline):
        return _decline(course, offer, reply)
    return _award(course, offer, reply)


def _same_again(course: Course, offer: Offer) -> Outcome:
    """An identical repeat of the answer that ended the offer gets the same response, and is no news."""
    if offer.status is OfferStatus.DECLINED:
        return Declined(offer.offer_id)
    if offer.status is OfferStatus.ACCEPTED:
        return Placed(course.placement)
    return Late(LateReason.NO_LONGER_ELIGIBLE, offer.award_refused_for)


def _why_too_late(offer: Offer) -> LateReason:
    if offer.status is OfferStatus.WITHDRAWN:
        return LateReason.WITHDRAWN
    return LateReason.AFTER_THE_END if offer.reply is None else LateReason.ALREADY_ANSWERED


def _refuse(
    course: Course, offer: Offer, reply: Reply, reason: LateReason, against: tuple[PassOverReason, ...] = ()
) -> Late:
    course.publish(
        LateAnswerRefused(
            package_id=course.search.package_id,
            offer_id=offer.offer_id,
            provider_id=offer.provider_id,
            answer=reply.answer,
            reason=reason,
            passed_over=against,
        )
    )
    return Late(reason, against)


def _decline(course: Course, offer: Offer, reply: Decline) -> Declined:
    course.publish(
        OfferDeclined(
            package_id=course.search.package_id,
            offer_id=offer.offer_id,
            provider_id=offer.provider_id,
            reason=reply.reason,
            note_id=reply.note_id,
        )
    )
    return Declined(offer.offer_id)


def _award(course: Course, offer: Offer, reply: Reply) -> Outcome:
    """Rating, embargo and the person's refusal are looked at once more; who may still have it, has it."""
    search, facts = course.search, _facts_at_award(course, offer.provider_id)
    against = reasons_against(facts, care=search.care, wishes=search.wishes, tier=course.stage.tier, at_award=True)
    if against:
        withdraw(course, offer, OfferEnd.PROVIDER_NOT_ELIGIBLE)
        return _refuse(course, offer, reply, LateReason.NO_LONGER_ELIGIBLE, against)
    course.publish(OfferAccepted(package_id=search.package_id, offer_id=offer.offer_id, provider_id=offer.provider_id))
    return Placed(place(course, offer, facts, stage=offer.stage, weekly_hours=offer.weekly_hours))


def _facts_at_award(course: Course, provider_id: ProviderId) -> ProviderFacts:
    facts = course.market.facts_of(provider_id)
    if facts.eligibility is None:
        raise MarketNotKnown("whether you may be awarded this package is not known here yet; try again", retry_after=1)
    return facts
