"""Packages that are sourced again: after a placement that fell through, exhausted, or from the open list."""

from datetime import timedelta

import pytest

from contracts.errors import InvalidInput
from contracts.events.offers import LateAnswerRefused, OfferMade
from contracts.events.officer_acts import PackageResourced
from contracts.events.packages import WithdrawalRequested
from contracts.events.reasons import LateReason
from contracts.events.searches import (
    PackagePlaced,
    PlacementVoided,
    SourcingExhausted,
    SourcingStopped,
    StageEntered,
)
from contracts.example_words import OfficerReasons, Tiers
from sourcing.domain.errors import ActNotPossible
from sourcing.domain.explanation import NOT_ASKED_YET, explain_stages
from sourcing.domain.market import MarketSnapshot
from sourcing.domain.offer import OfferStatus
from sourcing.domain.officers.allowed_acts import Act
from sourcing.domain.search import SearchStatus
from sourcing.domain.steps import AnswerNotUsed, TimerKind
from testkit.sourcing.acting_officer import ActingOfficer
from testkit.sourcing.builders import (
    A_MONDAY,
    a_known_provider,
    a_market,
    a_ranked_list,
    a_withdrawal,
    add_list,
    from_london_time,
    on_monday,
    replace_facts,
    to_provider_id,
)
from testkit.sourcing.definitions import a_definition
from testkit.sourcing.search_driver import SearchDriver, a_search, an_open_package
from testkit.sourcing.step_events import list_event_types

SPRUCE = a_known_provider("Spruce", tiers=(), spot=True)
SORREL = a_known_provider("Sorrel", tiers=(), spot=True)
START = A_MONDAY + timedelta(days=7)
"""The first day of care of most packages."""


def a_placed_package(*ranked: str) -> SearchDriver:
    """Placed with the second provider, after the first declined."""
    driver = a_search(*ranked)
    driver.decline(ranked[0])
    driver.accept(ranked[1], at=on_monday("09:20"))
    return driver


def test_after_a_placement_that_fell_through_the_search_goes_on_after_that_provider() -> None:
    driver = a_placed_package("Alder", "Birch", "Cedar")
    step = ActingOfficer(driver).resource(at=on_monday("10:00:00"))
    assert list_event_types(step) == [PlacementVoided, PackageResourced, OfferMade]
    voided, resourced, _ = step.events
    assert isinstance(voided, PlacementVoided)
    assert (voided.resourced, voided.reason) == (True, OfficerReasons.PROVIDER_GAVE_BACK)
    assert isinstance(resourced, PackageResourced)
    assert resourced.tried == (to_provider_id("Alder"), to_provider_id("Birch"))
    assert (driver.live_offer.provider_id, driver.live_offer.made_at) == (to_provider_id("Cedar"), on_monday("10:00"))
    assert driver.find_offer("Birch").status is OfferStatus.FELL_THROUGH


def test_the_package_can_be_placed_again_and_the_first_provider_is_told_that_it_is_late() -> None:
    driver = a_placed_package("Alder", "Birch", "Cedar")
    ActingOfficer(driver).resource()
    driver.accept("Cedar")
    assert driver.current.placement is not None
    assert driver.current.placement.provider_id == to_provider_id("Cedar")
    late = driver.accept("Birch")
    assert late.outcome == AnswerNotUsed(LateReason.PLACEMENT_UNDONE)
    assert LateAnswerRefused not in list_event_types(late)  # its acceptance is on record already


def test_outside_brokerage_time_the_next_offer_waits_for_the_opening() -> None:
    driver = a_placed_package("Alder", "Birch", "Cedar")
    step = ActingOfficer(driver).resource(at=on_monday("19:00"))
    assert list_event_types(step) == [PlacementVoided, PackageResourced]
    assert driver.fire_timer(TimerKind.NEXT_OFFER_DUE).events[-1].get_type_name() == "calloff.OfferMade.v1"


def test_on_the_first_day_of_care_it_is_too_late_and_the_evening_before_it_is_not() -> None:
    driver = a_placed_package("Alder", "Birch", "Cedar")
    officer = ActingOfficer(driver)
    with pytest.raises(ActNotPossible, match="care has started"):
        officer.resource(at=from_london_time(START, "00:00"))
    driver.at = from_london_time(START - timedelta(days=1), "23:59")
    assert Act.RESOURCE in officer.list_acts()
    assert list_event_types(officer.resource()) == [PlacementVoided, PackageResourced]


