"""Scores of bids, and the ranking that follows from them: points, rounding, equal totals, changed scores."""

from decimal import Decimal

import pytest

from contracts.errors import InvalidInput
from contracts.events.competitions import (
    CompetitionRanked,
    ScoreGiven,
)
from contracts.example_words import Criteria, ScoreReasons
from contracts.ids import CriterionKey, ReasonKey
from sourcing.domain.competitions.errors import BidsSealed
from sourcing.domain.competitions.work_items import ResultToConfirm
from sourcing.domain.work_items import find_work_items
from testkit.sourcing.builders import to_provider_id
from testkit.sourcing.competitions import (
    NOTE,
    CompetitionDesk,
    a_scored_desk,
    name_the_price,
    open_desk,
)
from testkit.sourcing.step_events import list_event_types

TWO_BIDS = {"Alder": ("24.00", 4, 5), "Birch": ("20.00", 3, 3)}


def list_order(desk: CompetitionDesk) -> list[object]:
    return [each.provider_id for each in desk.competition.ranking]


def test_quality_and_price_are_weighed_and_rounded_half_up() -> None:
    desk = a_scored_desk(TWO_BIDS)
    alder, birch = desk.competition.ranking
    assert (alder.provider_id, birch.provider_id) == (to_provider_id("Alder"), to_provider_id("Birch"))
    assert (alder.quality, alder.price, alder.total) == (Decimal("62.00"), Decimal("25.00"), Decimal("87.00"))
    assert (birch.quality, birch.price, birch.total) == (Decimal("42.00"), Decimal("30.00"), Decimal("72.00"))


def test_price_points_have_two_decimal_places_half_up() -> None:
    desk = a_scored_desk({"Alder": ("24.10", 5, 5), "Birch": ("23.00", 5, 5)})
    points = {each.provider_id: each.price for each in desk.competition.ranking}
    assert points == {to_provider_id("Alder"): Decimal("28.63"), to_provider_id("Birch"): Decimal("30.00")}


def test_the_result_follows_with_the_last_score_and_not_before() -> None:
    desk = open_desk("Alder", "Birch")
    desk.bid("Alder", "24.00")
    desk.bid("Birch", "20.00")
    desk.close()
    steps = [desk.score(name, key, 3) for name in ("Alder", "Birch") for key in Criteria.ALL]
    assert [list_event_types(each) for each in steps] == [
        [ScoreGiven],
        [ScoreGiven],
        [ScoreGiven],
        [ScoreGiven, CompetitionRanked],
    ]
    assert find_work_items(desk.driver.current) == (
        ResultToConfirm(desk.competition.competition_id, desk.find_bid("Birch").bid_id),
    )


def test_a_later_score_of_another_officer_replaces_the_first_and_gives_a_new_result() -> None:
    desk = a_scored_desk(TWO_BIDS)
    seed = desk.competition.seed
    step = desk.score("Alder", Criteria.CONTINUITY, 0, officer="officer:second", reason=ScoreReasons.NOT_MET)
    assert list_event_types(step) == [ScoreGiven, CompetitionRanked]
    assert desk.competition.seed == seed
    assert list_order(desk) == [to_provider_id("Birch"), to_provider_id("Alder")]
    score = desk.find_bid("Alder").find_score(Criteria.CONTINUITY)
    assert score is not None
    assert (score.score, score.officer) == (0, "officer:second")


def test_the_same_score_again_changes_nothing() -> None:
    desk = a_scored_desk(TWO_BIDS)
    assert desk.score("Alder", Criteria.CONTINUITY, 4).events == ()


@pytest.mark.parametrize(
    ("criterion", "score", "reason", "pointer"),
    [
        (CriterionKey("parking"), 3, ScoreReasons.FULLY_MET, "#/criterion"),
        (Criteria.SKILLS, 6, ScoreReasons.FULLY_MET, "#/score"),
        (Criteria.SKILLS, -1, ScoreReasons.FULLY_MET, "#/score"),
        (Criteria.SKILLS, 3, None, "#/reason"),
        (Criteria.SKILLS, 3, ReasonKey("because"), "#/reason"),
    ],
)
def test_a_score_that_the_competition_does_not_have_is_refused(
    criterion: CriterionKey, score: int, reason: ReasonKey | None, pointer: str
) -> None:
    desk = open_desk("Alder")
    desk.bid("Alder", "24.00")
    desk.close()
    with pytest.raises(InvalidInput) as refused:
        desk.score("Alder", criterion, score, reason=reason)
    assert refused.value.fields[0].pointer == pointer


def test_a_note_is_a_reason_for_a_score() -> None:
    desk = open_desk("Alder")
    desk.bid("Alder", "24.00")
    desk.close()
    assert list_event_types(desk.score("Alder", Criteria.SKILLS, 3, reason=None, note_id=NOTE)) == [ScoreGiven]


def test_before_the_close_nothing_is_scored_or_awarded() -> None:
    desk = open_desk("Alder")
    desk.bid("Alder", "24.00")
    with pytest.raises(BidsSealed):
        desk.score("Alder", Criteria.SKILLS, 3)
    with pytest.raises(BidsSealed):
        desk.award("Alder")


def test_equal_totals_are_drawn_and_the_draw_can_be_repeated() -> None:
    names = ("Alder", "Birch", "Cedar", "Dogwood")
    scores: dict[str, tuple[str, int, int]] = {name: ("24.00", 4, 4) for name in names}  # noqa: C420  typed
    desk = a_scored_desk(scores)
    draws = [each.draw for each in desk.competition.ranking]
    assert draws == sorted(draws)
    assert len({each.total for each in desk.competition.ranking}) == 1
    assert list_order(a_scored_desk(dict(reversed(scores.items())))) == list_order(desk)


def test_equal_rates_are_drawn_where_the_lowest_price_wins() -> None:
    desk = open_desk("Alder", "Birch", competition=name_the_price())
    for name in ("Alder", "Birch"):
        desk.bid(name, "24.00")
    desk.close()
    assert [each.draw for each in desk.competition.ranking] == sorted(each.draw for each in desk.competition.ranking)
