"""What is missing is not empty: the search is held, says for what, and goes on when it is there."""

from dataclasses import replace

import pytest

from contracts.events.frameworks import make_ranked_list_key
from contracts.events.offers import OfferMade
from contracts.events.searches import SourcingHeld, SourcingStarted, StageEntered
from contracts.example_words import LOT, ServiceTypes, Tiers
from contracts.ids import AreaCode
from sourcing.domain.errors import MarketNotKnown
from sourcing.domain.market import MarketSnapshot, MissingEntry, parse_missing
from sourcing.domain.search import SearchStatus
from sourcing.domain.steps import Step, TimerKind
from sourcing.domain.triggers import ProjectionUpdated
from sourcing.domain.work_items import HeldSearch, find_work_items
from testkit.sourcing.builders import (
    a_known_provider,
    a_market,
    a_ranked_list,
    a_request,
    add_list,
    an_urgent_request,
    on_monday,
    on_tuesday,
    replace_facts,
    some_care,
    to_provider_id,
)
from testkit.sourcing.definitions import AREA, FRAMEWORK, a_definition, a_stage_for_all
from testkit.sourcing.search_driver import SearchDriver, a_search

TIER_ONE_LIST = f"ranked-lists/{make_ranked_list_key(FRAMEWORK, LOT, AREA, Tiers.ONE, None)}"


def remove_facts(market: MarketSnapshot, *names: str) -> MarketSnapshot:
    gone = {to_provider_id(name) for name in names}
    return replace(market, facts={key: facts for key, facts in market.facts.items() if key not in gone})


def test_without_a_definition_the_search_is_held_before_it_starts() -> None:
    driver = SearchDriver(MarketSnapshot())
    step = driver.handle(a_request())
    assert [type(event) for event in step.events] == [SourcingHeld]
    assert driver.current.missing == (f"definitions/{FRAMEWORK}",)
    assert driver.current.search_id is None
    assert find_work_items(driver.current) == (HeldSearch(missing=(f"definitions/{FRAMEWORK}",)),)


@pytest.mark.parametrize(
    ("missing", "entry"),
    [
        (f"definitions/{FRAMEWORK}", MissingEntry("definitions", FRAMEWORK)),
        (f"definitions/{FRAMEWORK}/area/E07000000", MissingEntry("definitions", FRAMEWORK)),
        (TIER_ONE_LIST, MissingEntry("ranked-lists", f"{FRAMEWORK}/{LOT}/{AREA}/tier-1")),
        (f"channels/{to_provider_id('Alder')}", MissingEntry("channels", str(to_provider_id("Alder")))),
    ],
)
def test_each_missing_thing_names_the_entry_of_a_view_that_wakes_the_search(missing: str, entry: MissingEntry) -> None:
    assert parse_missing(missing) == entry


def test_when_the_definition_comes_the_search_starts() -> None:
    driver = SearchDriver(MarketSnapshot()).request()
    driver.market = a_market("Alder")
    step = driver.handle(ProjectionUpdated())
    assert [type(event) for event in step.events] == [SourcingStarted, StageEntered, OfferMade]
    assert driver.current.status is SearchStatus.RUNNING
    assert driver.current.missing == ()


def test_an_area_that_the_framework_does_not_know_is_held_for_an_officer_to_see() -> None:
    driver = SearchDriver(a_market("Alder")).request(a_request(care=some_care(area=AreaCode("E07000000"))))
    assert driver.current.missing == (f"definitions/{FRAMEWORK}/area/E07000000",)


def test_a_type_of_service_without_a_price_is_held_for_an_officer_to_see() -> None:
    definition = a_definition(service_types=[ServiceTypes.LIVE_IN])
    driver = SearchDriver(a_market("Alder", definition=definition)).request()
    assert driver.current.missing == (f"definitions/{FRAMEWORK}/price/personal-care",)


def test_a_missing_list_holds_the_search_and_an_empty_one_does_not() -> None:
    missing = SearchDriver(replace(a_market("Alder"), ranked_lists={})).request()
    assert missing.current.missing == (TIER_ONE_LIST,)
    empty = SearchDriver(a_market()).request()
    assert empty.current.status is SearchStatus.EXHAUSTED


def test_a_missing_list_of_a_later_stage_holds_the_search_when_it_gets_there() -> None:
    driver = SearchDriver(a_market("Alder", definition=a_definition(Tiers.ONE, Tiers.TWO))).request()
    driver.decline("Alder")
    assert driver.current.missing == (f"ranked-lists/{make_ranked_list_key(FRAMEWORK, LOT, AREA, Tiers.TWO, None)}",)
    driver.market = add_list(driver.market, a_ranked_list("Alder", tier=Tiers.TWO))
    driver.handle(ProjectionUpdated())
    assert driver.live_offer.stage == "tier-2"


