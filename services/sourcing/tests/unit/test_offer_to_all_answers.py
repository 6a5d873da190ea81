"""Offers to all providers at once: late and repeated answers, delivery, telephone, outages and withdrawals."""

from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.events.offers import (
    AcceptanceReceived,
    CallRecorded,
    CallResult,
    LateAnswerRefused,
    OfferClockStarted,
    OfferDeclined,
    OfferExpired,
    OfferExtended,
    OfferRedirected,
    OfferWithdrawn,
)
from contracts.events.reasons import LateReason, OfferEnd
from contracts.events.searches import SourcingStopped
from contracts.example_words import DeclineReasons
from contracts.framework.brokerage import BankHolidayOverride
from contracts.values import Channel, PassOverReason
from sourcing.domain.calendar import add_proclaimed_holidays
from sourcing.domain.evolution import replay_search
from sourcing.domain.offer import Accept, Decline, OfferStatus
from sourcing.domain.search import SearchStatus
from sourcing.domain.steps import AcceptanceWaits, AnswerNotUsed, Placed, Step, TimerKind
from sourcing.domain.triggers import Outage, OutageOver
from sourcing.domain.work_items import CallToMake, find_work_items
from testkit.sourcing.builders import (
    A_MONDAY,
    a_withdrawal,
    an_urgent_request,
    on_monday,
    on_tuesday,
    replace_facts,
    to_provider_id,
)
from testkit.sourcing.search_driver import SearchDriver
from testkit.sourcing.stages_for_all import RATES, a_rated_provider, ask_all, get_placed_provider
from testkit.sourcing.step_events import list_event_types

NOT_REACHED = CallResult.NOT_REACHED


def place_with_birch() -> SearchDriver:
    """All have accepted; Birch has the package."""
    driver = ask_all()
    for name in RATES:
        driver.accept(name)
    return driver


def test_an_acceptance_waits_and_the_same_one_again_gets_the_same_response() -> None:
    driver = ask_all()
    step = driver.accept("Alder")
    assert list_event_types(step) == [AcceptanceReceived]
    assert step.outcome == AcceptanceWaits(driver.find_offer("Alder").offer_id)
    assert driver.find_offer("Alder").status is OfferStatus.WAITING
    assert driver.accept("Alder") == Step(driver.state, outcome=step.outcome)


def test_an_acceptance_that_waits_has_no_timer_any_more() -> None:
    driver = ask_all()
    driver.accept("Alder")
    about = str(driver.find_offer("Alder").offer_id)
    assert [timer for timer in driver.timers.values() if timer.about == about] == []


def test_another_answer_while_the_acceptance_waits_is_recorded_once_and_not_used() -> None:
    driver = ask_all()
    driver.accept("Alder")
    steps = [driver.decline("Alder") for _ in range(2)]
    assert [step.outcome for step in steps] == [AnswerNotUsed(LateReason.ALREADY_ANSWERED)] * 2
    assert [list_event_types(step) for step in steps] == [[LateAnswerRefused], []]
    assert driver.find_offer("Alder").status is OfferStatus.WAITING


def test_the_acceptance_of_the_provider_that_got_the_package_is_repeated_with_the_same_placement() -> None:
    driver = place_with_birch()
    placement = driver.current.placement
    assert placement is not None
    assert driver.accept("Birch") == Step(driver.state, outcome=Placed(placement))


def test_the_acceptance_of_another_provider_is_answered_that_another_one_comes_first() -> None:
    driver = place_with_birch()
    first = AnswerNotUsed(LateReason.ANOTHER_CAME_FIRST)
    assert driver.accept("Alder") == Step(driver.state, outcome=first)
    step = driver.decline("Alder")
    assert (list_event_types(step), step.outcome) == ([LateAnswerRefused], first)
    assert get_placed_provider(driver) == to_provider_id("Birch")


def test_the_acceptance_of_a_provider_that_lost_its_right_is_answered_with_the_reason() -> None:
    driver = ask_all()
    driver.accept("Birch")
    driver.market = replace_facts(driver.market, a_rated_provider("Birch", embargoed=True))
    for name in ("Alder", "Cedar"):
        driver.accept(name)
    refused = AnswerNotUsed(LateReason.NO_LONGER_ELIGIBLE, (PassOverReason.EMBARGOED,))
    assert driver.accept("Birch") == Step(driver.state, outcome=refused)


def test_at_the_deadline_itself_an_answer_is_late_and_ends_the_offer() -> None:
    in_time, late = ask_all(), ask_all()
    assert isinstance(in_time.accept("Alder", at=on_monday("10:59:59.999999")).outcome, AcceptanceWaits)
    step = late.accept("Alder", at=on_monday("11:00"))
    assert list_event_types(step) == [OfferExpired, LateAnswerRefused]
    assert step.outcome == AnswerNotUsed(LateReason.AFTER_THE_END)


