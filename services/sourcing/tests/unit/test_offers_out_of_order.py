"""Offers out of order: proposed by one officer, approved by a second, made as soon as no other offer is live."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from contracts.events.offers import LateAnswerRefused, OfferDeclined, OfferMade, OfferWithdrawn
from contracts.events.officer_acts import ActEnd, OfferDirected, OfficerActApproved, OfficerActEnded
from contracts.events.searches import PackagePlaced, SourcingExhausted
from contracts.example_words import Tiers
from contracts.framework.prices import RatesSetBy
from contracts.values import PassOverReason, PlaceState
from sourcing.domain.errors import ActNotFound, ActNotPossible, ProviderBarred, SameOfficer
from sourcing.domain.officers.allowed_acts import Act
from sourcing.domain.search import SearchStatus
from sourcing.domain.steps import ActEnded, ActWaits, TimerKind
from sourcing.domain.work_items import ActToApprove, ProposalsToDecide, find_work_items
from testkit.sourcing.acting_officer import ActingOfficer
from testkit.sourcing.builders import (
    a_known_provider,
    a_market,
    a_rate_selection,
    a_request,
    a_withdrawal,
    on_monday,
    on_tuesday,
    replace_facts,
    some_care,
    to_provider_id,
)
from testkit.sourcing.definitions import NEIGHBOUR, a_definition, a_stage_for_all, two_neighbours
from testkit.sourcing.search_driver import SearchDriver, a_search, an_open_package
from testkit.sourcing.step_events import list_event_types

ROWAN = a_known_provider("Rowan", tiers=(Tiers.TWO,))


def a_search_with_rowan(*ranked: str) -> SearchDriver:
    """A search over tier 1 with a live offer to the first provider; Rowan has a place in tier 2."""
    market = a_market(*ranked, overrides=[ROWAN], definition=a_definition(*Tiers.ALL))
    driver = SearchDriver(market).request()
    driver.deliver()
    return driver


def test_the_offer_is_made_in_the_instant_in_which_the_live_one_ends_and_the_search_then_goes_on() -> None:
    driver = a_search_with_rowan("Alder", "Birch")
    officer = ActingOfficer(driver)
    assert list_event_types(officer.direct("Rowan", at=on_monday("09:05"))) == [OfferDirected]
    assert [type(item) for item in find_work_items(driver.current)] == [ActToApprove]
    step = officer.second.approve(at=on_monday("09:06"))
    assert list_event_types(step) == [OfficerActApproved]
    assert isinstance(step.outcome, ActWaits)
    driver.decline("Alder", at=on_monday("09:10:00"))
    offer = driver.live_offer
    assert (offer.provider_id, offer.made_at, offer.tier) == (to_provider_id("Rowan"), on_monday("09:10"), Tiers.TWO)
    driver.decline("Rowan", at=on_monday("09:20:00"))
    assert driver.live_offer.provider_id == to_provider_id("Birch")


def test_without_a_live_offer_it_is_made_with_the_approval() -> None:
    driver = a_search_with_rowan("Alder")
    officer = ActingOfficer(driver)
    officer.pause()
    driver.decline("Alder")
    officer.direct_and_approve("Rowan")
    assert driver.current.live_offers == ()  # nothing is made while the search is paused
    assert list_event_types(officer.resume())[-1] is OfferMade
    assert driver.live_offer.provider_id == to_provider_id("Rowan")


def test_its_acceptance_places_the_package_although_the_provider_is_no_candidate_of_the_stage() -> None:
    driver = a_search_with_rowan("Alder")
    ActingOfficer(driver).direct_and_approve("Rowan")
    driver.decline("Alder")
    step = driver.accept("Rowan")
    assert list_event_types(step)[-1] is PackagePlaced
    assert driver.current.acts.pending == ()


def test_a_provider_that_lost_its_place_since_is_refused_at_its_acceptance_and_the_search_goes_on() -> None:
    driver = a_search_with_rowan("Alder", "Birch")
    ActingOfficer(driver).direct_and_approve("Rowan")
    driver.decline("Alder")
    left = a_known_provider("Rowan", tiers=(Tiers.TWO,), state=PlaceState.LEFT)
    driver.market = replace_facts(driver.market, left)
    step = driver.accept("Rowan")
    assert list_event_types(step) == [OfferWithdrawn, LateAnswerRefused]
    assert driver.live_offer.provider_id == to_provider_id("Birch")


def test_outside_brokerage_time_it_is_made_at_once_and_its_clock_starts_at_the_next_opening() -> None:
    market = a_market("Alder", overrides=[ROWAN], definition=a_definition(*Tiers.ALL))
    driver = SearchDriver(market, at=on_monday("18:00")).request()
    step = ActingOfficer(driver).direct_and_approve("Rowan", at=on_monday("19:00"))
    assert list_event_types(step) == [OfficerActApproved, OfferMade]
    driver.deliver(at=on_monday("19:00:01"))
    assert driver.live_offer.answer_by == on_tuesday("09:00")
    driver.fire_timer(TimerKind.OFFER_EXPIRES)
    assert driver.live_offer.provider_id == to_provider_id("Alder")


def test_the_officer_who_proposed_it_cannot_approve_it_and_can_withdraw_it() -> None:
    driver = a_search_with_rowan("Alder")
    officer = ActingOfficer(driver)
    officer.direct("Rowan")
    with pytest.raises(SameOfficer):
        officer.approve()
    step = officer.refuse()
    assert step.outcome == ActEnded(ActEnd.WITHDRAWN)
    driver.decline("Alder")
    assert driver.current.status is not SearchStatus.PLACED
    assert all(offer.provider_id != to_provider_id("Rowan") for offer in driver.current.offers)


def test_a_second_officer_refuses_it_and_neither_can_approve_it_afterwards() -> None:
    driver = a_search_with_rowan("Alder")
    officer = ActingOfficer(driver)
    officer.direct("Rowan")
    act = officer.waiting_act
    assert officer.second.refuse().outcome == ActEnded(ActEnd.REFUSED)
    with pytest.raises(ActNotFound):
        officer.second.approve(act)
    with pytest.raises(ActNotFound):
        officer.second.refuse(act)


def test_the_same_proposal_and_the_same_approval_again_change_nothing() -> None:
    driver = a_search_with_rowan("Alder")
    officer = ActingOfficer(driver)
    first, again = officer.direct("Rowan"), officer.second.direct("Rowan")
    assert (again.events, again.outcome) == ((), first.outcome)
    act = officer.waiting_act
    officer.second.approve()
    assert officer.approve(act).events == ()
    driver.decline("Alder")
    assert officer.second.approve(act).events == ()  # the offer is made


def test_who_may_not_have_the_package_is_refused_at_once_with_all_reasons() -> None:
    barred = a_known_provider("Rowan", tiers=(Tiers.TWO,), embargoed=True, state=PlaceState.PAUSED)
    market = a_market("Alder", overrides=[barred], definition=a_definition(*Tiers.ALL))
    driver = SearchDriver(market).request(a_request(refused=("Rowan",)))
    with pytest.raises(ProviderBarred) as refused:
        ActingOfficer(driver).direct("Rowan")
    for reason in (PassOverReason.EMBARGOED, PassOverReason.REFUSED_BY_PERSON, PassOverReason.PLACE_NOT_ACTIVE):
        assert reason.value in str(refused.value)
    assert driver.current.acts.pending == ()


def test_an_embargo_that_begins_before_the_offer_is_made_ends_the_act_and_the_road_goes_on() -> None:
    driver = a_search_with_rowan("Alder", "Birch")
    ActingOfficer(driver).direct_and_approve("Rowan")
    driver.market = replace_facts(driver.market, replace(ROWAN, embargoed=True))
    driver.decline("Alder")
    ended = [event for event in driver.events if isinstance(event, OfficerActEnded)]
    assert [(event.reason, event.passed_over) for event in ended] == [
        (ActEnd.PROVIDER_NOT_ELIGIBLE, (PassOverReason.EMBARGOED,))
    ]
    assert driver.live_offer.provider_id == to_provider_id("Birch")


def test_capacity_and_service_type_are_shown_and_bar_nobody_whom_officers_chose() -> None:
    small = a_known_provider("Rowan", tiers=(Tiers.TWO,), free_hours=Decimal("9.99"), service_types=())
    market = a_market("Alder", overrides=[small], definition=a_definition(*Tiers.ALL))
    driver = SearchDriver(market).request()
    ActingOfficer(driver).direct_and_approve("Rowan")
    driver.decline("Alder")
    made = driver.events[-1]
    assert isinstance(made, OfferMade)
    assert made.shown == (PassOverReason.NO_CAPACITY, PassOverReason.SERVICE_TYPE_NOT_OFFERED)


def test_a_provider_without_a_place_in_the_framework_cannot_be_offered_the_package() -> None:
    spot = a_known_provider("Spruce", tiers=(), spot=True)
    driver = SearchDriver(a_market("Alder", "Birch", overrides=[spot])).request()
    with pytest.raises(ProviderBarred, match="record a placement made by hand"):
        ActingOfficer(driver).direct("Spruce")
    with pytest.raises(ProviderBarred, match="no such place"):
        ActingOfficer(driver).direct("Birch", tier=Tiers.TWO)


def test_a_place_in_another_area_is_offered_at_that_areas_rates() -> None:
    rates = a_rate_selection("Rowan", "27.50", area=NEIGHBOUR)
    neighbour = a_known_provider("Rowan", areas=(NEIGHBOUR,), tiers=(Tiers.ONE,), rates=rates)
    own = a_known_provider("Alder", rates=a_rate_selection("Alder", "25.00"))
    definition = a_definition(areas=two_neighbours(), rates_set_by=RatesSetBy.SELECTION)
    driver = SearchDriver(a_market("Alder", overrides=[own, neighbour], definition=definition)).request()
    ActingOfficer(driver).direct_and_approve("Rowan")
    driver.decline("Alder")
    assert (driver.live_offer.area, driver.live_offer.terms.rate) == (NEIGHBOUR, Decimal("27.50"))
    assert list_event_types(driver.accept("Rowan"))[-1] is PackagePlaced


def test_a_provider_with_a_live_offer_is_not_offered_it_twice() -> None:
    driver = a_search("Alder")
    with pytest.raises(ProviderBarred, match="record its answer instead"):
        ActingOfficer(driver).direct("Alder")


def test_it_is_made_for_an_exhausted_package_which_is_exhausted_again_after_its_end() -> None:
    driver = a_search_with_rowan("Alder")
    driver.market = replace(driver.market, definition=a_definition())
    driver.decline("Alder")
    assert driver.current.status is SearchStatus.EXHAUSTED
    rowan = replace_facts(driver.market, a_known_provider("Rowan", tiers=(Tiers.ONE,)))
    driver.market = rowan
    ActingOfficer(driver).direct_and_approve("Rowan")
    assert driver.current.status is SearchStatus.RUNNING
    driver.decline("Rowan")
    assert driver.current.status is SearchStatus.EXHAUSTED
    assert sum(isinstance(event, SourcingExhausted) for event in driver.events) == 2


def test_a_listed_package_stays_on_its_list_while_the_offer_is_live() -> None:
    driver = an_open_package(a_known_provider("Rowan"), a_known_provider("Spruce", tiers=(), spot=True))
    officer = ActingOfficer(driver)
    officer.direct_and_approve("Rowan")
    assert driver.current.status is SearchStatus.LISTED
    driver.propose("Spruce", "28.00")
    assert ProposalsToDecide(1) in find_work_items(driver.current)
    assert list_event_types(driver.decline("Rowan")) == [OfferDeclined]
    assert (driver.current.status, driver.current.live_offers) == (SearchStatus.LISTED, ())


def test_an_award_withdraws_the_offer_that_is_live_and_the_offers_acceptance_is_late() -> None:
    driver = an_open_package(a_known_provider("Rowan"), a_known_provider("Spruce", tiers=(), spot=True))
    ActingOfficer(driver).direct_and_approve("Rowan")
    driver.propose("Spruce", "28.00")
    step = driver.award("Spruce")
    assert OfferWithdrawn in list_event_types(step)
    assert driver.current.status is SearchStatus.PLACED
    assert list_event_types(driver.accept("Rowan")) == [LateAnswerRefused]


def test_two_offers_of_a_listed_package_are_made_one_after_the_other() -> None:
    driver = an_open_package(a_known_provider("Rowan"), a_known_provider("Hazel"))
    officer = ActingOfficer(driver)
    officer.direct_and_approve("Rowan")
    officer.direct("Hazel")
    officer.second.approve()
    assert driver.live_offer.provider_id == to_provider_id("Rowan")
    driver.decline("Rowan")
    assert driver.live_offer.provider_id == to_provider_id("Hazel")


def test_where_all_are_asked_it_waits_for_the_answers_and_is_dropped_when_one_of_them_is_placed() -> None:
    definition = a_definition(*Tiers.ALL, sourcing=(a_stage_for_all(),))
    driver = SearchDriver(a_market("Alder", "Birch", overrides=[ROWAN], definition=definition)).request()
    ActingOfficer(driver).direct_and_approve("Rowan")
    driver.accept("Alder")
    assert len(driver.current.live_offers) == 1
    driver.decline("Birch")
    assert driver.current.status is SearchStatus.PLACED
    ended = [event for event in driver.events if isinstance(event, OfficerActEnded)]
    assert [event.reason for event in ended] == [ActEnd.PLACED]


def test_a_withdrawal_ends_what_waits() -> None:
    driver = a_search_with_rowan("Alder")
    ActingOfficer(driver).direct("Rowan")
    step = driver.handle(a_withdrawal())
    assert OfficerActEnded in list_event_types(step)
    assert driver.current.acts.pending == ()


def test_before_the_search_has_started_no_offer_can_be_proposed() -> None:
    driver = SearchDriver(replace(a_market("Alder"), definition=None)).request()
    with pytest.raises(ActNotPossible, match="publish what is missing first"):
        ActingOfficer(driver).direct("Alder")
    assert ActingOfficer(driver).list_acts() == {Act.PAUSE, Act.ASSIGN}


def test_an_urgent_package_counts_plain_time() -> None:
    market = a_market("Alder", overrides=[ROWAN], definition=a_definition(*Tiers.ALL))
    request = a_request(care=some_care(urgent=True))
    driver = SearchDriver(market, at=on_monday("22:00")).request(request)
    ActingOfficer(driver).direct_and_approve("Rowan")
    driver.decline("Alder", at=on_monday("22:10"))
    driver.deliver(at=on_monday("22:11"))
    assert driver.live_offer.answer_by == on_monday("22:11") + timedelta(minutes=30)
