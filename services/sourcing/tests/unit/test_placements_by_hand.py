"""Placements that officers record by hand: one officer up to the ceiling, a second one above it."""

from dataclasses import replace
from decimal import Decimal

import pytest

from contracts.errors import InvalidInput
from contracts.events.offers import LateAnswerRefused, OfferWithdrawn
from contracts.events.officer_acts import ActEnd, OfficerActEnded, PlacedByHand, PlacementByHandProposed
from contracts.events.reasons import LateReason, OfferEnd
from contracts.events.searches import PackagePlaced
from contracts.example_words import InadequateReasons, ServiceTypes, Units
from contracts.framework.prices import MatrixLine, RatesSetBy
from contracts.framework.stages import SecondOfficer
from contracts.ids import ActId
from contracts.values import PassOverReason, Rating
from sourcing.domain.errors import ActNotPossible, ProviderBarred, SameOfficer
from sourcing.domain.explanation import explain_stages
from sourcing.domain.officers.allowed_acts import Act
from sourcing.domain.search import Placement, SearchStatus
from sourcing.domain.steps import ActEnded, ActWaits, AnswerNotUsed, Placed
from sourcing.domain.work_items import ActToApprove, find_work_items
from testkit.sourcing.acting_officer import ActingOfficer
from testkit.sourcing.builders import a_known_provider, a_market, on_monday, replace_facts, to_provider_id
from testkit.sourcing.definitions import a_definition, an_open_list, some_hourly_prices
from testkit.sourcing.search_driver import SearchDriver, a_search, an_open_package
from testkit.sourcing.step_events import list_event_types

SPRUCE = a_known_provider("Spruce", tiers=(), spot=True)


def with_spruce(driver: SearchDriver) -> ActingOfficer:
    driver.market = replace_facts(driver.market, SPRUCE)
    return ActingOfficer(driver)


def test_a_placement_by_hand_withdraws_the_live_offer_and_its_answer_is_late() -> None:
    driver = a_search("Alder", "Birch")
    step = with_spruce(driver).place("Spruce", "25.00", at=on_monday("09:12:30"))
    assert list_event_types(step) == [PlacedByHand, OfferWithdrawn, PackagePlaced]
    recorded, withdrawn, placed = step.events
    assert isinstance(recorded, PlacedByHand)
    assert (recorded.officer, recorded.second_officer) == ("officer:first", None)
    assert isinstance(withdrawn, OfferWithdrawn)
    assert withdrawn.reason is OfferEnd.PLACED_OTHERWISE
    assert isinstance(placed, PackagePlaced)
    assert (placed.offer_id, placed.proposal_id, placed.manual_id) == (None, None, recorded.act_id)
    assert (placed.terms.rate, placed.terms.weekly_cost, placed.stage) == (
        Decimal("25.00"),
        Decimal("250.00"),
        "by-hand",
    )
    assert driver.timers == {}
    late = driver.accept("Alder")
    assert list_event_types(late) == [LateAnswerRefused]
    assert late.outcome == AnswerNotUsed(LateReason.PLACED_OTHERWISE)


def test_it_is_possible_exhausted_listed_paused_and_held() -> None:
    exhausted = a_search("Alder")
    exhausted.decline("Alder")
    assert exhausted.current.status is SearchStatus.EXHAUSTED
    listed = an_open_package()
    paused = a_search("Alder")
    ActingOfficer(paused).pause()
    held = a_search("Alder")
    held.market = replace(held.market, ranked_lists={})
    for driver in (exhausted, listed, paused, held):
        assert isinstance(with_spruce(driver).place("Spruce", "25.00").outcome, Placed)
        assert driver.current.status is SearchStatus.PLACED


def test_at_the_highest_rate_of_the_matrix_one_officer_places_and_a_penny_above_a_second_one_approves() -> None:
    officer = with_spruce(a_search("Alder"))
    assert isinstance(officer.place("Spruce", "25.00").outcome, Placed)
    officer = with_spruce(a_search("Alder"))
    step = officer.place("Spruce", "25.01")
    assert list_event_types(step) == [PlacementByHandProposed]
    assert isinstance(step.outcome, ActWaits)
    assert [type(item) for item in find_work_items(officer.driver.current)] == [ActToApprove]
    with pytest.raises(SameOfficer):
        officer.approve()
    approved = officer.second.approve()
    assert list_event_types(approved) == [PlacedByHand, OfferWithdrawn, PackagePlaced]
    assert isinstance(approved.events[0], PlacedByHand)
    assert approved.events[0].second_officer == "officer:second"


def test_the_highest_of_several_rates_counts_and_the_open_lists_ceiling_counts_before_them() -> None:
    line = MatrixLine(
        service_type=ServiceTypes.PERSONAL_CARE,
        unit=Units.HOUR,
        rate=Decimal("22.00"),
        further_rates=(Decimal("26.00"), Decimal("24.00")),
    )
    prices = some_hourly_prices(ServiceTypes.PERSONAL_CARE, rates_set_by=RatesSetBy.FRAMEWORK, matrix=(line,))
    market = a_market(
        "Alder", overrides=[SPRUCE], definition=a_definition(service_types=(ServiceTypes.PERSONAL_CARE,), prices=prices)
    )
    officer = ActingOfficer(SearchDriver(market).request())
    assert isinstance(officer.place("Spruce", "26.01").outcome, ActWaits)
    assert isinstance(with_spruce(an_open_package()).place("Spruce", "29.00").outcome, Placed)
    assert isinstance(with_spruce(an_open_package()).place("Spruce", "29.01").outcome, ActWaits)