def test_late_answers_are_recorded_after_the_package_was_placed_and_change_nothing() -> None:
    driver = ask_all()
    driver.accept("Cedar")
    for name in ("Alder", "Birch"):
        driver.fire_timer(TimerKind.OFFER_EXPIRES, name)
    answers = (Accept(), Accept(), Decline(DeclineReasons.RISK))
    steps = [driver.answer("Birch", answer, at=on_monday("11:05")) for answer in answers]
    assert {step.outcome for step in steps} == {AnswerNotUsed(LateReason.AFTER_THE_END)}
    assert [len(step.events) for step in steps] == [1, 0, 1]
    assert get_placed_provider(driver) == to_provider_id("Cedar")


def test_repeated_events_of_answers_place_the_package_once() -> None:
    driver = ask_all(handle_own_events=False)
    received = [driver.accept(name).events[0] for name in RATES]
    for event in (*received, *received):
        assert isinstance(event, AcceptanceReceived)
        driver.handle(event)
    assert get_placed_provider(driver) == to_provider_id("Birch")
    assert replay_search(driver.journal) == driver.state


def test_a_decline_alone_leaves_the_others_their_time() -> None:
    driver = ask_all()
    assert list_event_types(driver.decline("Alder")) == [OfferDeclined]
    assert len(driver.current.live_offers) == 2
    assert driver.find_timer(TimerKind.OFFER_EXPIRES).at == on_monday("11:00")


def test_a_delivery_does_not_move_the_deadline() -> None:
    driver = ask_all()
    step = driver.deliver("Alder", at=on_monday("10:00"))
    assert list_event_types(step) == [OfferClockStarted]
    assert driver.find_offer("Alder").status is OfferStatus.DELIVERED
    assert driver.find_timer(TimerKind.OFFER_EXPIRES, "Alder").at == on_monday("11:00")
    with pytest.raises(LookupError):
        driver.find_timer(TimerKind.DELIVERY_OVERDUE, "Alder")


def test_an_undeliverable_offer_goes_by_the_next_channel_until_the_same_deadline() -> None:
    driver = ask_all(a_rated_provider("Alder", channels=(Channel.WEBHOOK, Channel.EMAIL)))
    (redirected,) = driver.fail_delivery("Alder", at=on_monday("09:02")).events
    assert isinstance(redirected, OfferRedirected)
    assert (redirected.to_channel, redirected.answer_by.instant) == (Channel.EMAIL, on_monday("11:00"))
    assert driver.find_offer("Alder").answer_by == on_monday("11:00")
    assert driver.find_timer(TimerKind.DELIVERY_OVERDUE, "Alder").at == on_monday("09:14")
    assert driver.find_timer(TimerKind.DELIVERY_OVERDUE, "Birch").at == on_monday("09:12")


def test_after_closing_the_next_channel_of_one_offer_waits_for_the_opening() -> None:
    driver = ask_all(a_rated_provider("Alder", channels=(Channel.WEBHOOK, Channel.EMAIL)), at=on_monday("16:59"))
    driver.fail_delivery("Alder", at=on_monday("17:01"))
    assert driver.find_timer(TimerKind.DELIVERY_OVERDUE, "Alder").at == on_tuesday("08:30")
    assert driver.find_timer(TimerKind.DELIVERY_OVERDUE, "Birch").at == on_monday("17:11")
    (redirected,) = driver.fire_timer(TimerKind.DELIVERY_OVERDUE, "Alder").events
    assert isinstance(redirected, OfferRedirected)


def test_providers_by_telephone_stand_on_the_work_list_each_with_its_own_calls() -> None:
    by_phone = [a_rated_provider(name, channels=(Channel.PHONE,)) for name in ("Alder", "Birch")]
    driver = ask_all(*by_phone)
    driver.record_call("Alder", NOT_REACHED)
    calls = {item.provider_id: item.attempt for item in find_work_items(driver.current) if isinstance(item, CallToMake)}
    assert calls == {to_provider_id("Alder"): 2, to_provider_id("Birch"): 1}
    step = driver.record_call("Alder", at=on_monday("09:30"))
    assert list_event_types(step) == [CallRecorded, OfferClockStarted]
    assert driver.find_offer("Alder").answer_by == on_monday("11:00")
    assert len(find_work_items(driver.current)) == 1


def test_an_acceptance_on_the_telephone_waits_and_is_considered() -> None:
    driver = ask_all(a_rated_provider("Birch", channels=(Channel.PHONE,)))
    step = driver.record_call("Birch", reply=Accept())
    assert list_event_types(step) == [CallRecorded, OfferClockStarted, AcceptanceReceived]
    assert isinstance(step.outcome, AcceptanceWaits)
    for name in ("Alder", "Cedar"):
        driver.accept(name)
    assert get_placed_provider(driver) == to_provider_id("Birch")


