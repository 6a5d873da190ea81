"""A bank holiday that is proclaimed while a search runs extends its live offer and its timers, and nothing else."""

from dataclasses import replace
from datetime import timedelta

from contracts.events.offers import OfferExpired, OfferExtended, OfferMade
from contracts.events.reasons import ExtensionCause
from contracts.framework.brokerage import BankHolidayOverride
from contracts.framework.definition import FrameworkDefinition
from sourcing.domain.calendar import add_proclaimed_holidays
from sourcing.domain.evolution import replay_search
from sourcing.domain.steps import Placed, TimerKind
from sourcing.domain.triggers import NextOfferDue, Outage, OutageOver
from testkit.sourcing.builders import A_MONDAY, a_market, a_request, an_urgent_request, on_monday, on_tuesday
from testkit.sourcing.definitions import a_definition
from testkit.sourcing.search_driver import SearchDriver

TUESDAY = A_MONDAY + timedelta(days=1)
A_DAY = timedelta(days=1)


def a_version_that_proclaims(*, version: int = 2, closed: bool = True, proclaimed: bool = True) -> FrameworkDefinition:
    override = BankHolidayOverride(
        day=TUESDAY, closed=closed, name="State funeral", proclaimed_on=A_MONDAY if proclaimed else None
    )
    definition = a_definition(version=version)
    return definition.model_copy(
        update={"brokerage": definition.brokerage.model_copy(update={"overrides": (override,)})}
    )


def proclaim(driver: SearchDriver, newest: FrameworkDefinition | None = None) -> None:
    """Publishes a version that proclaims Tuesday, as sourcing's projections would show it."""
    pinned = driver.market.definition
    assert pinned is not None
    changed = add_proclaimed_holidays(pinned, newest or a_version_that_proclaims())
    driver.market = replace(driver.market, definition=changed)


def an_offer_over_night(*, urgent: bool = False) -> SearchDriver:
    """To Alder, delivered at 16:50 on Monday: until 08:50 on Tuesday."""
    request = an_urgent_request() if urgent else a_request()
    driver = SearchDriver(a_market("Alder", "Birch"), at=on_monday("16:50")).request(request)
    driver.deliver()
    return driver


def test_the_old_end_extends_the_offer_to_the_day_after_and_expires_it_then() -> None:
    driver = an_offer_over_night()
    assert driver.live_offer.answer_by == on_tuesday("08:50")
    proclaim(driver)
    (extended,) = driver.fire_timer(TimerKind.OFFER_EXPIRES).events
    assert isinstance(extended, OfferExtended)
    assert extended.cause is ExtensionCause.PROCLAIMED_HOLIDAY
    assert (extended.down_from, extended.up_at) == (on_tuesday("08:50"), on_tuesday("08:30") + A_DAY)
    assert extended.answer_by == on_tuesday("08:50") + A_DAY
    assert driver.find_timer(TimerKind.OFFER_EXPIRES).at == extended.answer_by
    assert isinstance(driver.fire_timer(TimerKind.OFFER_EXPIRES).events[0], OfferExpired)


def test_an_answer_on_the_proclaimed_day_counts() -> None:
    driver = an_offer_over_night()
    proclaim(driver)
    assert isinstance(driver.accept("Alder", at=on_tuesday("12:00")).outcome, Placed)


def test_a_proclaimed_day_counts_once() -> None:
    driver = an_offer_over_night()
    proclaim(driver)
    driver.fire_timer(TimerKind.OFFER_EXPIRES)
    assert driver.handle(OutageOver(), at=on_tuesday("09:00")).events == ()


def test_an_outage_after_the_extension_still_counts() -> None:
    driver = an_offer_over_night()
    proclaim(driver)
    driver.fire_timer(TimerKind.OFFER_EXPIRES)
    driver.outages = (Outage(on_tuesday("20:00"), on_tuesday("08:45") + A_DAY),)
    driver.handle(OutageOver(), at=on_tuesday("08:45") + A_DAY)
    assert driver.live_offer.answer_by == on_tuesday("09:05") + A_DAY


def test_a_replay_of_the_events_gives_the_same_search() -> None:
    driver = an_offer_over_night()
    proclaim(driver)
    driver.fire_timer(TimerKind.OFFER_EXPIRES)
    assert replay_search(driver.journal) == driver.state


def test_a_search_that_waits_for_the_opening_waits_for_the_day_after() -> None:
    driver = SearchDriver(a_market("Alder"), at=on_monday("18:00")).request()
    assert driver.find_timer(TimerKind.NEXT_OFFER_DUE).at == on_tuesday("08:30")
    proclaim(driver)
    assert driver.handle(NextOfferDue(), at=on_tuesday("08:30")).events == ()
    assert driver.find_timer(TimerKind.NEXT_OFFER_DUE).at == on_tuesday("08:30") + A_DAY
    step = driver.handle(NextOfferDue(), at=on_tuesday("08:30") + A_DAY)
    assert isinstance(step.events[0], OfferMade)


def test_an_urgent_offer_keeps_its_plain_time() -> None:
    driver = an_offer_over_night(urgent=True)
    before = driver.live_offer.answer_by
    proclaim(driver)
    assert driver.handle(OutageOver(), at=on_monday("16:55")).events == ()
    assert driver.live_offer.answer_by == before


def test_an_offer_that_has_ended_is_not_changed() -> None:
    driver = an_offer_over_night()
    driver.fire_timer(TimerKind.OFFER_EXPIRES)
    ended = driver.events
    proclaim(driver)
    driver.handle(OutageOver(), at=on_tuesday("09:00"))
    assert not any(isinstance(event, OfferExtended) for event in driver.events[len(ended) :])


def test_a_day_that_is_proclaimed_open_takes_no_time_away() -> None:
    driver = an_offer_over_night()
    proclaim(driver, a_version_that_proclaims(closed=False))
    driver.handle(OutageOver(), at=on_monday("16:55"))
    assert driver.live_offer.answer_by == on_tuesday("08:50")


def test_an_override_that_is_not_proclaimed_is_for_new_searches_only() -> None:
    pinned = a_definition()
    assert add_proclaimed_holidays(pinned, a_version_that_proclaims(proclaimed=False)) == pinned


def test_all_but_the_proclaimed_days_stays_as_it_was_pinned() -> None:
    pinned = a_definition()
    newest = a_version_that_proclaims(version=3).model_copy(update={"title": "Another title"})
    changed = add_proclaimed_holidays(pinned, newest)
    assert changed.model_copy(update={"brokerage": pinned.brokerage}) == pinned
    assert [each.day for each in changed.brokerage.overrides] == [TUESDAY]
    assert add_proclaimed_holidays(changed, newest) == changed
