"""How competitions end: no suitable bid, an officer, the council, and what follows."""

from decimal import Decimal

import pytest

from contracts.errors import InvalidInput
from contracts.events.competitions import (
    CompetitionEnd,
    CompetitionEnded,
    CompetitionOpened,
    FeedbackAvailable,
)
from contracts.events.listings import (
    AwardEnd,
    AwardLapsed,
    AwardRefusal,
    AwardRefused,
)
from contracts.events.offers import OfferMade
from contracts.events.searches import PlacementVoided, SourcingExhausted, SourcingStopped
from contracts.example_words import Criteria, OverruleReasons
from contracts.framework.stages import Exhausted
from contracts.ids import ReasonKey
from sourcing.domain.competitions.competition import CompetitionStatus
from sourcing.domain.competitions.errors import BidNotSuitable, CompetitionOver
from sourcing.domain.competitions.outcomes import CompetitionIsOver
from sourcing.domain.competitions.work_items import ResultToConfirm
from sourcing.domain.search import SearchStatus
from sourcing.domain.steps import Step, TimerKind
from sourcing.domain.work_items import find_work_items
from testkit.sourcing.builders import a_withdrawal, to_provider_id
from testkit.sourcing.competitions import (
    NOTE,
    CompetitionDesk,
    a_competition,
    a_competition_desk,
    a_scored_desk,
    name_the_price,
    open_desk,
    some_ceilings,
)
from testkit.sourcing.step_events import list_event_types

TWO_BIDS = {"Alder": ("24.00", 4, 5), "Birch": ("20.00", 3, 3)}


def list_order(desk: CompetitionDesk) -> list[object]:
    return [each.provider_id for each in desk.competition.ranking]


def find_refusal(step: Step) -> AwardRefused:
    refused = step.events[-1]
    assert isinstance(refused, AwardRefused)
    return refused


def test_a_bid_below_the_pass_mark_comes_last_and_cannot_be_awarded() -> None:
    desk = a_scored_desk({"Alder": ("20.00", 5, 1), "Birch": ("28.00", 2, 2)}, pass_mark=2)
    assert list_order(desk) == [to_provider_id("Birch"), to_provider_id("Alder")]
    assert desk.competition.ranking[0].price == Decimal("30.00")
    with pytest.raises(BidNotSuitable):
        desk.award("Alder", overrule_reason=OverruleReasons.CONTINUITY, note_id=NOTE)


def test_an_officer_confirms_that_no_bid_is_suitable_and_the_next_stage_follows() -> None:
    desk = a_scored_desk({"Alder": ("20.00", 5, 1)}, pass_mark=2)
    assert find_work_items(desk.driver.current) == (ResultToConfirm(desk.competition.competition_id, None),)
    step = desk.award(None)
    assert list_event_types(step) == [CompetitionEnded, FeedbackAvailable]
    assert step.outcome == CompetitionIsOver()
    assert desk.competition.end is CompetitionEnd.NONE_SUITABLE
    assert isinstance(desk.driver.events[-1], OfferMade)
    assert desk.award(None).events == ()


def test_none_suitable_is_not_confirmed_while_a_bid_is() -> None:
    desk = a_scored_desk(TWO_BIDS)
    with pytest.raises(InvalidInput):
        desk.award(None)


def test_where_the_stage_ends_the_road_an_officer_acts_when_nothing_is_suitable() -> None:
    desk = open_desk("Alder", competition=name_the_price(exhausted=Exhausted.STOP))
    desk.close()
    assert isinstance(desk.driver.events[-1], SourcingExhausted)


def test_an_officer_ends_a_competition_early_and_the_next_stage_follows() -> None:
    desk = open_desk("Alder")
    desk.bid("Alder", "24.00")
    step = desk.end()
    assert list_event_types(step) == [CompetitionEnded]
    assert desk.competition.end is CompetitionEnd.ENDED_BY_OFFICER
    assert TimerKind.COMPETITION_CLOSES not in {kind for kind, _ in desk.driver.timers}
    assert isinstance(desk.driver.events[-1], OfferMade)
    with pytest.raises(CompetitionOver):
        desk.end()


def test_a_competition_that_runs_again_is_a_new_one_without_the_old_bids() -> None:
    desk = open_desk("Alder")
    desk.bid("Alder", "24.00")
    first = desk.competition.competition_id
    desk.end(runs_again=True)
    assert isinstance(desk.driver.events[-1], CompetitionOpened)
    assert desk.competition.competition_id != first
    assert (desk.competition.bids, desk.competition.status) == ((), CompetitionStatus.OPEN)
    timer = desk.driver.find_timer(TimerKind.COMPETITION_CLOSES)
    assert timer.about == str(desk.competition.competition_id)
    desk.close()
    assert isinstance(desk.driver.events[-1], OfferMade)


def test_ended_with_an_award_that_waits_both_end() -> None:
    desk = a_scored_desk({"Alder": ("35.00", 5, 5)})
    desk.award("Alder")
    step = desk.end()
    lapsed, ended = step.events
    assert isinstance(lapsed, AwardLapsed)
    assert lapsed.reason is AwardEnd.COMPETITION_ENDED
    assert isinstance(ended, CompetitionEnded)


def test_a_reason_to_end_early_is_one_of_the_frameworks() -> None:
    desk = open_desk("Alder")
    with pytest.raises(InvalidInput):
        desk.end(reason=ReasonKey("because"))


def test_a_withdrawal_while_bids_are_taken_ends_the_competition_and_the_search() -> None:
    desk = open_desk("Alder")
    desk.bid("Alder", "24.00")
    step = desk.driver.handle(a_withdrawal())
    assert list_event_types(step) == [CompetitionEnded, SourcingStopped]
    assert desk.competition.end is CompetitionEnd.PACKAGE_WITHDRAWN
    assert desk.driver.current.status is SearchStatus.STOPPED
    assert desk.driver.timers == {}


def test_a_withdrawal_while_an_award_waits_ends_the_award_too() -> None:
    desk = a_scored_desk({"Alder": ("35.00", 5, 5)})
    desk.award("Alder")
    step = desk.driver.handle(a_withdrawal())
    assert list_event_types(step) == [AwardLapsed, CompetitionEnded, SourcingStopped]


def test_a_withdrawal_after_the_award_voids_the_placement() -> None:
    desk = a_scored_desk({"Alder": ("24.00", 5, 5)})
    desk.award("Alder")
    assert list_event_types(desk.driver.handle(a_withdrawal())) == [PlacementVoided]


def test_an_award_after_the_end_is_refused_on_record() -> None:
    desk = a_scored_desk(TWO_BIDS)
    desk.driver.handle(a_withdrawal())
    step = desk.award("Alder")
    assert find_refusal(step).reasons == (AwardRefusal.NO_LONGER_OPEN,)


def test_a_score_after_the_award_is_refused() -> None:
    desk = a_scored_desk(TWO_BIDS)
    desk.award("Alder")
    with pytest.raises(CompetitionOver):
        desk.score("Birch", Criteria.SKILLS, 5)


def test_a_low_ceiling_makes_the_lowest_price_unsuitable() -> None:
    desk = a_competition_desk("Alder", competition=name_the_price(ceilings=some_ceilings("25.00")))
    desk.driver.request()
    desk.bid("Alder", "25.01")
    desk.close()
    assert desk.competition.end is CompetitionEnd.NONE_SUITABLE
    assert a_competition().lowest_price is False