def test_where_every_award_needs_a_second_officer_a_placement_by_hand_does_too() -> None:
    driver = an_open_package(stage=an_open_list(second_officer=SecondOfficer.ALWAYS))
    assert isinstance(with_spruce(driver).place("Spruce", "20.00").outcome, ActWaits)


def test_an_acceptance_that_comes_before_the_second_officer_places_and_ends_the_act() -> None:
    driver = a_search("Alder")
    officer = with_spruce(driver)
    officer.place("Spruce", "31.00")
    step = driver.accept("Alder")
    assert OfficerActEnded in list_event_types(step)
    ended = next(event for event in step.events if isinstance(event, OfficerActEnded))
    assert (ended.reason, ended.officer) == (ActEnd.PLACED, None)
    assert driver.current.acts.placement is None


def test_the_same_placement_again_is_the_same_placement() -> None:
    driver = a_search("Alder")
    officer = with_spruce(driver)
    officer.place("Spruce", "31.00")
    act = officer.waiting_act
    assert officer.second.place("Spruce", "31.00").outcome == ActWaits(act)
    with pytest.raises(ActNotPossible, match="another placement by hand waits"):
        officer.place("Spruce", "30.00")
    officer.second.approve()
    assert isinstance(officer.place("Spruce", "31.00").outcome, Placed)
    assert isinstance(officer.second.approve(act).outcome, Placed)
    assert sum(isinstance(event, PackagePlaced) for event in driver.events) == 1


def test_an_embargo_and_the_persons_refusal_bar_it_also_at_the_second_officers_approval() -> None:
    driver = an_open_package(SPRUCE, refused=("Rowan",))
    driver.market = replace_facts(driver.market, a_known_provider("Rowan"), replace(SPRUCE, embargoed=True))
    officer = ActingOfficer(driver)
    for name, reason in (("Rowan", PassOverReason.REFUSED_BY_PERSON), ("Spruce", PassOverReason.EMBARGOED)):
        with pytest.raises(ProviderBarred, match=reason.value):
            officer.place(name, "25.00")
    driver.market = replace_facts(driver.market, SPRUCE)
    officer.place("Spruce", "31.00")
    driver.market = replace_facts(driver.market, replace(SPRUCE, embargoed=True))
    step = officer.second.approve()
    assert step.outcome == ActEnded(ActEnd.PROVIDER_NOT_ELIGIBLE, (PassOverReason.EMBARGOED,))
    assert list_event_types(step) == [OfficerActEnded]
    assert driver.current.status is SearchStatus.LISTED


def test_a_provider_rated_inadequate_needs_the_officers_reason() -> None:
    inadequate = a_known_provider("Spruce", tiers=(), spot=True, rating=Rating.INADEQUATE)
    driver = a_search("Alder")
    driver.market = replace_facts(driver.market, inadequate)
    officer = ActingOfficer(driver)
    with pytest.raises(InvalidInput, match="rated Inadequate"):
        officer.place("Spruce", "25.00")
    step = officer.place("Spruce", "25.00", inadequate_reason=InadequateReasons.NO_OTHER_PROPOSAL)
    assert isinstance(step.events[0], PlacedByHand)
    assert (step.events[0].rating, step.events[0].inadequate_reason) == (Rating.INADEQUATE, "no-other-proposal")


def test_a_provider_that_became_inadequate_since_is_not_placed_without_a_reason() -> None:
    driver = a_search("Alder")
    officer = with_spruce(driver)
    officer.place("Spruce", "31.00")
    driver.market = replace_facts(
        driver.market, a_known_provider("Spruce", tiers=(), spot=True, rating=Rating.INADEQUATE)
    )
    assert officer.second.approve().outcome == ActEnded(ActEnd.INADEQUATE_WITHOUT_REASON)
    assert driver.live_offer.provider_id == to_provider_id("Alder")


def test_the_answer_of_a_provider_with_a_live_offer_is_recorded_instead() -> None:
    with pytest.raises(ProviderBarred, match="record its answer instead"):
        ActingOfficer(a_search("Alder")).place("Alder", "25.00")


def test_a_placed_package_and_one_with_an_award_that_waits_are_refused_with_what_to_do() -> None:
    placed = a_search("Alder")
    placed.accept("Alder")
    with pytest.raises(ActNotPossible, match="source it again first"):
        with_spruce(placed).place("Spruce", "25.00")
    listed = an_open_package(SPRUCE)
    listed.propose("Spruce", "31.00")
    listed.award("Spruce")
    with pytest.raises(ActNotPossible, match="withdraw it, or wait"):
        ActingOfficer(listed).place("Spruce", "25.00")
    assert Act.PLACE not in ActingOfficer(listed).list_acts()


def test_a_placement_by_hand_is_told_in_the_explanation_of_its_stage() -> None:
    driver = a_search("Alder")
    with_spruce(driver).place("Spruce", "25.00")
    turns = {turn.provider_id: turn.outcome for turn in explain_stages(driver.events)[-1].turns}
    assert turns == {to_provider_id("Alder"): "offer withdrawn", to_provider_id("Spruce"): "placed"}


def test_a_placement_has_exactly_one_origin() -> None:
    driver = a_search("Alder")
    driver.accept("Alder")
    placement = driver.current.placement
    assert placement is not None
    for origins in ({"manual_id": ActId(placement.placement_id)}, {"offer_id": None}):
        with pytest.raises(ValueError, match="by an offer, proposal or bid, or by hand"):
            replace(placement, **origins)
    assert isinstance(placement, Placement)
