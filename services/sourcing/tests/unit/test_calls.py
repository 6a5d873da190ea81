"""Providers without a system: the officers' call list, the recorded call, and offers that could not be delivered."""

from datetime import timedelta
from uuid import UUID

import pytest

from contracts.events.offers import (
    CallRecorded,
    CallResult,
    LateAnswerRefused,
    OfferAccepted,
    OfferClockStarted,
    OfferDelivered,
    OfferExpired,
    OfferRedirected,
    OfferUndeliverable,
)
from contracts.events.reasons import LateReason
from contracts.events.searches import PackagePlaced
from contracts.ids import OfferId
from contracts.values import AnswerBy, Channel
from sourcing.domain.errors import AnswerWithoutCall, OfferAlreadyEnded, OfferNotByPhone, OfferNotFound
from sourcing.domain.offer import Accept, OfferStatus
from sourcing.domain.search import SearchStatus
from sourcing.domain.steps import AnswerNotUsed, Done, Placed, Step, TimerKind
from sourcing.domain.triggers import RecordCall
from sourcing.domain.work_items import CallToMake, find_work_items
from testkit.sourcing.builders import (
    PACKAGE,
    a_decline,
    a_known_provider,
    a_market,
    on_monday,
    on_tuesday,
    to_provider_id,
)
from testkit.sourcing.search_driver import SearchDriver, a_search
from testkit.sourcing.step_events import list_event_types

NOT_REACHED = CallResult.NOT_REACHED


def request_by_phone(*ranked: str) -> SearchDriver:
    """A search whose first provider is told by telephone, requested on Monday at nine."""
    return SearchDriver(a_market(*ranked, overrides=[a_known_provider(ranked[0], channels=(Channel.PHONE,))])).request()


def test_an_offer_by_telephone_stands_on_the_call_list_until_a_call_is_recorded() -> None:
    driver = request_by_phone("Alder")
    assert find_work_items(driver.current) == (
        CallToMake(driver.live_offer.offer_id, to_provider_id("Alder"), attempt=1, due=driver.live_offer.made_at),
    )
    assert driver.timers == {}


def test_a_provider_without_any_channel_is_telephoned() -> None:
    driver = SearchDriver(a_market("Alder", overrides=[a_known_provider("Alder", channels=())])).request()
    assert driver.live_offer.channel is Channel.PHONE


def test_a_call_that_reaches_the_provider_starts_fifteen_minutes() -> None:
    driver = request_by_phone("Alder")
    step = driver.record_call("Alder", at=on_monday("10:00"))
    assert list_event_types(step) == [CallRecorded, OfferClockStarted]
    assert driver.live_offer.answer_by == on_monday("10:15")
    assert driver.find_timer(TimerKind.OFFER_EXPIRES).at == on_monday("10:15")
    assert find_work_items(driver.current) == ()


def test_a_call_outside_brokerage_time_starts_the_clock_at_the_opening() -> None:
    driver = request_by_phone("Alder")
    driver.record_call("Alder", at=on_monday("18:00"))
    assert driver.live_offer.answer_by == on_tuesday("08:45")


def test_the_third_call_that_reaches_nobody_ends_the_offer() -> None:
    driver = request_by_phone("Alder", "Birch")
    assert list_event_types(driver.record_call("Alder", NOT_REACHED)) == [CallRecorded]
    assert find_work_items(driver.current) == (
        CallToMake(driver.live_offer.offer_id, to_provider_id("Alder"), attempt=2, due=driver.live_offer.made_at),
    )
    driver.record_call("Alder", NOT_REACHED)
    assert list_event_types(driver.record_call("Alder", NOT_REACHED)) == [CallRecorded, OfferExpired]
    assert driver.live_offer.provider_id == to_provider_id("Birch")


def test_calls_after_the_provider_was_reached_neither_end_the_offer_nor_start_its_clock_again() -> None:
    driver = request_by_phone("Alder")
    driver.record_call("Alder", at=on_monday("10:00"))
    for result in (NOT_REACHED, NOT_REACHED, NOT_REACHED, CallResult.REACHED):
        assert list_event_types(driver.record_call("Alder", result, at=on_monday("10:05"))) == [CallRecorded]
    assert driver.live_offer.answer_by == on_monday("10:15")


def test_an_answer_given_on_the_telephone_counts_in_the_same_step() -> None:
    driver = request_by_phone("Alder")
    step = driver.record_call("Alder", reply=Accept())
    assert list_event_types(step) == [CallRecorded, OfferClockStarted, OfferAccepted, PackagePlaced]
    assert isinstance(step.outcome, Placed)
    assert driver.timers == {}


def test_a_decline_given_on_the_telephone_sends_the_package_on() -> None:
    driver = request_by_phone("Alder", "Birch")
    driver.record_call("Alder", reply=a_decline())
    assert driver.live_offer.provider_id == to_provider_id("Birch")


