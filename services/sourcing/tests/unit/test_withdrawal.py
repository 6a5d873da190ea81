"""The council withdraws a package: the search always answers, once."""

from contracts.events.offers import OfferWithdrawn
from contracts.events.searches import PlacementVoided, SourcingStopped
from contracts.example_words import WithdrawalReasons
from sourcing.domain.decisions import decide
from sourcing.domain.market import MarketSnapshot
from sourcing.domain.offer import OfferStatus
from sourcing.domain.search import SearchStatus
from sourcing.domain.steps import Placed, Step
from sourcing.domain.triggers import NextOfferDue, ProjectionUpdated
from testkit.sourcing.builders import PACKAGE, a_market, a_withdrawal, build_id_counter, on_monday
from testkit.sourcing.search_driver import SearchDriver, a_search
from testkit.sourcing.step_events import list_event_types


def test_a_withdrawal_before_an_acceptance_withdraws_the_offer_and_stops_the_search() -> None:
    driver = a_search("Alder", "Birch")
    step = driver.handle(a_withdrawal())
    assert list_event_types(step) == [OfferWithdrawn, SourcingStopped]
    assert driver.current.status is SearchStatus.STOPPED
    assert driver.find_offer("Alder").status is OfferStatus.WITHDRAWN
    assert driver.timers == {}


def test_a_search_between_two_offers_stops() -> None:
    driver = SearchDriver(a_market("Alder", "Birch"), at=on_monday("17:30")).request()
    assert list_event_types(driver.handle(a_withdrawal())) == [SourcingStopped]
    assert driver.timers == {}


def test_a_held_search_stops_also_without_any_view() -> None:
    driver = SearchDriver(MarketSnapshot()).request()
    assert list_event_types(driver.handle(a_withdrawal())) == [SourcingStopped]
    assert driver.current.status is SearchStatus.STOPPED


def test_a_live_offer_is_withdrawn_also_without_any_view() -> None:
    driver = a_search("Alder")
    driver.market = MarketSnapshot()
    assert list_event_types(driver.handle(a_withdrawal())) == [OfferWithdrawn, SourcingStopped]


def test_an_exhausted_search_stops() -> None:
    driver = a_search("Alder")
    driver.decline("Alder")
    assert list_event_types(driver.handle(a_withdrawal())) == [SourcingStopped]


def test_a_package_that_was_never_sourced_is_answered_too() -> None:
    step = decide(None, a_withdrawal(), market=MarketSnapshot(), at=on_monday("09:00"), new_id=build_id_counter())
    assert step == Step(None, (SourcingStopped(package_id=PACKAGE, search_id=None),))


def test_after_the_placement_a_withdrawal_voids_it_and_gives_its_hours_back() -> None:
    driver = a_search("Alder")
    accepted = driver.accept("Alder").outcome
    assert isinstance(accepted, Placed)
    (voided,) = driver.handle(a_withdrawal(WithdrawalReasons.PERSON_DIED)).events
    assert voided == PlacementVoided(
        package_id=PACKAGE,
        placement_id=accepted.placement.placement_id,
        provider_id=accepted.placement.provider_id,
        weekly_hours=accepted.placement.weekly_hours,
        reason=WithdrawalReasons.PERSON_DIED,
    )
    assert driver.current.status is SearchStatus.STOPPED
    assert driver.current.placement is not None
    assert driver.current.placement.voided


def test_a_second_withdrawal_is_no_news() -> None:
    stopped = a_search("Alder")
    stopped.handle(a_withdrawal())
    assert stopped.handle(a_withdrawal()) == Step(stopped.state)
    voided = a_search("Alder")
    voided.accept("Alder")
    voided.handle(a_withdrawal())
    assert voided.handle(a_withdrawal()) == Step(voided.state)


def test_nothing_starts_a_stopped_search_again() -> None:
    driver = a_search("Alder", "Birch")
    driver.handle(a_withdrawal())
    assert driver.handle(ProjectionUpdated()) == Step(driver.state)
    assert driver.handle(NextOfferDue()) == Step(driver.state)
