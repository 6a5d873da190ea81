"""Sequential offers in brokerage time: openings, urgent packages, and the timer of the next offer."""

import pytest

from contracts.events.offers import OfferDeclined, OfferMade
from contracts.events.searches import SourcingStarted, StageEntered
from contracts.example_words import Routes
from contracts.ids import RouteKey
from contracts.values import Channel
from sourcing.domain.offer import OfferStatus
from sourcing.domain.search import SearchStatus
from sourcing.domain.steps import ScheduledTimer, Step, TimerKind
from sourcing.domain.triggers import NextOfferDue
from testkit.sourcing.builders import (
    A_MONDAY,
    PACKAGE,
    a_known_provider,
    a_market,
    a_request,
    an_urgent_request,
    from_london_time,
    on_monday,
    on_tuesday,
    to_provider_id,
)
from testkit.sourcing.search_driver import SearchDriver, a_search
from testkit.sourcing.step_events import list_event_types, list_offered_providers


def test_outside_brokerage_time_the_search_starts_and_waits_for_the_opening() -> None:
    driver = SearchDriver(a_market("Alder"))
    step = driver.handle(a_request(), at=on_monday("17:00"))
    assert list_event_types(step) == [SourcingStarted, StageEntered]
    assert step.timers == (ScheduledTimer(TimerKind.NEXT_OFFER_DUE, str(PACKAGE), on_tuesday("08:30")),)


def test_a_waiting_search_makes_its_offer_at_the_opening() -> None:
    driver = SearchDriver(a_market("Alder"), at=on_monday("19:00")).request()
    step = driver.fire_timer(TimerKind.NEXT_OFFER_DUE)
    assert list_event_types(step) == [OfferMade]
    assert driver.live_offer.made_at == on_tuesday("08:30")


def test_a_decline_in_the_evening_counts_and_the_next_offer_waits_for_the_opening() -> None:
    driver = a_search("Alder", "Birch", at=on_monday("16:50"))
    driver.decline("Alder", at=on_monday("19:45"))
    assert driver.find_offer("Alder").status is OfferStatus.DECLINED
    assert driver.current.live_offers == ()
    assert driver.find_timer(TimerKind.NEXT_OFFER_DUE).at == on_tuesday("08:30")
    driver.fire_timer(TimerKind.NEXT_OFFER_DUE)
    assert driver.live_offer.provider_id == to_provider_id("Birch")


def test_a_search_is_not_exhausted_before_the_next_offer_would_go_out() -> None:
    driver = a_search("Alder", at=on_monday("16:50"))
    driver.decline("Alder", at=on_monday("19:45"))
    assert driver.current.status is SearchStatus.RUNNING
    driver.fire_timer(TimerKind.NEXT_OFFER_DUE)
    assert driver.current.status is SearchStatus.EXHAUSTED


@pytest.mark.parametrize("route", [Routes.HOSPITAL_DISCHARGE, Routes.CRISIS])
def test_an_urgent_package_is_offered_at_any_hour_with_thirty_plain_minutes(route: RouteKey) -> None:
    market = a_market("Alder")
    driver = SearchDriver(market, at=from_london_time(A_MONDAY, "23:50")).request(an_urgent_request(route=route))
    driver.deliver()
    assert driver.live_offer.answer_by == on_tuesday("00:20")


def test_an_urgent_package_has_the_same_time_by_telephone() -> None:
    market = a_market("Alder", overrides=[a_known_provider("Alder", channels=(Channel.PHONE,))])
    driver = SearchDriver(market).request(an_urgent_request())
    assert driver.live_offer.answer_minutes == 30


def test_the_end_of_an_offer_arms_a_timer_in_case_its_event_is_lost() -> None:
    driver = SearchDriver(a_market("Alder", "Birch"), handle_own_events=False).request()
    driver.decline("Alder", at=on_monday("09:20"))
    assert driver.find_timer(TimerKind.NEXT_OFFER_DUE).at == on_monday("09:22")
    driver.fire_timer(TimerKind.NEXT_OFFER_DUE)
    assert driver.live_offer.provider_id == to_provider_id("Birch")


def test_that_timer_waits_for_the_opening_unless_the_package_is_urgent() -> None:
    routine = SearchDriver(a_market("Alder", "Birch"), handle_own_events=False).request()
    routine.decline("Alder", at=on_monday("20:00"))
    assert routine.find_timer(TimerKind.NEXT_OFFER_DUE).at == on_tuesday("08:30")
    urgent = SearchDriver(a_market("Alder", "Birch"), handle_own_events=False).request(an_urgent_request())
    urgent.decline("Alder", at=on_monday("20:00"))
    assert urgent.find_timer(TimerKind.NEXT_OFFER_DUE).at == on_monday("20:02")


def test_a_repeated_end_of_an_offer_makes_one_offer() -> None:
    driver = SearchDriver(a_market("Alder", "Birch", "Cedar"), handle_own_events=False).request()
    (declined,) = driver.decline("Alder").events
    assert isinstance(declined, OfferDeclined)
    driver.handle(declined)
    assert driver.handle(declined) == Step(driver.state)
    driver.decline("Birch")
    assert driver.handle(declined) == Step(driver.state)
    assert list_offered_providers(driver) == [to_provider_id("Alder"), to_provider_id("Birch")]


def test_the_timer_of_the_next_offer_does_nothing_while_an_offer_is_live() -> None:
    driver = a_search("Alder", "Birch")
    assert driver.handle(NextOfferDue()) == Step(driver.state)


def test_the_timer_of_the_next_offer_is_cancelled_when_the_offer_is_made() -> None:
    driver = a_search("Alder", "Birch")
    driver.decline("Alder")
    assert [alarm.kind for alarm in driver.timers.values()] == [TimerKind.DELIVERY_OVERDUE]
