"""Our own outage holds an offer, it never expires it: the clock gains the time we were down."""

from datetime import timedelta

import pytest

from contracts.events.offers import OfferExpired, OfferExtended
from sourcing.domain.steps import Placed, TimerKind
from sourcing.domain.triggers import Outage, OutageOver
from testkit.sourcing.builders import a_market, a_request, an_urgent_request, on_monday, on_tuesday
from testkit.sourcing.search_driver import SearchDriver


def a_live_offer(*, urgent: bool = False, at: str = "09:00") -> SearchDriver:
    """To Alder, delivered at once: 30 minutes to answer."""
    request = an_urgent_request() if urgent else a_request()
    driver = SearchDriver(a_market("Alder", "Birch"), at=on_monday(at)).request(request)
    driver.deliver()
    return driver


def test_the_offer_gains_the_time_that_was_lost() -> None:
    driver = a_live_offer()
    driver.outages = (Outage(on_monday("09:10"), on_monday("09:40")),)
    step = driver.handle(OutageOver(), at=on_monday("09:40"))
    extended = step.events[0]
    assert isinstance(extended, OfferExtended)
    assert extended.answer_by == on_monday("10:00")
    assert driver.find_timer(TimerKind.OFFER_EXPIRES).at == on_monday("10:00")


def test_the_timer_of_the_old_end_finds_the_offer_alive() -> None:
    driver = a_live_offer()
    driver.outages = (Outage(on_monday("09:10"), on_monday("09:40")),)
    step = driver.fire_timer(TimerKind.OFFER_EXPIRES, at=on_monday("09:40"))
    assert [type(event) for event in step.events] == [OfferExtended]
    assert driver.live_offer.answer_by == on_monday("10:00")
    assert [type(event) for event in driver.fire_timer(TimerKind.OFFER_EXPIRES).events] == [OfferExpired]


def test_an_answer_in_the_regained_time_counts() -> None:
    driver = a_live_offer()
    driver.outages = (Outage(on_monday("09:10"), on_monday("09:40")),)
    assert isinstance(driver.accept("Alder", at=on_monday("09:59")).outcome, Placed)


def test_an_outage_counts_once_also_when_it_is_told_again_with_a_later_end() -> None:
    driver = a_live_offer()
    driver.outages = (Outage(on_monday("09:10"), on_monday("09:40")),)
    driver.handle(OutageOver(), at=on_monday("09:40"))
    driver.outages = (Outage(on_monday("09:10"), on_monday("09:41")),)
    assert driver.handle(OutageOver(), at=on_monday("09:41")).events == ()


def test_two_outages_count_both() -> None:
    driver = a_live_offer()
    driver.outages = (Outage(on_monday("09:10"), on_monday("09:20")), Outage(on_monday("09:25"), on_monday("09:35")))
    driver.handle(OutageOver(), at=on_monday("09:35"))
    assert driver.live_offer.answer_by == on_monday("09:50")


@pytest.mark.parametrize(
    "outage",
    [
        Outage(on_monday("08:00"), on_monday("08:50")),
        Outage(on_monday("09:30"), on_monday("09:45")),
    ],
    ids=["before the delivery", "after the end"],
)
def test_an_outage_beside_the_offers_time_gives_nothing(outage: Outage) -> None:
    driver = a_live_offer()
    driver.outages = (outage,)
    driver.handle(OutageOver(), at=on_monday("09:29"))
    assert driver.live_offer.answer_by == on_monday("09:30")


def test_a_delivery_during_the_outage_has_its_whole_time_afterwards() -> None:
    driver = SearchDriver(a_market("Alder"), at=on_monday("09:00")).request()
    driver.deliver(at=on_monday("09:05"))
    driver.outages = (Outage(on_monday("09:02"), on_monday("10:00")),)
    driver.handle(OutageOver(), at=on_monday("10:00"))
    assert driver.live_offer.answer_by == on_monday("10:30")


def test_over_night_only_brokerage_time_was_lost() -> None:
    driver = a_live_offer(at="16:50")
    assert driver.live_offer.answer_by == on_tuesday("08:50")
    driver.outages = (Outage(on_monday("16:55"), on_tuesday("08:40")),)
    driver.handle(OutageOver(), at=on_tuesday("08:40"))
    assert driver.live_offer.answer_by == on_tuesday("09:05")


def test_an_urgent_offer_gains_plain_time() -> None:
    driver = a_live_offer(urgent=True, at="18:00")
    driver.outages = (Outage(on_monday("18:10"), on_monday("19:10")),)
    driver.handle(OutageOver(), at=on_monday("19:10"))
    assert driver.live_offer.answer_by == on_monday("18:30") + timedelta(hours=1)
