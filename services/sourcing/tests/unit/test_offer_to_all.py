"""Offers to all providers of a tier at once: who is asked, until when, and when the stage ends."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from contracts.events.offers import OfferExpired, OfferMade
from contracts.events.searches import SourcingStarted, StageEntered
from contracts.example_words import Tiers
from contracts.framework.stages import Deadline, Recipients
from contracts.values import AnswerBy, Channel, PassOverReason
from sourcing.domain.next_step import find_next_step
from sourcing.domain.next_steps import NextStepKind
from sourcing.domain.search import SearchStatus
from sourcing.domain.steps import TimerKind
from sourcing.domain.triggers import ProjectionUpdated
from sourcing.domain.work_items import HeldSearch, find_work_items
from testkit.sourcing.builders import (
    a_request,
    an_urgent_request,
    on_monday,
    on_tuesday,
    replace_facts,
    to_provider_id,
)
from testkit.sourcing.definitions import a_stage_for_all
from testkit.sourcing.search_driver import SearchDriver
from testkit.sourcing.stages_for_all import (
    RATES,
    a_definition_for_all,
    a_market_for_all,
    a_rated_provider,
    ask_all,
    find_award_order,
    get_placed_provider,
)
from testkit.sourcing.step_events import find_passed_over, list_event_types, list_offered_providers

ALDER, BIRCH, CEDAR = map(to_provider_id, RATES)


def test_all_providers_of_the_tier_are_asked_in_one_step_with_the_same_deadline() -> None:
    driver = SearchDriver(a_market_for_all())
    step = driver.handle(a_request())
    assert list_event_types(step) == [SourcingStarted, StageEntered, OfferMade, OfferMade, OfferMade]
    made = [event for event in step.events if isinstance(event, OfferMade)]
    assert {event.provider_id for event in made} == {ALDER, BIRCH, CEDAR}
    assert all(event.asks_all for event in made)
    deadline = AnswerBy(minutes=120, brokerage_time=True, instant=on_monday("11:00"))
    assert [event.answer_by for event in made] == [deadline] * 3
    assert {event.terms.rate for event in made} == set(map(Decimal, RATES.values()))


def test_each_offer_has_its_own_timers_from_the_asking_on() -> None:
    driver = ask_all()
    for name in RATES:
        assert driver.find_timer(TimerKind.OFFER_EXPIRES, name).at == on_monday("11:00")
        assert driver.find_timer(TimerKind.DELIVERY_OVERDUE, name).at == on_monday("09:12")
    assert len(driver.timers) == 6


def test_as_soon_as_all_have_answered_the_cheapest_of_those_that_accept_gets_the_package() -> None:
    driver = ask_all()
    driver.accept("Cedar", at=on_monday("09:10"))
    driver.accept("Birch", at=on_monday("09:20"))
    assert (driver.current.status, get_placed_provider(driver)) == (SearchStatus.RUNNING, None)
    driver.accept("Alder", at=on_monday("09:30"))
    assert find_award_order(driver) == [BIRCH, ALDER, CEDAR]
    assert get_placed_provider(driver) == BIRCH
    placement = driver.current.placement
    assert placement is not None
    assert (placement.placed_at, placement.terms.rate) == (on_monday("09:30"), Decimal("25.00"))
    assert driver.timers == {}


def test_a_decline_as_the_last_answer_ends_the_stage_as_well() -> None:
    driver = ask_all()
    driver.decline("Birch")
    driver.accept("Cedar")
    driver.decline("Alder")
    assert get_placed_provider(driver) == CEDAR


def test_at_the_deadline_who_has_not_answered_expires_and_who_accepted_is_considered() -> None:
    driver = ask_all()
    driver.accept("Cedar", at=on_monday("09:10"))
    for name in ("Alder", "Birch"):
        assert list_event_types(driver.fire_timer(TimerKind.OFFER_EXPIRES, name)) == [OfferExpired]
    assert (get_placed_provider(driver), driver.at) == (CEDAR, on_monday("11:00"))


@pytest.mark.parametrize(
    ("asked_at", "ends_at"),
    [
        (on_monday("09:00"), on_monday("10:30")),
        (on_monday("16:00"), on_tuesday("09:00")),
        (on_monday("15:30"), on_monday("17:00")),
    ],
)
def test_the_deadline_of_a_routine_package_counts_brokerage_time(asked_at: datetime, ends_at: datetime) -> None:
    deadline = Deadline(routine=timedelta(minutes=90))
    definition = a_definition_for_all(a_stage_for_all(deadline=deadline))
    driver = ask_all(definition=definition, at=asked_at)
    assert {offer.answer_by for offer in driver.current.live_offers} == {ends_at}


def test_an_urgent_package_is_asked_at_any_hour_and_its_deadline_is_plain_time() -> None:
    driver = ask_all(request=an_urgent_request(), at=on_monday("23:50"))
    assert {offer.answer_by for offer in driver.current.live_offers} == {on_tuesday("00:20")}
    driver.accept("Cedar", at=on_tuesday("00:10"))
    for name in ("Alder", "Birch"):
        driver.fire_timer(TimerKind.OFFER_EXPIRES, name)
    assert (get_placed_provider(driver), driver.at) == (CEDAR, on_tuesday("00:20"))


def test_outside_brokerage_time_nobody_is_asked_before_the_opening() -> None:
    driver = ask_all(at=on_monday("18:00"))
    assert driver.current.live_offers == ()
    assert len(list_event_types(driver.fire_timer(TimerKind.NEXT_OFFER_DUE))) == 3
    assert {offer.answer_by for offer in driver.current.live_offers} == {on_tuesday("10:30")}


def test_answers_in_the_evening_place_the_package_at_once() -> None:
    driver = ask_all(at=on_monday("16:30"))
    for name in RATES:
        driver.accept(name, at=on_monday("19:45"))
    placement = driver.current.placement
    assert placement is not None
    assert placement.placed_at == on_monday("19:45")


def test_a_provider_of_both_tiers_is_asked_once() -> None:
    stage = a_stage_for_all(to=Recipients(tiers=Tiers.ALL))
    alder = a_rated_provider("Alder", tiers=Tiers.ALL)
    driver = ask_all(alder, definition=a_definition_for_all(stage))
    assert sorted(map(str, list_offered_providers(driver))) == sorted(
        map(str, (ALDER, BIRCH, CEDAR, to_provider_id("Elm")))
    )


def test_who_is_passed_over_is_recorded_and_the_others_are_asked() -> None:
    driver = ask_all(a_rated_provider("Birch", free_hours=Decimal("9.99")))
    assert find_passed_over(driver) == {BIRCH: (PassOverReason.NO_CAPACITY,)}
    assert {offer.provider_id for offer in driver.current.live_offers} == {ALDER, CEDAR}


def test_a_missing_fact_of_one_provider_holds_the_asking_of_all() -> None:
    driver = ask_all(a_rated_provider("Birch", channels=None))
    assert find_work_items(driver.current) == (HeldSearch(missing=(f"channels/{BIRCH}",)),)
    assert list_offered_providers(driver) == []
    driver.market = replace_facts(driver.market, a_rated_provider("Birch"))
    assert len(list_event_types(driver.handle(ProjectionUpdated()))) == 3
    assert driver.current.status is SearchStatus.RUNNING


def test_if_all_are_passed_over_the_next_stage_begins_in_the_same_step() -> None:
    driver = ask_all(*(a_rated_provider(name, embargoed=True) for name in RATES))
    assert set(find_passed_over(driver).values()) == {(PassOverReason.EMBARGOED,)}
    assert (driver.live_offer.stage, driver.live_offer.made_at) == ("tier-2", on_monday("09:00"))


def test_the_next_step_names_the_deadline_and_the_calls_to_make() -> None:
    driver = ask_all(a_rated_provider("Birch", channels=(Channel.PHONE,)))
    step = find_next_step(driver.current, driver.market.definition, now=driver.at)
    assert (step.kind, step.at, step.waits_for_officer) == (NextStepKind.CALL_NEEDED, on_monday("11:00"), True)
    assert step.text == "answers of 3 providers due by 11:00; waits for an officer: telephone 1 of them"
    driver.decline("Birch")
    step = find_next_step(driver.current, driver.market.definition, now=driver.at)
    assert (step.kind, step.text) == (NextStepKind.ANSWER_DUE, "answers of 2 providers due by 11:00")
