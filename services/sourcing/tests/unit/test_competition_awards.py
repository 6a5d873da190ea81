"""Awards to a bid: by one officer, by two, overruled, refused, and too late."""

from decimal import Decimal

import pytest

from contracts.errors import InvalidInput
from contracts.events.competitions import (
    CompetitionAwarded,
    CompetitionRanked,
    FeedbackAvailable,
    ScoreGiven,
)
from contracts.events.listings import (
    AwardAwaitsApproval,
    AwardEnd,
    AwardLapsed,
    AwardRefusal,
    AwardRefused,
    SecondOfficerNeeded,
)
from contracts.events.searches import PackagePlaced
from contracts.example_words import Criteria, InadequateReasons, OverruleReasons
from contracts.framework.stages import SecondOfficer
from contracts.ids import AwardId, ReasonKey
from contracts.values import Rating
from sourcing.domain.competitions.errors import ResultNotKnown
from sourcing.domain.competitions.outcomes import BidAwaitsApproval
from sourcing.domain.next_step import find_next_step
from sourcing.domain.next_steps import NextStepKind
from sourcing.domain.search import SearchStatus
from sourcing.domain.steps import AwardBarred, Placed, Step
from sourcing.domain.work_items import AwardToApprove, find_work_items
from testkit.sourcing.builders import a_known_provider, on_monday, replace_facts, to_provider_id
from testkit.sourcing.competitions import (
    NOTE,
    a_scored_desk,
    open_desk,
)
from testkit.sourcing.step_events import list_event_types

TWO_BIDS = {"Alder": ("24.00", 4, 5), "Birch": ("20.00", 3, 3)}


def find_refusal(step: Step) -> AwardRefused:
    refused = step.events[-1]
    assert isinstance(refused, AwardRefused)
    return refused


def test_an_officer_confirms_the_first_and_the_package_is_placed_with_its_bid() -> None:
    desk = a_scored_desk(TWO_BIDS)
    step = desk.award("Alder")
    assert list_event_types(step) == [CompetitionAwarded, PackagePlaced, FeedbackAvailable]
    assert isinstance(step.outcome, Placed)
    awarded, placed, feedback = step.events
    assert isinstance(awarded, CompetitionAwarded)
    assert isinstance(placed, PackagePlaced)
    assert isinstance(feedback, FeedbackAvailable)
    assert (awarded.officer, awarded.second_officer, awarded.overrule_reason) == ("officer:first", None, None)
    assert (placed.bid_id, placed.offer_id, placed.proposal_id) == (desk.find_bid("Alder").bid_id, None, None)
    assert (placed.terms.rate, placed.stage) == (Decimal("24.00"), "bids")
    assert feedback.provider_id == to_provider_id("Birch")
    assert desk.driver.current.status is SearchStatus.PLACED
    assert desk.driver.timers == {}


def test_the_same_award_again_has_the_same_outcome() -> None:
    desk = a_scored_desk(TWO_BIDS)
    first = desk.award("Alder")
    again = desk.award("Alder", officer="officer:other")
    assert (again.events, again.outcome) == ((), first.outcome)


def test_an_award_before_all_scores_are_in_is_refused() -> None:
    desk = open_desk("Alder", "Birch")
    desk.bid("Alder", "24.00")
    desk.bid("Birch", "24.00")
    desk.close()
    desk.score("Alder", Criteria.SKILLS, 3)
    with pytest.raises(ResultNotKnown, match="3 scores are missing"):
        desk.award("Alder")


def test_another_bid_than_the_first_needs_a_reason_and_a_note() -> None:
    desk = a_scored_desk(TWO_BIDS)
    for reason, note, pointer in (
        (None, NOTE, "#/overrule_reason"),
        (OverruleReasons.CONTINUITY, None, "#/note"),
        (ReasonKey("because"), NOTE, "#/overrule_reason"),
    ):
        with pytest.raises(InvalidInput) as refused:
            desk.award("Birch", overrule_reason=reason, note_id=note)
        assert refused.value.fields[0].pointer == pointer
    with pytest.raises(InvalidInput):
        desk.award("Alder", overrule_reason=OverruleReasons.CONTINUITY)


def test_an_overruled_result_waits_for_a_second_officer() -> None:
    desk = a_scored_desk(TWO_BIDS)
    step = desk.award("Birch", overrule_reason=OverruleReasons.CONTINUITY, note_id=NOTE)
    (waits,) = step.events
    assert isinstance(waits, AwardAwaitsApproval)
    assert isinstance(step.outcome, BidAwaitsApproval)
    assert waits.because == (SecondOfficerNeeded.OVERRULED,)
    assert (waits.overrule_reason, waits.note_id) == (OverruleReasons.CONTINUITY, NOTE)
    (item,) = find_work_items(desk.driver.current)
    assert isinstance(item, AwardToApprove)
    found = find_next_step(desk.driver.current, desk.driver.market.definition, now=on_monday("13:10"))
    assert (found.kind, found.award_id) == (NextStepKind.APPROVAL_NEEDED, waits.award_id)
    approved = desk.approve()
    assert list_event_types(approved) == [CompetitionAwarded, PackagePlaced, FeedbackAvailable]
    awarded = approved.events[0]
    assert isinstance(awarded, CompetitionAwarded)
    assert (awarded.second_officer, awarded.overrule_reason) == ("officer:second", OverruleReasons.CONTINUITY)


