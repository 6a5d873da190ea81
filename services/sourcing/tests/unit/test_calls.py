"""Providers without a system: the officers' call list, the recorded call, and offers that could not be delivered."""

from datetime import timedelta
from uuid import UUID

import pytest

from contracts.events.packages import (
    CallRecorded,
    CallResult,
    LateAnswerRefused,
    LateReason,
    OfferAccepted,
    OfferClockStarted,
    OfferDelivered,
    OfferExpired,
    OfferRedirected,
    OfferUndeliverable,
    PackagePlaced,
)
from contracts.ids import OfferId
from contracts.values import AnswerBy, Channel
from sourcing.domain.errors import AnswerWithoutCall, OfferAlreadyEnded, OfferNotByPhone, OfferNotFound
from sourcing.domain.progress import CallToMake, work_item
from sourcing.domain.search import Accept, OfferStatus, SearchStatus
from sourcing.domain.steps import AlarmKind, Done, Late, Placed, Step
from sourcing.domain.triggers import RecordCall
from testkit.sourcing.builders import (
    PACKAGE,
    Story,
    a_decline,
    a_market,
    a_search,
    facts_about,
    monday,
    provider,
    tuesday,
)

NOBODY = CallResult.NOBODY_REACHED


def happened(step: Step) -> list[type]:
    return [type(event) for event in step.events]


def by_phone(*ranked: str) -> Story:
    """A search whose first provider is told by telephone, requested on Monday at nine."""
    return Story(a_market(*ranked, but=[facts_about(ranked[0], channels=(Channel.PHONE,))])).requested()


def test_an_offer_by_telephone_stands_on_the_call_list_until_a_call_is_recorded() -> None:
    story = by_phone("Alder")
    assert work_item(story.known) == CallToMake(story.live_offer.offer_id, provider("Alder"), attempt=1)
    assert story.alarms == {}


def test_a_provider_without_any_channel_is_telephoned() -> None:
    story = Story(a_market("Alder", but=[facts_about("Alder", channels=())])).requested()
    assert story.live_offer.channel is Channel.PHONE


def test_a_call_that_reaches_the_provider_starts_fifteen_minutes() -> None:
    story = by_phone("Alder")
    step = story.called("Alder", at=monday("10:00"))
    assert happened(step) == [CallRecorded, OfferClockStarted]
    assert story.live_offer.answer_by == monday("10:15")
    assert story.alarm(AlarmKind.OFFER_EXPIRES).at == monday("10:15")
    assert work_item(story.known) is None


def test_a_call_outside_brokerage_time_starts_the_clock_at_the_opening() -> None:
    story = by_phone("Alder")
    story.called("Alder", at=monday("18:00"))
    assert story.live_offer.answer_by == tuesday("08:45")


def test_the_third_call_that_reaches_nobody_ends_the_offer() -> None:
    story = by_phone("Alder", "Birch")
    assert happened(story.called("Alder", NOBODY)) == [CallRecorded]
    assert work_item(story.known) == CallToMake(story.live_offer.offer_id, provider("Alder"), attempt=2)
    story.called("Alder", NOBODY)
    assert happened(story.called("Alder", NOBODY)) == [CallRecorded, OfferExpired]
    assert story.live_offer.provider_id == provider("Birch")


def test_calls_after_the_provider_was_reached_neither_end_the_offer_nor_start_its_clock_again() -> None:
    story = by_phone("Alder")
    story.called("Alder", at=monday("10:00"))
    for result in (NOBODY, NOBODY, NOBODY, CallResult.REACHED):
        assert happened(story.called("Alder", result, at=monday("10:05"))) == [CallRecorded]
    assert story.live_offer.answer_by == monday("10:15")


def test_an_answer_given_on_the_telephone_counts_in_the_same_step() -> None:
    story = by_phone("Alder")
    step = story.called("Alder", reply=Accept())
    assert happened(step) == [CallRecorded, OfferClockStarted, OfferAccepted, PackagePlaced]
    assert isinstance(step.outcome, Placed)
    assert story.alarms == {}


def test_a_decline_given_on_the_telephone_sends_the_package_on() -> None:
    story = by_phone("Alder", "Birch")
    story.called("Alder", reply=a_decline())
    assert story.live_offer.provider_id == provider("Birch")