def test_a_package_that_was_placed_from_the_list_is_open_again_with_the_other_proposals() -> None:
    driver = an_open_package(SPRUCE, SORREL)
    driver.propose("Spruce", "28.00")
    driver.propose("Sorrel", "28.50")
    driver.award("Spruce")
    assert list_event_types(ActingOfficer(driver).resource()) == [PlacementVoided, PackageResourced]
    assert driver.current.status is SearchStatus.LISTED
    assert [each.provider_id for each in driver.listing.proposals] == [to_provider_id("Sorrel")]
    assert driver.find_timer(TimerKind.LISTED_TOO_LONG)
    driver.award("Sorrel")
    assert driver.current.status is SearchStatus.PLACED


def test_an_exhausted_package_enters_the_road_again_from_its_first_stage() -> None:
    driver = a_search("Alder", "Birch")
    driver.decline("Alder")
    driver.decline("Birch")
    assert driver.current.status is SearchStatus.EXHAUSTED
    step = ActingOfficer(driver).resource(reason=OfficerReasons.SEARCH_AGAIN)
    assert list_event_types(step) == [PackageResourced, StageEntered, OfferMade]
    assert driver.live_offer.provider_id == to_provider_id("Alder")
    driver.decline("Alder")
    driver.decline("Birch")
    assert sum(isinstance(event, SourcingExhausted) for event in driver.events) == 2


def test_an_exhausted_package_enters_the_road_from_a_named_stage() -> None:
    market = add_list(a_market("Alder", definition=a_definition(*Tiers.ALL)), a_ranked_list("Birch", tier=Tiers.TWO))
    driver = SearchDriver(add_facts(market, "Birch")).request()
    driver.decline("Alder")
    driver.decline("Birch")
    ActingOfficer(driver).resource("tier-2", reason=OfficerReasons.SEARCH_AGAIN)
    assert driver.live_offer.provider_id == to_provider_id("Birch")
    driver.decline("Birch")
    with pytest.raises(InvalidInput, match="choose one of tier-1, tier-2"):
        ActingOfficer(driver).resource("tier-9")


def add_facts(market: MarketSnapshot, name: str) -> MarketSnapshot:
    return replace_facts(market, a_known_provider(name))


def test_a_listed_package_leaves_the_list_and_its_alarm() -> None:
    driver = an_open_package(SPRUCE)
    driver.propose("Spruce", "28.00")
    step = ActingOfficer(driver).resource(reason=OfficerReasons.SEARCH_AGAIN)
    assert list_event_types(step) == [PackageResourced, StageEntered, OfferMade]
    assert driver.current.listing is None
    assert TimerKind.LISTED_TOO_LONG not in {kind for kind, _ in driver.timers}


def test_a_withdrawal_after_it_stops_the_search_and_voids_nothing_again() -> None:
    driver = a_placed_package("Alder", "Birch", "Cedar")
    ActingOfficer(driver).resource()
    step = driver.handle(a_withdrawal())
    assert list_event_types(step)[-1] is SourcingStopped
    assert sum(isinstance(event, PlacementVoided) for event in driver.events) == 1
    with pytest.raises(ActNotPossible, match="is stopped"):
        ActingOfficer(driver).resource()


def test_a_withdrawal_that_comes_first_leaves_nothing_to_source_again() -> None:
    driver = a_placed_package("Alder", "Birch", "Cedar")
    assert isinstance(a_withdrawal(), WithdrawalRequested)
    driver.handle(a_withdrawal())
    with pytest.raises(ActNotPossible, match="only a package that is placed, exhausted or listed"):
        ActingOfficer(driver).resource()


def test_a_running_search_is_not_sourced_again_and_one_with_a_live_offer_waits_for_its_end() -> None:
    with pytest.raises(ActNotPossible, match="is running"):
        ActingOfficer(a_search("Alder")).resource()
    driver = an_open_package(a_known_provider("Rowan"))
    ActingOfficer(driver).direct_and_approve("Rowan")
    with pytest.raises(ActNotPossible, match="wait for its end"):
        ActingOfficer(driver).resource()


def test_who_was_not_reached_can_be_reached_again() -> None:
    driver = a_placed_package("Alder", "Birch", "Cedar", "Damson")
    ActingOfficer(driver).resource()
    turns = {turn.provider_id: turn.outcome for turn in explain_stages(driver.events)[-1].turns}
    assert turns[to_provider_id("Birch")] == "placement voided"
    assert turns[to_provider_id("Damson")] == NOT_ASKED_YET


def test_a_placement_by_hand_that_fell_through_goes_on_where_the_search_was() -> None:
    driver = a_search("Alder", "Birch")
    driver.market = replace_facts(driver.market, SPRUCE)
    officer = ActingOfficer(driver)
    officer.place("Spruce", "25.00")
    step = officer.resource()
    assert list_event_types(step) == [PlacementVoided, PackageResourced, OfferMade]
    assert driver.live_offer.provider_id == to_provider_id("Birch")
    assert sum(isinstance(event, PackagePlaced) for event in driver.events) == 1
