"""Answers to offers: the first answer in time ends the offer; others are recorded once of a kind and not used."""

from datetime import datetime

from contracts.events.offers import (
    AcceptanceReceived,
    CallRecorded,
    CallResult,
    LateAnswerRefused,
    OfferAccepted,
    OfferClockStarted,
    OfferDeclined,
    OfferDelivered,
    OfferExpired,
)
from contracts.events.reasons import LateReason, OfferEnd
from contracts.events.searches import StageCandidate
from contracts.framework.words import Reasons
from contracts.ids import OfferId, ProviderId
from contracts.values import Channel, PassOverReason
from sourcing.domain.draft import Draft
from sourcing.domain.errors import MarketNotKnown, OfferAlreadyEnded, OfferNotByPhone, OfferNotFound
from sourcing.domain.known_reasons import require_known_reason
from sourcing.domain.market import ProviderFacts
from sourcing.domain.offer import Decline, Offer, OfferStatus, ProviderAnswer
from sourcing.domain.passing_over import find_pass_over_reasons
from sourcing.domain.placing import place_package
from sourcing.domain.search import Search
from sourcing.domain.steps import AcceptanceWaits, AnswerNotUsed, Declined, Done, Outcome, Placed, Result
from sourcing.domain.triggers import AnswerOffer, OfferExpiryDue, RecordCall
from sourcing.domain.withdrawing import withdraw_offer


def answer_offer(draft: Draft, command: AnswerOffer) -> Result:
    """Apply a provider's answer to its own offer. Raises OfferNotFound for another provider's offer."""
    offer = _get_offer(draft, command.offer_id)
    if offer.provider_id != command.provider_id:
        raise OfferNotFound
    _check_decline_reason(draft, offer, command.answer, "#/reason")
    return Result(_apply_answer(draft, offer, command.answer))


def record_call(draft: Draft, command: RecordCall) -> Result:
    """Record a call. A call that reaches the provider delivers the offer; its answer counts in the same step.

    Raises OfferNotFound, OfferNotByPhone, and OfferAlreadyEnded for a call without an answer.
    """
    offer = _get_offer(draft, command.offer_id)
    if offer.channel is not Channel.PHONE:
        raise OfferNotByPhone(f"the offer goes by {offer.channel}; calls are recorded for offers by telephone only")
    _check_decline_reason(draft, offer, command.answer, "#/decline_reason")
    if offer.is_live:
        offer = _record_attempt(draft, offer, command.result)
    elif command.answer is None:
        raise OfferAlreadyEnded(f"the offer has ended ({offer.status}); no call about it is needed any more")
    return Result(Done() if command.answer is None else _apply_answer(draft, offer, command.answer))


def _check_decline_reason(draft: Draft, offer: Offer, answer: ProviderAnswer | None, pointer: str) -> None:
    """Check the reason of a decline that can count; an answer to an offer that has ended is recorded in any case."""
    if isinstance(answer, Decline) and offer.is_live:
        require_known_reason(answer.reason, Reasons.list_keys(draft.definition.reasons.decline), pointer)


def start_answer_clock(draft: Draft, event: OfferDelivered) -> Result:
    """Start the time to answer when the offer is delivered, once, and only by the offer's current channel."""
    offer = find_awaited_offer(draft.search, event)
    if offer is not None:
        _start_clock(draft, offer, delivered_at=event.delivered_at)
    return Result()


def expire_offer(draft: Draft, trigger: OfferExpiryDue) -> Result:
    """End a live offer whose time to answer is over."""
    offer = draft.search.find_offer(trigger.offer_id)
    if offer is not None and offer.is_live and offer.has_run_out(draft.at):
        _end_by_expiry(draft, offer)
    return Result()


def find_awaited_offer(search: Search, event: OfferDelivered) -> Offer | None:
    """Return the offer that awaits this delivery; None when it is delivered, ended, or goes by another channel."""
    offer = search.find_offer(event.offer_id)
    is_awaited = offer is not None and offer.awaits_delivery and offer.channel is event.channel
    return offer if is_awaited else None


def _start_clock(draft: Draft, offer: Offer, *, delivered_at: datetime) -> None:
    """Publish until when the offer can be answered: in brokerage time, or in plain time for an urgent package.

    Providers that are asked at once have the same end, whenever the offer reaches them.
    """
    if offer.asks_all and offer.answer_by is not None:
        answer_by = offer.answer_by
    elif offer.in_brokerage_time:
        answer_by = draft.calendar.add_open_time(delivered_at, offer.answer_within)
    else:
        answer_by = delivered_at + offer.answer_within
    draft.publish(
        OfferClockStarted(
            package_id=draft.search.package_id,
            offer_id=offer.offer_id,
            provider_id=offer.provider_id,
            delivered_at=delivered_at,
            answer_by=answer_by,
        )
    )


def _end_by_expiry(draft: Draft, offer: Offer) -> None:
    draft.publish(
        OfferExpired(package_id=draft.search.package_id, offer_id=offer.offer_id, provider_id=offer.provider_id)
    )


def _get_offer(draft: Draft, offer_id: OfferId) -> Offer:
    offer = draft.search.find_offer(offer_id)
    if offer is None:
        raise OfferNotFound
    return offer


def _record_attempt(draft: Draft, offer: Offer, result: CallResult) -> Offer:
    """Record one more call and return the offer after it; a call after the delivery changes nothing else."""
    attempt = offer.calls + 1
    draft.publish(
        CallRecorded(
            package_id=draft.search.package_id,
            offer_id=offer.offer_id,
            provider_id=offer.provider_id,
            result=result,
            attempt=attempt,
        )
    )
    if offer.awaits_call and result is CallResult.REACHED:
        _start_clock(draft, offer, delivered_at=draft.at)
    elif offer.awaits_call and attempt >= draft.definition.get_offering_stage(offer.stage).calls_before_expiry:
        _end_by_expiry(draft, offer)
    return _get_offer(draft, offer.offer_id)


