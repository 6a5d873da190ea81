"""Properties of a search in which officers act by their own hand, for any order of acts, answers and timers."""

from typing import Final

from hypothesis import given, settings

from contracts.catalogue import decode, encode
from contracts.events.offers import OfferMade
from contracts.events.officer_acts import OfferDirected, OfficerActApproved, PackageResourced, PlacedByHand
from contracts.events.searches import PackagePlaced, PlacementVoided, SourcingExhausted, SourcingStopped
from contracts.example_words import OfficerReasons
from contracts.office_time import to_office_date
from sourcing.domain.decisions import decide
from sourcing.domain.errors import ActNotPossible
from sourcing.domain.evolution import replay_search
from sourcing.domain.officers.allowed_acts import Act, AllowedAct, find_allowed_acts
from sourcing.domain.officers.commands import (
    ApproveAct,
    AssignOfficer,
    DirectOffer,
    MakeCounterOffer,
    OfficerCommand,
    OverrideSuspension,
    PauseSearch,
    PlaceByHand,
    RefuseAct,
    ResourcePackage,
    ResumeSearch,
    SkipProvider,
    TakeUpTick,
    WithdrawAward,
)
from sourcing.domain.replay import replay_package
from sourcing.handlers import RUNTIME_TIMERS
from testkit.sourcing.builders import PACKAGE, build_id_counter
from testkit.sourcing.officer_moves import OFFICER_MOVES
from testkit.sourcing.recorded_search import RecordingDriver
from testkit.sourcing.search_driver import SearchDriver
from testkit.sourcing.strategies import REFUSALS, draw_officers_search, draw_recorded_officers_search

SOME: Final = settings(max_examples=40, deadline=None)
ACTS: Final[dict[type[OfficerCommand], Act]] = {
    PauseSearch: Act.PAUSE,
    ResumeSearch: Act.RESUME,
    SkipProvider: Act.SKIP,
    DirectOffer: Act.OFFER,
    TakeUpTick: Act.TAKE_UP_TICK,
    OverrideSuspension: Act.OVERRIDE_SUSPENSION,
    PlaceByHand: Act.PLACE,
    ApproveAct: Act.APPROVE,
    RefuseAct: Act.REFUSE,
    ResourcePackage: Act.RESOURCE,
    WithdrawAward: Act.WITHDRAW_AWARD,
    AssignOfficer: Act.ASSIGN,
    MakeCounterOffer: Act.COUNTER,
}


@SOME
@given(draw_officers_search())
def test_the_record_alone_gives_the_state_of_the_search(driver: SearchDriver) -> None:
    assert replay_search((decode(type(event), encode(event)), at) for event, at in driver.journal) == driver.state


@SOME
@given(draw_recorded_officers_search())
def test_every_decision_is_the_same_when_it_is_made_again(driver: RecordingDriver) -> None:
    replayed = replay_package(driver.record, driver.past.market, runtime_timers=RUNTIME_TIMERS)
    assert [(each.decision, each.differences) for each in replayed if not each.is_same] == []


@SOME
@given(draw_officers_search())
def test_an_act_is_refused_because_of_the_state_only_if_it_is_not_among_the_allowed_ones(driver: SearchDriver) -> None:
    """An act that is not allowed is refused, or it is the repetition of one and changes nothing."""
    allowed = find_allowed_acts(driver.current, today=to_office_date(driver.at))
    for move in OFFICER_MOVES:
        for pick in range(12):
            command = move(driver, pick)
            act = ACTS.get(type(command))
            if act is not None:
                assert_agrees(driver, command, is_allowed=is_among(allowed, act, command))


def is_among(allowed: tuple[AllowedAct, ...], act: Act, command: OfficerCommand) -> bool:
    if isinstance(command, ApproveAct | RefuseAct):
        return any((each.act, each.about) == (act, command.act_id) for each in allowed)
    if isinstance(command, WithdrawAward):
        return any((each.act, each.about) == (act, command.award_id) for each in allowed)
    return any(each.act is act for each in allowed)


def assert_agrees(driver: SearchDriver, command: OfficerCommand, *, is_allowed: bool) -> None:
    try:
        step = decide(driver.current, command, market=driver.market, at=driver.at, new_id=build_id_counter())
    except ActNotPossible:
        # A counter-offer to a proposal whose award waits is refused for the proposal's sake.
        assert not is_allowed or isinstance(command, MakeCounterOffer)
    except REFUSALS:
        pass  # for the sake of the provider, the officer or the words
    else:
        assert is_allowed or step.events == ()


@SOME
@given(draw_officers_search())
def test_a_package_has_one_placement_at_a_time_and_one_outcome_after_each_sourcing(driver: SearchDriver) -> None:
    standing, ends = 0, 0
    for event in driver.events:
        if isinstance(event, PackagePlaced):
            standing += 1
        if isinstance(event, PlacementVoided):
            standing -= 1
        if isinstance(event, PackageResourced):
            ends = 0
        ends += isinstance(event, SourcingStopped)
        assert standing in {0, 1}
        assert ends <= 1
    assert sum(isinstance(event, SourcingExhausted) for event in driver.events) <= 1 + count_acts(driver)


def count_acts(driver: SearchDriver) -> int:
    """How often officers gave the search a further turn: by sourcing it again, or by an offer out of order."""
    return sum(
        isinstance(event, PackageResourced) or (isinstance(event, OfferMade) and event.act_id is not None)
        for event in driver.events
    )


@SOME
@given(draw_officers_search())
def test_no_offer_out_of_order_is_made_and_no_dear_placement_recorded_by_one_officer(driver: SearchDriver) -> None:
    proposed: dict[object, str] = {}
    approved: dict[object, str] = {}
    for event in driver.events:
        if isinstance(event, OfferDirected):
            proposed[event.act_id] = event.officer
        if isinstance(event, OfficerActApproved):
            approved[event.act_id] = event.officer
        if isinstance(event, OfferMade) and event.act_id is not None:
            assert approved[event.act_id] != proposed[event.act_id]
        if isinstance(event, PlacedByHand):
            assert event.second_officer != event.officer
            assert event.terms.rate <= 29 or event.second_officer is not None


@SOME
@given(draw_officers_search())
def test_the_same_act_again_changes_nothing(driver: SearchDriver) -> None:
    for move in OFFICER_MOVES:
        command = move(driver, 3)
        if isinstance(command, PauseSearch | DirectOffer | PlaceByHand | AssignOfficer | ApproveAct | MakeCounterOffer):
            assert_repeats_quietly(driver, command)


def assert_repeats_quietly(driver: SearchDriver, command: OfficerCommand) -> None:
    try:
        first = decide(driver.current, command, market=driver.market, at=driver.at, new_id=build_id_counter())
        again = decide(first.search, command, market=driver.market, at=driver.at, new_id=build_id_counter())
    except REFUSALS:
        return
    assert first.search is not None
    assert first.search.package_id == PACKAGE
    assert again.events == ()


def test_every_reason_of_the_examples_is_declared_once() -> None:
    assert len(set(OfficerReasons.ALL)) == len(OfficerReasons.ALL)