def test_the_same_call_recorded_again_gets_the_same_response() -> None:
    driver = request_by_phone("Alder")
    first = driver.record_call("Alder", reply=Accept())
    assert driver.record_call("Alder", reply=Accept()) == Step(driver.state, outcome=first.outcome)


def test_an_answer_that_an_officer_records_too_late_is_refused() -> None:
    driver = request_by_phone("Alder")
    driver.record_call("Alder", at=on_monday("10:00"))
    step = driver.record_call("Alder", reply=Accept(), at=on_monday("10:15"))
    assert list_event_types(step) == [CallRecorded, OfferExpired, LateAnswerRefused]
    assert step.outcome == AnswerNotUsed(LateReason.AFTER_THE_END)


def test_a_call_cannot_be_recorded_for_an_offer_by_webhook_or_for_one_that_has_ended() -> None:
    with pytest.raises(OfferNotByPhone):
        a_search("Alder").record_call("Alder")
    driver = request_by_phone("Alder")
    driver.record_call("Alder", reply=a_decline())
    with pytest.raises(OfferAlreadyEnded, match="declined"):
        driver.record_call("Alder")


def test_a_call_about_an_unknown_offer_is_not_found() -> None:
    with pytest.raises(OfferNotFound):
        request_by_phone("Alder").handle(RecordCall(PACKAGE, OfferId(UUID(int=99)), NOT_REACHED))


def test_a_call_that_reached_nobody_has_no_answer() -> None:
    with pytest.raises(AnswerWithoutCall):
        RecordCall(PACKAGE, OfferId(UUID(int=1)), NOT_REACHED, Accept())


def test_an_undeliverable_offer_goes_to_the_call_list_with_a_fresh_clock() -> None:
    driver = SearchDriver(a_market("Alder")).request()
    offer_id = driver.live_offer.offer_id
    step = driver.fail_delivery(at=on_monday("09:02"))
    (redirected,) = step.events
    assert isinstance(redirected, OfferRedirected)
    assert redirected.answer_by == AnswerBy(minutes=15, brokerage_time=True)
    assert driver.live_offer.offer_id == offer_id
    assert find_work_items(driver.current) == (
        CallToMake(offer_id, to_provider_id("Alder"), attempt=1, due=on_monday("09:02")),
    )
    assert driver.timers == {}
    driver.record_call("Alder", at=on_monday("11:00"))
    assert driver.live_offer.answer_by == on_monday("11:15")


def test_a_delivery_by_webhook_does_not_start_the_clock_of_a_redirected_offer() -> None:
    driver = SearchDriver(a_market("Alder")).request()
    driver.fail_delivery()
    assert driver.deliver() == Step(driver.state)
    assert driver.live_offer.status is OfferStatus.MADE


def test_an_acceptance_counts_also_after_the_offer_was_redirected() -> None:
    driver = SearchDriver(a_market("Alder")).request()
    driver.fail_delivery()
    driver.accept("Alder")
    assert driver.current.status is SearchStatus.PLACED


def test_undeliverable_means_nothing_to_an_offer_that_was_delivered_or_goes_by_telephone() -> None:
    delivered = a_search("Alder")
    assert delivered.fail_delivery() == Step(delivered.state)
    phone = request_by_phone("Alder")
    assert phone.fail_delivery() == Step(phone.state)


def test_an_offer_of_whose_delivery_nothing_is_heard_goes_to_the_call_list() -> None:
    driver = SearchDriver(a_market("Alder")).request()
    assert driver.find_timer(TimerKind.DELIVERY_OVERDUE).at == on_monday("09:12")
    step = driver.fire_timer(TimerKind.DELIVERY_OVERDUE)
    assert list_event_types(step) == [OfferRedirected]
    assert isinstance(find_work_items(driver.current)[0], CallToMake)


def test_the_delivery_takes_its_alarm_back() -> None:
    driver = a_search("Alder")
    assert [alarm.kind for alarm in driver.timers.values()] == [TimerKind.OFFER_EXPIRES]


def test_news_of_an_unknown_offers_delivery_changes_nothing() -> None:
    driver = a_search("Alder")
    delivered = OfferDelivered(
        package_id=PACKAGE,
        offer_id=OfferId(UUID(int=99)),
        provider_id=to_provider_id("Alder"),
        channel=Channel.WEBHOOK,
        delivered_at=driver.at + timedelta(minutes=1),
    )
    undeliverable = OfferUndeliverable(
        package_id=PACKAGE,
        offer_id=OfferId(UUID(int=99)),
        provider_id=to_provider_id("Alder"),
        channel=Channel.WEBHOOK,
        first_attempt_at=None,
        reason="no endpoint",
    )
    assert driver.handle(delivered) == Step(driver.state)
    assert driver.handle(undeliverable) == Step(driver.state, outcome=Done())