def test_the_third_call_that_reaches_nobody_can_be_the_last_answer() -> None:
    driver = ask_all(a_rated_provider("Birch", channels=(Channel.PHONE,)))
    for name in ("Alder", "Cedar"):
        driver.accept(name)
    for _ in range(2):
        driver.record_call("Birch", NOT_REACHED)
    assert get_placed_provider(driver) is None
    assert list_event_types(driver.record_call("Birch", NOT_REACHED)) == [CallRecorded, OfferExpired]
    assert get_placed_provider(driver) == to_provider_id("Alder")


def test_a_provider_that_nobody_telephones_expires_at_the_deadline() -> None:
    driver = ask_all(a_rated_provider("Birch", channels=(Channel.PHONE,)))
    for name in ("Alder", "Cedar"):
        driver.accept(name)
    assert list_event_types(driver.fire_timer(TimerKind.OFFER_EXPIRES, "Birch")) == [OfferExpired]
    assert (get_placed_provider(driver), driver.at) == (to_provider_id("Alder"), on_monday("11:00"))


def test_an_outage_extends_all_offers_that_are_live_delivered_or_not() -> None:
    driver = ask_all()
    driver.deliver("Alder", at=on_monday("09:05"))
    driver.accept("Cedar", at=on_monday("09:06"))
    driver.outages = (Outage(on_monday("09:10"), on_monday("09:40")),)
    step = driver.handle(OutageOver(), at=on_monday("09:40"))
    assert list_event_types(step) == [OfferExtended, OfferExtended]
    assert {offer.answer_by for offer in driver.current.live_offers} == {on_monday("11:30")}
    assert driver.find_timer(TimerKind.OFFER_EXPIRES, "Alder").at == on_monday("11:30")
    assert driver.find_timer(TimerKind.OFFER_EXPIRES, "Birch").at == on_monday("11:30")
    assert driver.handle(OutageOver(), at=on_monday("09:41")).events == ()
    assert replay_search(driver.journal) == driver.state


def test_an_outage_over_the_deadline_leaves_what_was_left_before_it() -> None:
    driver = ask_all()
    driver.outages = (Outage(on_monday("10:50"), on_monday("12:00")),)
    for name in RATES:
        assert OfferExpired not in list_event_types(driver.fire_timer(TimerKind.OFFER_EXPIRES, at=on_monday("12:00")))
        assert driver.find_offer(name).answer_by == on_monday("12:10")
    driver.accept("Alder", at=on_monday("12:09"))
    assert driver.find_offer("Alder").status is OfferStatus.WAITING


def test_an_outage_extends_an_urgent_deadline_by_plain_time() -> None:
    driver = ask_all(request=an_urgent_request(), at=on_monday("18:00"))
    driver.outages = (Outage(on_monday("18:10"), on_monday("19:10")),)
    driver.handle(OutageOver(), at=on_monday("19:10"))
    assert {offer.answer_by for offer in driver.current.live_offers} == {on_monday("19:30")}


def test_a_proclaimed_holiday_moves_the_deadline_of_all() -> None:
    driver = ask_all(at=on_monday("16:00"))
    definition = driver.market.definition
    assert definition is not None
    tuesday = BankHolidayOverride(
        day=A_MONDAY + timedelta(days=1), closed=True, name="State funeral", proclaimed_on=A_MONDAY
    )
    brokerage = definition.brokerage.model_copy(update={"overrides": (tuesday,)})
    newest = definition.model_copy(update={"brokerage": brokerage, "version": 2})
    driver.market = replace(driver.market, definition=add_proclaimed_holidays(definition, newest))
    step = driver.fire_timer(TimerKind.OFFER_EXPIRES)
    assert list_event_types(step) == [OfferExtended] * 3
    assert {offer.answer_by for offer in driver.current.live_offers} == {on_tuesday("09:30") + timedelta(days=1)}


def test_a_withdrawal_withdraws_offers_that_are_live_and_acceptances_that_wait() -> None:
    driver = ask_all()
    driver.accept("Alder")
    driver.decline("Birch")
    step = driver.handle(a_withdrawal())
    assert list_event_types(step) == [OfferWithdrawn, OfferWithdrawn, SourcingStopped]
    told = {event.provider_id: event.reason for event in step.events if isinstance(event, OfferWithdrawn)}
    assert told == dict.fromkeys(map(to_provider_id, ("Alder", "Cedar")), OfferEnd.PACKAGE_WITHDRAWN)
    assert (driver.current.status, driver.timers) == (SearchStatus.STOPPED, {})
    assert driver.accept("Alder").outcome == AnswerNotUsed(LateReason.WITHDRAWN)
    assert driver.accept("Cedar").outcome == AnswerNotUsed(LateReason.WITHDRAWN)
    assert replay_search(driver.journal) == driver.state