def test_the_same_call_recorded_again_gets_the_same_response() -> None:
    story = by_phone("Alder")
    first = story.called("Alder", reply=Accept())
    assert story.called("Alder", reply=Accept()) == Step(story.search, outcome=first.outcome)


def test_an_answer_that_an_officer_records_too_late_is_refused() -> None:
    story = by_phone("Alder")
    story.called("Alder", at=monday("10:00"))
    step = story.called("Alder", reply=Accept(), at=monday("10:15"))
    assert happened(step) == [CallRecorded, OfferExpired, LateAnswerRefused]
    assert step.outcome == Late(LateReason.AFTER_THE_END)


def test_a_call_cannot_be_recorded_for_an_offer_by_webhook_or_for_one_that_has_ended() -> None:
    with pytest.raises(OfferNotByPhone):
        a_search("Alder").called("Alder")
    story = by_phone("Alder")
    story.called("Alder", reply=a_decline())
    with pytest.raises(OfferAlreadyEnded, match="declined"):
        story.called("Alder")


def test_a_call_about_an_unknown_offer_is_not_found() -> None:
    with pytest.raises(OfferNotFound):
        by_phone("Alder").happens(RecordCall(OfferId(UUID(int=99)), NOBODY))


def test_a_call_that_reached_nobody_has_no_answer() -> None:
    with pytest.raises(AnswerWithoutCall):
        RecordCall(OfferId(UUID(int=1)), NOBODY, Accept())


def test_an_undeliverable_offer_goes_to_the_call_list_with_a_fresh_clock() -> None:
    story = Story(a_market("Alder")).requested()
    offer_id = story.live_offer.offer_id
    step = story.undeliverable(at=monday("09:02"))
    (redirected,) = step.events
    assert isinstance(redirected, OfferRedirected)
    assert redirected.answer_by == AnswerBy(minutes=15, brokerage_time=True)
    assert story.live_offer.offer_id == offer_id
    assert work_item(story.known) == CallToMake(offer_id, provider("Alder"), attempt=1)
    assert story.alarms == {}
    story.called("Alder", at=monday("11:00"))
    assert story.live_offer.answer_by == monday("11:15")


def test_a_delivery_by_webhook_does_not_start_the_clock_of_a_redirected_offer() -> None:
    story = Story(a_market("Alder")).requested()
    story.undeliverable()
    assert story.delivered() == Step(story.search)
    assert story.live_offer.status is OfferStatus.MADE


def test_an_acceptance_counts_also_after_the_offer_was_redirected() -> None:
    story = Story(a_market("Alder")).requested()
    story.undeliverable()
    story.accepts("Alder")
    assert story.known.status is SearchStatus.PLACED


def test_undeliverable_means_nothing_to_an_offer_that_was_delivered_or_goes_by_telephone() -> None:
    delivered = a_search("Alder")
    assert delivered.undeliverable() == Step(delivered.search)
    phone = by_phone("Alder")
    assert phone.undeliverable() == Step(phone.search)


def test_an_offer_of_whose_delivery_nothing_is_heard_goes_to_the_call_list() -> None:
    story = Story(a_market("Alder")).requested()
    assert story.alarm(AlarmKind.DELIVERY_OVERDUE).at == monday("09:12")
    step = story.rings(AlarmKind.DELIVERY_OVERDUE)
    assert happened(step) == [OfferRedirected]
    assert isinstance(work_item(story.known), CallToMake)


def test_the_delivery_takes_its_alarm_back() -> None:
    story = a_search("Alder")
    assert [alarm.kind for alarm in story.alarms.values()] == [AlarmKind.OFFER_EXPIRES]


def test_news_of_an_unknown_offers_delivery_changes_nothing() -> None:
    story = a_search("Alder")
    delivered = OfferDelivered(
        package_id=PACKAGE,
        offer_id=OfferId(UUID(int=99)),
        provider_id=provider("Alder"),
        channel=Channel.WEBHOOK,
        delivered_at=story.at + timedelta(minutes=1),
    )
    undeliverable = OfferUndeliverable(
        package_id=PACKAGE,
        offer_id=OfferId(UUID(int=99)),
        provider_id=provider("Alder"),
        channel=Channel.WEBHOOK,
        first_attempt_at=None,
        reason="no endpoint",
    )
    assert story.happens(delivered) == Step(story.search)
    assert story.happens(undeliverable) == Step(story.search, outcome=Done())