def test_a_provider_of_whom_nothing_is_known_holds_the_search_for_all_that_the_stage_lacks() -> None:
    driver = SearchDriver(
        replace_facts(
            remove_facts(a_market("Alder", "Birch", "Cedar"), "Alder"), a_known_provider("Cedar", channels=None)
        )
    ).request()
    assert driver.current.missing == (
        f"eligibility/{to_provider_id('Alder')}",
        f"channels/{to_provider_id('Alder')}",
        f"channels/{to_provider_id('Cedar')}",
    )


def test_what_is_missing_of_a_later_provider_does_not_hold_the_first_ones_offer() -> None:
    driver = SearchDriver(remove_facts(a_market("Alder", "Birch"), "Birch")).request()
    assert driver.live_offer.provider_id == to_provider_id("Alder")


def test_a_retry_while_the_same_is_missing_says_nothing_new() -> None:
    driver = SearchDriver(MarketSnapshot()).request()
    assert driver.handle(ProjectionUpdated()).events == ()


def test_a_retry_while_something_else_is_missing_says_what() -> None:
    driver = SearchDriver(MarketSnapshot()).request()
    driver.market = replace(a_market("Alder"), ranked_lists={})
    driver.handle(ProjectionUpdated())
    assert driver.current.missing == (TIER_ONE_LIST,)


def test_a_search_that_is_held_in_the_evening_looks_again_at_the_opening() -> None:
    driver = SearchDriver(remove_facts(a_market("Alder"), "Alder"), at=on_monday("16:59")).request()
    driver.market = a_market("Alder")
    driver.handle(ProjectionUpdated(), at=on_monday("18:00"))
    assert driver.current.live_offers == ()
    driver.fire_timer(TimerKind.NEXT_OFFER_DUE)
    assert driver.live_offer.made_at == on_tuesday("08:30")


def test_a_held_search_looks_again_each_morning_because_a_list_may_go_live_by_its_date_alone() -> None:
    driver = SearchDriver(replace(a_market("Alder"), ranked_lists={})).request()
    assert driver.find_timer(TimerKind.NEXT_OFFER_DUE).at == on_tuesday("08:30")
    assert driver.fire_timer(TimerKind.NEXT_OFFER_DUE).events == ()
    assert driver.find_timer(TimerKind.NEXT_OFFER_DUE).at > on_tuesday("08:30")


def test_an_urgent_package_that_is_held_looks_again_within_minutes_at_any_hour() -> None:
    driver = SearchDriver(replace(a_market("Alder"), ranked_lists={}), at=on_monday("22:00"))
    driver.request(an_urgent_request())
    assert driver.find_timer(TimerKind.NEXT_OFFER_DUE).at == on_monday("22:15")
    driver.market = a_market("Alder")
    driver.fire_timer(TimerKind.NEXT_OFFER_DUE)
    assert driver.live_offer.made_at == on_monday("22:15")


def test_an_urgent_package_goes_on_at_any_hour_once_nothing_is_missing() -> None:
    driver = SearchDriver(MarketSnapshot(), at=on_monday("22:00")).request(an_urgent_request())
    driver.market = a_market("Alder")
    driver.handle(ProjectionUpdated())
    assert driver.live_offer.provider_id == to_provider_id("Alder")


def test_a_retry_means_nothing_to_a_search_with_a_live_offer() -> None:
    driver = a_search("Alder")
    assert driver.handle(ProjectionUpdated()) == Step(driver.state)


def test_nothing_is_awarded_while_the_eligibility_is_not_known() -> None:
    driver = a_search("Alder")
    driver.market = remove_facts(driver.market, "Alder")
    with pytest.raises(MarketNotKnown):
        driver.accept("Alder")


def test_a_search_that_was_held_at_the_award_is_placed_once_nothing_is_missing() -> None:
    definition = a_definition(sourcing=(a_stage_for_all(),))
    driver = SearchDriver(a_market("Alder", "Birch", definition=definition)).request()
    driver.decline("Birch")
    known, driver.market = driver.market, remove_facts(driver.market, "Alder")
    driver.accept("Alder")
    assert driver.current.status is SearchStatus.HELD
    driver.market = known
    driver.handle(ProjectionUpdated())
    assert (driver.current.status, driver.current.missing) == (SearchStatus.PLACED, ())
