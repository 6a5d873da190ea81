"""Officers take up ticks that were late, and have offers go on while a Batching List is out."""

from dataclasses import replace
from datetime import datetime

import pytest

from contracts.events.lists import InterestRefusal
from contracts.events.offers import OfferMade
from contracts.events.officer_acts import OfferDirected, SuspensionOverridden
from contracts.example_words import OfficerReasons, Tiers
from contracts.framework.stages import Exhausted
from contracts.ids import ListId
from sourcing.domain.errors import ActNotPossible, ProviderBarred
from sourcing.domain.officers.allowed_acts import Act
from sourcing.domain.officers.commands import OverrideSuspension, TakeUpTick
from sourcing.domain.replay import replay_package
from sourcing.domain.search import SearchStatus
from sourcing.domain.steps import Step, TickNotUsed, TimerKind
from sourcing.domain.triggers import RegisterInterest
from sourcing.handlers import RUNTIME_TIMERS
from testkit.sourcing.acting_officer import FIRST, ActingOfficer
from testkit.sourcing.builders import (
    PACKAGE,
    a_known_provider,
    a_market,
    a_ranked_list,
    add_list,
    on_monday,
    on_tuesday,
    replace_facts,
    to_provider_id,
)
from testkit.sourcing.definitions import a_batching_list, a_definition, a_stage
from testkit.sourcing.recorded_search import RecordingDriver
from testkit.sourcing.search_driver import SearchDriver
from testkit.sourcing.step_events import list_event_types


def a_listed_search(*, tick: str | None = None, driver_type: type[SearchDriver] = SearchDriver) -> SearchDriver:
    """Alder is asked at 15:50 and has not answered; at 16:00 the package is on the list of tier 1."""
    road = (a_stage(exhausted=Exhausted.WAIT_FOR_LIST), a_batching_list(), a_stage(Tiers.TWO))
    market = a_market("Alder", "Birch", "Cedar", definition=a_definition(*Tiers.ALL, sourcing=road))
    market = add_list(market, a_ranked_list("Damson", tier=Tiers.TWO))
    driver = driver_type(replace_facts(market, a_known_provider("Damson")), at=on_monday("15:50")).request()
    driver.deliver()
    driver.fire_timer(TimerKind.LIST_CUT_OFF)
    assert driver.at >= on_monday("16:00")
    driver.decline("Alder", at=on_monday("16:05"))
    assert driver.current.live_offers == ()
    if tick is not None:
        register(driver, tick, at=on_monday("16:30"))
    return driver


def register(driver: SearchDriver, name: str, *, at: datetime) -> Step:
    entry = driver.current.batching
    assert entry is not None
    command = RegisterInterest(PACKAGE, ListId(entry.list_id), to_provider_id(name), interested=True)
    return driver.handle(command, at=at)


def take_up(driver: SearchDriver, name: str, *, at: datetime | None = None) -> Step:
    return driver.handle(TakeUpTick(PACKAGE, to_provider_id(name), FIRST, OfficerReasons.OTHER), at=at)


def override(driver: SearchDriver, *, at: datetime | None = None) -> Step:
    return driver.handle(OverrideSuspension(PACKAGE, FIRST, OfficerReasons.OTHER), at=at)


def test_a_late_tick_is_taken_up_by_one_officer_as_soon_as_no_other_offer_is_live() -> None:
    driver = a_listed_search(tick="Birch")
    driver.fire_timer(TimerKind.LIST_CLOSES)
    assert driver.live_offer.provider_id == to_provider_id("Birch")
    late = register(driver, "Cedar", at=on_tuesday("10:00:01"))
    assert late.outcome == TickNotUsed(InterestRefusal.LATE)
    assert Act.TAKE_UP_TICK in ActingOfficer(driver).list_acts()
    assert list_event_types(take_up(driver, "Cedar", at=on_tuesday("10:05"))) == [OfferDirected]
    assert take_up(driver, "Cedar").events == ()
    driver.decline("Birch", at=on_tuesday("10:10:00"))
    assert (driver.live_offer.provider_id, driver.live_offer.made_at) == (to_provider_id("Cedar"), on_tuesday("10:10"))
    assert Act.TAKE_UP_TICK not in ActingOfficer(driver).list_acts()
    driver.decline("Cedar")
    assert driver.live_offer.provider_id == to_provider_id("Damson")