def test_the_same_officer_twice_is_refused_and_the_ranking_stays() -> None:
    desk = a_scored_desk(TWO_BIDS)
    desk.award("Birch", overrule_reason=OverruleReasons.CONTINUITY, note_id=NOTE)
    step = desk.approve(officer="officer:first")
    assert find_refusal(step).reasons == (AwardRefusal.SAME_OFFICER,)
    assert desk.competition.award is None
    assert isinstance(desk.award("Alder").outcome, Placed)


def test_above_the_ceiling_a_second_officer_approves_and_at_the_ceiling_one_is_enough() -> None:
    above = a_scored_desk({"Alder": ("29.01", 5, 5)})
    (waits,) = above.award("Alder").events
    assert isinstance(waits, AwardAwaitsApproval)
    assert (waits.because, waits.ceiling) == ((SecondOfficerNeeded.ABOVE_CEILING,), Decimal("29.00"))
    assert PackagePlaced in list_event_types(above.approve())
    at_ceiling = a_scored_desk({"Alder": ("29.00", 5, 5)})
    assert isinstance(at_ceiling.award("Alder").outcome, Placed)


def test_a_definition_can_ask_for_a_second_officer_always() -> None:
    desk = a_scored_desk({"Alder": ("24.00", 5, 5)}, second_officer=SecondOfficer.ALWAYS)
    (waits,) = desk.award("Alder").events
    assert isinstance(waits, AwardAwaitsApproval)
    assert waits.because == (SecondOfficerNeeded.ALWAYS,)


def test_a_second_officer_refuses_and_the_first_awards_otherwise() -> None:
    desk = a_scored_desk({"Alder": ("35.00", 5, 5), "Birch": ("28.00", 1, 1)})
    desk.award("Alder")
    (lapsed,) = desk.refuse().events
    assert isinstance(lapsed, AwardLapsed)
    assert lapsed.reason is AwardEnd.PRICE_REFUSED
    assert desk.driver.current.status is SearchStatus.COMPETING


def test_while_an_award_waits_another_is_refused_on_record() -> None:
    desk = a_scored_desk({"Alder": ("35.00", 5, 5), "Birch": ("28.00", 1, 1)})
    desk.award("Alder")
    step = desk.award("Birch", overrule_reason=OverruleReasons.CONTINUITY, note_id=NOTE)
    assert find_refusal(step).reasons == (AwardRefusal.ANOTHER_WAITS,)
    assert desk.competition.award is not None


def test_a_changed_score_ends_the_award_that_waits() -> None:
    desk = a_scored_desk({"Alder": ("35.00", 5, 5), "Birch": ("28.00", 1, 1)})
    desk.award("Alder")
    pending = desk.competition.award
    assert pending is not None
    step = desk.score("Alder", Criteria.SKILLS, 0)
    assert list_event_types(step) == [AwardLapsed, ScoreGiven, CompetitionRanked]
    assert desk.approve(award_id=pending.award_id).events == ()


def test_an_approval_of_an_unknown_award_changes_nothing() -> None:
    desk = a_scored_desk({"Alder": ("24.00", 5, 5)})
    assert desk.approve(award_id=AwardId(to_provider_id("nothing"))).events == ()


def test_an_embargo_between_bid_and_award_bars_the_award() -> None:
    desk = a_scored_desk(TWO_BIDS)
    desk.driver.market = replace_facts(desk.driver.market, a_known_provider("Alder", embargoed=True))
    step = desk.award("Alder")
    assert find_refusal(step).reasons == (AwardRefusal.EMBARGOED,)
    assert isinstance(step.outcome, AwardBarred)
    assert desk.driver.current.status is SearchStatus.COMPETING


def test_an_embargo_between_award_and_approval_bars_the_placement() -> None:
    desk = a_scored_desk({"Alder": ("35.00", 5, 5)})
    desk.award("Alder")
    desk.driver.market = replace_facts(desk.driver.market, a_known_provider("Alder", embargoed=True))
    assert find_refusal(desk.approve()).reasons == (AwardRefusal.EMBARGOED,)


def test_a_rating_bars_nobody_but_inadequate_needs_the_officers_reason() -> None:
    desk = a_scored_desk({"Alder": ("24.00", 5, 5)})
    inadequate = a_known_provider("Alder", rating=Rating.INADEQUATE)
    desk.driver.market = replace_facts(desk.driver.market, inadequate)
    with pytest.raises(InvalidInput) as refused:
        desk.award("Alder")
    assert refused.value.fields[0].pointer == "#/inadequate_reason"
    step = desk.award("Alder", inadequate_reason=InadequateReasons.CONTINUITY)
    assert isinstance(step.outcome, Placed)


def test_rated_inadequate_since_the_award_the_approval_is_refused_without_a_reason() -> None:
    desk = a_scored_desk({"Alder": ("35.00", 5, 5)})
    desk.award("Alder")
    desk.driver.market = replace_facts(desk.driver.market, a_known_provider("Alder", rating=Rating.INADEQUATE))
    assert find_refusal(desk.approve()).reasons == (AwardRefusal.INADEQUATE_WITHOUT_REASON,)
