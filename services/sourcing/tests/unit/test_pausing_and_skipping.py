"""Officers pause and resume a search, and skip providers of the current stage."""

from dataclasses import replace

import pytest

from contracts.errors import InvalidInput
from contracts.events.offers import OfferDeclined, OfferExpired, OfferMade
from contracts.events.officer_acts import ProviderSkipped, SearchPaused, SearchResumed
from contracts.events.searches import PackagePlaced, SourcingExhausted
from contracts.example_words import OfficerReasons, Tiers
from contracts.ids import ReasonKey
from sourcing.domain.errors import ActNotPossible, PackageNotOpen, ProviderBarred
from sourcing.domain.explanation import explain_stages
from sourcing.domain.next_step import find_next_step
from sourcing.domain.next_steps import NextStepKind
from sourcing.domain.officers.allowed_acts import Act
from sourcing.domain.officers.commands import PauseSearch, SkipProvider
from sourcing.domain.search import SearchStatus
from sourcing.domain.steps import TimerKind
from sourcing.domain.triggers import ProjectionUpdated
from sourcing.domain.work_items import HeldSearch, PausedSearch, find_work_items
from testkit.sourcing.acting_officer import FIRST, ActingOfficer
from testkit.sourcing.builders import (
    PACKAGE,
    a_known_provider,
    a_market,
    a_withdrawal,
    on_monday,
    on_tuesday,
    replace_facts,
    to_provider_id,
)
from testkit.sourcing.definitions import a_definition, a_stage_for_all
from testkit.sourcing.search_driver import SearchDriver, a_search, an_open_package
from testkit.sourcing.step_events import list_event_types


def test_a_paused_search_makes_no_offer_after_a_decline_and_goes_on_from_there_when_it_is_resumed() -> None:
    driver = a_search("Alder", "Birch", "Cedar")
    officer = ActingOfficer(driver)
    assert list_event_types(officer.pause(at=on_monday("09:10:00"))) == [SearchPaused]
    assert list_event_types(driver.decline("Alder", at=on_monday("09:15:00"))) == [OfferDeclined]
    assert driver.current.live_offers == ()
    assert driver.timers == {}
    assert find_work_items(driver.current) == (PausedSearch(),)
    assert list_event_types(officer.resume(at=on_monday("11:00:00"))) == [SearchResumed, OfferMade]
    assert (driver.live_offer.provider_id, driver.live_offer.made_at) == (to_provider_id("Birch"), on_monday("11:00"))


def test_the_clock_of_a_live_offer_runs_while_the_search_is_paused() -> None:
    driver = a_search("Alder", "Birch")
    ActingOfficer(driver).pause(at=on_monday("09:10"))
    ends = driver.live_offer.answer_by
    assert driver.find_timer(TimerKind.OFFER_EXPIRES).at == ends == on_monday("09:30")
    assert list_event_types(driver.fire_timer(TimerKind.OFFER_EXPIRES)) == [OfferExpired]
    assert driver.current.live_offers == ()


def test_an_acceptance_places_the_package_of_a_paused_search_and_ends_the_pause() -> None:
    driver = a_search("Alder", "Birch")
    ActingOfficer(driver).pause()
    step = driver.accept("Alder", at=on_monday("09:29:59"))
    assert list_event_types(step)[-1] is PackagePlaced
    assert not driver.current.acts.is_paused
    assert find_work_items(driver.current) == ()


def test_where_all_are_asked_the_package_is_placed_when_all_have_answered_also_while_the_search_is_paused() -> None:
    definition = a_definition(*Tiers.ALL, sourcing=(a_stage_for_all(),))
    driver = SearchDriver(a_market("Alder", "Birch", definition=definition)).request()
    ActingOfficer(driver).pause()
    driver.accept("Alder")
    assert driver.current.status is SearchStatus.RUNNING
    driver.decline("Birch")
    assert driver.current.status is SearchStatus.PLACED


def test_where_nobody_that_accepted_is_eligible_any_more_a_paused_search_waits_for_the_officer() -> None:
    definition = a_definition(*Tiers.ALL, sourcing=(a_stage_for_all(), a_stage_for_all(Tiers.TWO, stage="others")))
    driver = SearchDriver(a_market("Alder", definition=definition)).request()
    ActingOfficer(driver).pause()
    driver.market = replace_facts(driver.market, a_known_provider("Alder", embargoed=True))
    driver.accept("Alder")
    assert (driver.current.status, driver.timers) == (SearchStatus.RUNNING, {})
    assert find_work_items(driver.current) == (PausedSearch(),)


def test_a_held_search_that_is_paused_waits_for_both() -> None:
    driver = SearchDriver(replace(a_market("Alder"), ranked_lists={})).request()
    ActingOfficer(driver).pause()
    assert [type(item) for item in find_work_items(driver.current)] == [HeldSearch, PausedSearch]
    driver.market = a_market("Alder")
    assert driver.handle(ProjectionUpdated()).events == ()
    assert list_event_types(ActingOfficer(driver).resume())[-1] is OfferMade