def test_without_a_live_offer_the_provider_that_ticked_late_gets_its_offer_at_once() -> None:
    driver = a_listed_search()
    driver.fire_timer(TimerKind.LIST_CLOSES)
    driver.decline("Damson")
    assert driver.current.status is SearchStatus.EXHAUSTED
    register(driver, "Cedar", at=on_tuesday("11:00"))
    step = take_up(driver, "Cedar")
    assert list_event_types(step) == [OfferDirected, OfferMade]


def test_a_provider_that_did_not_tick_late_or_may_not_have_the_package_is_refused() -> None:
    driver = a_listed_search(tick="Birch")
    with pytest.raises(ActNotPossible, match="no provider has ticked the package late"):
        take_up(driver, "Birch")
    driver.fire_timer(TimerKind.LIST_CLOSES)
    register(driver, "Cedar", at=on_tuesday("10:30"))
    with pytest.raises(ProviderBarred, match="has no late tick"):
        take_up(driver, "Birch")
    driver.market = replace_facts(driver.market, replace(a_known_provider("Cedar"), embargoed=True))
    with pytest.raises(ProviderBarred, match="embargoed"):
        take_up(driver, "Cedar")


def test_an_offer_to_it_that_waits_for_a_second_officer_is_refused_first() -> None:
    driver = a_listed_search(tick="Birch")
    driver.fire_timer(TimerKind.LIST_CLOSES)
    register(driver, "Cedar", at=on_tuesday("10:30"))
    officer = ActingOfficer(driver)
    officer.direct("Cedar")
    with pytest.raises(ProviderBarred, match="refuse it first"):
        take_up(driver, "Cedar")
    officer.refuse()
    assert list_event_types(take_up(driver, "Cedar")) == [OfferDirected]


def test_while_the_list_is_out_an_officer_has_the_offers_go_on() -> None:
    driver = a_listed_search()
    assert Act.OVERRIDE_SUSPENSION in ActingOfficer(driver).list_acts()
    step = override(driver, at=on_monday("16:20:00"))
    assert list_event_types(step) == [SuspensionOverridden, OfferMade]
    assert (driver.live_offer.provider_id, driver.live_offer.made_at) == (to_provider_id("Birch"), on_monday("16:20"))
    assert override(driver).events == ()


def test_ticks_still_count_after_it_and_the_list_closes_as_announced() -> None:
    driver = a_listed_search()
    override(driver, at=on_monday("16:20"))
    register(driver, "Cedar", at=on_monday("16:25"))
    driver.decline("Birch", at=on_monday("16:30"))
    assert driver.live_offer.provider_id == to_provider_id("Cedar")
    driver.decline("Cedar", at=on_monday("16:40"))
    driver.fire_timer(TimerKind.LIST_CLOSES)
    assert driver.live_offer.provider_id == to_provider_id("Cedar")  # its tick counts, whatever it answered before


def test_a_package_that_no_list_suspends_has_nothing_to_override() -> None:
    driver = a_listed_search(tick="Birch")
    driver.fire_timer(TimerKind.LIST_CLOSES)
    with pytest.raises(ActNotPossible, match="no list suspends"):
        override(driver)


def test_both_acts_are_the_same_when_they_are_made_again_from_the_record() -> None:
    driver = a_listed_search(driver_type=RecordingDriver)
    assert isinstance(driver, RecordingDriver)
    override(driver, at=on_monday("16:20"))
    driver.decline("Birch", at=on_monday("16:25"))
    driver.decline("Cedar", at=on_monday("16:30"))
    driver.fire_timer(TimerKind.LIST_CLOSES)
    register(driver, "Cedar", at=on_tuesday("10:30"))
    take_up(driver, "Cedar")
    driver.decline("Damson", at=on_tuesday("10:40"))
    driver.accept("Cedar", at=on_tuesday("10:45"))
    assert driver.current.status is SearchStatus.PLACED
    replayed = replay_package(driver.record, driver.past.market, runtime_timers=RUNTIME_TIMERS)
    assert [(each.decision, each.differences) for each in replayed if not each.is_same] == []