def _apply_answer(draft: Draft, offer: Offer, answer: ProviderAnswer) -> Outcome:
    if offer.answer == answer:
        return _find_repeated_outcome(draft, offer)
    if not offer.is_live:
        return _refuse_answer(draft, offer, answer, _find_late_reason(offer))
    if offer.has_run_out(draft.at):
        _end_by_expiry(draft, offer)
        return _refuse_answer(draft, offer, answer, LateReason.AFTER_THE_END)
    if isinstance(answer, Decline):
        return _decline_offer(draft, offer, answer)
    return _accept_offer(draft, offer, answer)


def _find_repeated_outcome(draft: Draft, offer: Offer) -> Outcome:
    """Return the outcome of an answer that is repeated unchanged; nothing is published again."""
    if offer.status is OfferStatus.DECLINED:
        return Declined(offer.offer_id)
    if offer.status is OfferStatus.ACCEPTED:
        return Placed(draft.placement)
    if offer.status is OfferStatus.WAITING:
        return AcceptanceWaits(offer.offer_id)
    if offer.withdrawn_because is not OfferEnd.PROVIDER_NOT_ELIGIBLE:
        return AnswerNotUsed(_find_late_reason(offer))
    return AnswerNotUsed(LateReason.NO_LONGER_ELIGIBLE, offer.award_refused_for)


def _find_late_reason(offer: Offer) -> LateReason:
    if offer.withdrawn_because is OfferEnd.PLACED_WITH_ANOTHER:
        return LateReason.ANOTHER_CAME_FIRST
    if offer.withdrawn_because is OfferEnd.PLACED_OTHERWISE:
        return LateReason.PLACED_OTHERWISE
    if offer.status is OfferStatus.WITHDRAWN:
        return LateReason.WITHDRAWN
    if offer.status is OfferStatus.FELL_THROUGH:
        return LateReason.PLACEMENT_UNDONE
    return LateReason.AFTER_THE_END if offer.answer is None else LateReason.ALREADY_ANSWERED


def _refuse_answer(
    draft: Draft, offer: Offer, answer: ProviderAnswer, reason: LateReason, reasons: tuple[PassOverReason, ...] = ()
) -> AnswerNotUsed:
    """Record an answer that is not used; the same kind of answer again gets the same outcome and no event."""
    if answer.kind in offer.refused_answers:
        return AnswerNotUsed(reason, reasons)
    draft.publish(
        LateAnswerRefused(
            package_id=draft.search.package_id,
            offer_id=offer.offer_id,
            provider_id=offer.provider_id,
            answer=answer.kind,
            reason=reason,
            passed_over=reasons,
        )
    )
    return AnswerNotUsed(reason, reasons)


def _decline_offer(draft: Draft, offer: Offer, answer: Decline) -> Declined:
    draft.publish(
        OfferDeclined(
            package_id=draft.search.package_id,
            offer_id=offer.offer_id,
            provider_id=offer.provider_id,
            reason=answer.reason,
            note_id=answer.note_id,
        )
    )
    return Declined(offer.offer_id)


def _accept_offer(draft: Draft, offer: Offer, answer: ProviderAnswer) -> Outcome:
    """Check rating, embargo and the person's refusal again, then place the package or refuse the acceptance.

    Where all providers are asked at once, the acceptance waits until they have answered.
    """
    if offer.asks_all:
        draft.publish(
            AcceptanceReceived(
                package_id=draft.search.package_id, offer_id=offer.offer_id, provider_id=offer.provider_id
            )
        )
        return AcceptanceWaits(offer.offer_id)
    search, facts = draft.search, _get_facts_at_award(draft, offer.provider_id)
    reasons = find_pass_over_reasons(
        facts,
        care=search.care,
        wishes=search.wishes,
        candidate=_get_place(draft, offer),
        definition=draft.definition,
        at_award=True,
    )
    if reasons:
        withdraw_offer(draft, offer, OfferEnd.PROVIDER_NOT_ELIGIBLE, passed_over=reasons)
        return _refuse_answer(draft, offer, answer, LateReason.NO_LONGER_ELIGIBLE, reasons)
    draft.publish(OfferAccepted(package_id=search.package_id, offer_id=offer.offer_id, provider_id=offer.provider_id))
    return Placed(place_package(draft, offer, facts, stage=offer.stage, weekly_hours=offer.weekly_hours))


def _get_place(draft: Draft, offer: Offer) -> StageCandidate:
    """Return the place by which the offer was made: the stage's, or the one that officers named out of order."""
    stage = draft.search.stage
    candidate = None if stage is None or offer.is_directed else stage.find_candidate(offer.provider_id)
    if candidate is not None:
        return candidate
    care, is_of_stage = draft.search.care, stage is not None and stage.name == offer.stage
    if offer.tier is None or (is_of_stage and not offer.is_directed):
        message = f"offer {offer.offer_id} was made to a provider that is no candidate of its stage"
        raise ValueError(message)
    return StageCandidate(
        provider_id=offer.provider_id,
        rank=offer.rank,
        lot=offer.lot or care.lot,
        tier=offer.tier,
        area=offer.area or care.area,
    )


def _get_facts_at_award(draft: Draft, provider_id: ProviderId) -> ProviderFacts:
    facts = draft.market.get_facts(provider_id)
    if facts.eligibility is None:
        raise MarketNotKnown("your eligibility for this package is not known here yet; try again", retry_after=1)
    return facts
