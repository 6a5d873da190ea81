"""How long it took is measured once, when a search gets somewhere."""

from dataclasses import replace
from datetime import timedelta

from contracts.values import Channel
from sourcing.domain.milestones import FirstOfferMilestone, OfferMilestone, PlacementMilestone, find_milestones
from sourcing.domain.search import Search
from testkit.sourcing.builders import a_market, on_monday
from testkit.sourcing.search_driver import SearchDriver


def parse_search(driver: SearchDriver) -> Search:
    assert driver.state is not None
    return driver.state


def a_story() -> SearchDriver:
    return SearchDriver(a_market("Alder", "Birch"), at=on_monday("09:00")).request()


def test_the_first_offer_counts_from_the_request() -> None:
    driver = a_story()
    later = replace(parse_search(driver), requested_at=on_monday("08:45"))
    assert find_milestones(None, later) == (
        FirstOfferMilestone(timedelta(minutes=15), "tier-1"),
        OfferMilestone("tier-1", Channel.WEBHOOK),
    )


def test_a_second_offer_counts_as_an_offer_only() -> None:
    driver = a_story()
    before = parse_search(driver)
    driver.decline("Alder", at=on_monday("09:10"))
    assert len(parse_search(driver).offers) == 2
    assert find_milestones(before, parse_search(driver)) == (OfferMilestone("tier-1", Channel.WEBHOOK),)


def test_a_placement_counts_the_offers_that_it_took() -> None:
    driver = a_story()
    driver.decline("Alder", at=on_monday("09:10"))
    before = parse_search(driver)
    driver.accept("Birch", at=on_monday("09:20"))
    assert find_milestones(before, parse_search(driver)) == (
        PlacementMilestone(timedelta(minutes=20), offers=2, stage="tier-1"),
    )
    assert find_milestones(parse_search(driver), parse_search(driver)) == ()