def test_a_search_that_is_resumed_outside_brokerage_time_waits_for_the_opening() -> None:
    driver = SearchDriver(a_market("Alder"), at=on_monday("18:00")).request()
    officer = ActingOfficer(driver)
    officer.pause()
    assert driver.timers == {}
    assert list_event_types(officer.resume(at=on_monday("19:00"))) == [SearchResumed]
    assert driver.find_timer(TimerKind.NEXT_OFFER_DUE).at == on_tuesday("08:30")


def test_pausing_twice_and_resuming_twice_is_on_record_once() -> None:
    driver = a_search("Alder")
    officer = ActingOfficer(driver)
    officer.pause()
    assert officer.second.pause().events == ()
    officer.resume()
    assert officer.resume().events == ()


def test_the_next_step_of_a_paused_search_is_the_officers() -> None:
    driver = a_search("Alder", "Birch")
    ActingOfficer(driver).pause()
    definition = driver.market.definition
    assert find_next_step(driver.current, definition, now=driver.at).kind is NextStepKind.ANSWER_DUE
    driver.decline("Alder")
    step = find_next_step(driver.current, definition, now=driver.at)
    assert (step.kind, step.waits_for_officer) == (NextStepKind.PAUSED, True)


def test_only_a_search_that_is_under_way_can_be_paused() -> None:
    listed = an_open_package()
    with pytest.raises(ActNotPossible, match="is listed; only a search that is under way"):
        ActingOfficer(listed).pause()
    with pytest.raises(ActNotPossible, match="nothing to resume"):
        ActingOfficer(listed).resume()
    withdrawn = a_search("Alder")
    ActingOfficer(withdrawn).pause()
    withdrawn.handle(a_withdrawal())
    assert withdrawn.current.status is SearchStatus.STOPPED
    with pytest.raises(ActNotPossible, match="is stopped"):
        ActingOfficer(withdrawn).pause()


def test_an_act_on_a_package_that_was_never_requested_is_refused() -> None:
    with pytest.raises(PackageNotOpen):
        ActingOfficer(SearchDriver(a_market("Alder"))).pause()


def test_a_reason_that_the_framework_does_not_declare_is_refused_with_those_that_it_does() -> None:
    driver = a_search("Alder")
    with pytest.raises(InvalidInput) as refused:
        driver.handle(PauseSearch(PACKAGE, FIRST, ReasonKey("just-because")))
    assert OfficerReasons.WAITS_FOR_INFORMATION in refused.value.fields[0].detail


def test_a_framework_without_officers_reasons_takes_any_key() -> None:
    definition = a_definition()
    reasons = definition.reasons.model_copy(update={"officer": ()})
    driver = a_search("Alder")
    driver.market = replace(driver.market, definition=definition.model_copy(update={"reasons": reasons}))
    assert list_event_types(driver.handle(PauseSearch(PACKAGE, FIRST, ReasonKey("just-because")))) == [SearchPaused]


def test_the_provider_whose_turn_it_is_is_skipped_and_the_next_one_gets_the_offer_in_the_same_step() -> None:
    driver = SearchDriver(a_market("Alder", "Birch"), at=on_monday("18:00")).request()
    step = ActingOfficer(driver).skip(at=on_monday("18:05"))
    assert list_event_types(step) == [ProviderSkipped]
    driver.fire_timer(TimerKind.NEXT_OFFER_DUE)
    assert driver.live_offer.provider_id == to_provider_id("Birch")


def test_a_named_provider_is_skipped_while_another_has_a_live_offer() -> None:
    driver = a_search("Alder", "Birch", "Cedar")
    officer = ActingOfficer(driver)
    assert list_event_types(officer.skip("Birch")) == [ProviderSkipped]
    assert officer.skip("Birch").events == ()
    driver.decline("Alder")
    assert driver.live_offer.provider_id == to_provider_id("Cedar")


def test_why_a_skipped_provider_was_not_asked_is_told_with_the_officers_reason() -> None:
    driver = a_search("Alder", "Birch")
    ActingOfficer(driver).skip("Birch")
    (stage,) = explain_stages(driver.events)
    turn = next(turn for turn in stage.turns if turn.provider_id == to_provider_id("Birch"))
    assert (turn.outcome, turn.reasons) == (
        "skipped by an officer",
        (OfficerReasons.KNOWN_NOT_TO_HAVE_CAPACITY,),
    )


def test_a_search_whose_last_provider_is_skipped_goes_on_to_the_next_stage() -> None:
    driver = a_search("Alder", "Birch")
    ActingOfficer(driver).skip("Birch")
    step = driver.decline("Alder")
    assert list_event_types(step) == [OfferDeclined]
    assert isinstance(driver.events[-1], SourcingExhausted)
    assert driver.current.status is SearchStatus.EXHAUSTED


def test_a_provider_that_has_been_asked_or_is_no_candidate_cannot_be_skipped() -> None:
    driver = a_search("Alder", "Birch")
    officer = ActingOfficer(driver)
    for name in ("Alder", "Spruce"):
        with pytest.raises(ProviderBarred, match="choose one whose turn is still to come"):
            officer.skip(name)
    officer.skip("Birch")
    with pytest.raises(ActNotPossible, match="wait for the next stage"):
        driver.handle(SkipProvider(PACKAGE, FIRST, OfficerReasons.OTHER))
    assert Act.SKIP not in officer.list_acts()
