"""A mini-competition in a definition: its sentences, its place in the drawing, and what a comparison tells of it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from pydantic import TypeAdapter, ValidationError

from contracts.example_words import Criteria, Needs, ServiceTypes, Tiers
from contracts.examples import a_definition
from contracts.framework.competitions import Criterion, Span
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.durations import BrokerageLength
from contracts.framework.stages import (
    Ceiling,
    Conditions,
    Exhausted,
    MiniCompetition,
    Recipients,
    SecondOfficer,
    SequentialOffers,
)
from contracts.review.comparison import compare_definitions
from contracts.review.drawing import draw_mermaid
from contracts.review.phrases import format_brokerage_length
from contracts.review.road_groups import group_roads
from contracts.review.sentences import describe_stage

CEILINGS = tuple(
    Ceiling(service_type=each, rate=Decimal(rate))
    for each, rate in (
        (ServiceTypes.PERSONAL_CARE, "29.00"),
        (ServiceTypes.NIGHT_SLEEP, "150.00"),
        (ServiceTypes.LIVE_IN, "1600.00"),
    )
)
CRITERIA = (
    Criterion(criterion=Criteria.CONTINUITY, title="Continuity of carers", weight=40),
    Criterion(criterion=Criteria.SKILLS, title="Skills of the team", weight=30),
)
TO = Recipients(tiers=(Tiers.ONE,))


def a_competition(**changed: object) -> MiniCompetition:
    usual: dict[str, object] = {
        "stage": "bids",
        "procedure": "mini-competition",
        "to": TO,
        "criteria": CRITERIA,
        "price_weight": 30,
        "ceilings": CEILINGS,
    }
    return MiniCompetition.model_validate({**usual, **changed})


def name_the_price(**changed: object) -> MiniCompetition:
    return a_competition(**{"criteria": (), "price_weight": 100, "lowest_price": True, **changed})


def a_road(competition: MiniCompetition) -> FrameworkDefinition:
    """Packages with a need of a hoist are competed for first; then tier 1 is asked."""
    offers = SequentialOffers(stage="tier-1", procedure="sequential-offers", to=TO)
    return a_definition(sourcing=(competition.model_copy(update={"when": Conditions(needs=(Needs.HOIST,))}), offers))


def test_a_competition_by_criteria_is_described() -> None:
    assert describe_stage(a_definition(), a_competition(pass_mark=2)) == [
        (
            "The active providers of the area (Tier 1) that are eligible are invited to bid; the others are "
            "recorded with the reasons."
        ),
        (
            "Bids are taken for 3 working days, for an urgent package for 4 hours of plain time, and nobody reads them "
            "before the close."
        ),
        (
            "Questions are taken until 1 working day, for an urgent package 1 hour, before the close; all that are "
            "invited read the answers."
        ),
        "Bids are judged by Continuity of carers (40%), Skills of the team (30%) and price (30%).",
        "Officers score each criterion from 0 to 5; below 2 in any of them a bid is not suitable.",
        "The lowest price gets the whole weight of the price, others in proportion; a draw decides between equals.",
        "An officer confirms the winner, or overrules the result with a reason and a second officer.",
        (
            "Above the ceiling (£29.00 for Personal care, £150.00 for Night sleep and £1,600.00 for Live in) a second "
            "officer approves."
        ),
        "Without a suitable bid the next stage follows.",
    ]


def test_name_the_price_is_described() -> None:
    sentences = describe_stage(a_definition(), name_the_price(), ends_road=True)
    assert sentences[3] == (
        "The lowest rate wins that is not above the ceiling (£29.00 for Personal care, £150.00 for Night sleep and "
        "£1,600.00 for Live in), which the providers do not see; a draw decides between equals."
    )
    assert sentences[-1] == "Without a suitable bid the road ends and an officer acts."


def test_settings_that_change_a_sentence() -> None:
    shown = name_the_price(shows_ceiling=True, outward_codes_shown=("CO1",), exhausted=Exhausted.STOP)
    sentences = describe_stage(a_definition(), shown)
    assert not any("do not see" in each for each in sentences)
    assert "The invitation shows the outward code, not the area alone, of CO1." in sentences
    assert sentences[-1] == "Without a suitable bid the road ends and an officer acts."
    always = describe_stage(a_definition(), a_competition(second_officer=SecondOfficer.ALWAYS))
    assert "A second officer approves each award." in always


def test_the_drawing_says_why_the_stage_after_a_competition_follows() -> None:
    definition = a_road(a_competition())
    drawing = draw_mermaid(definition, group_roads(definition))
    assert '["bids<br/>mini-competition"]' in drawing
    assert drawing.count("-->|no suitable bid|") == 1
    assert "nobody accepts" not in drawing


def test_a_comparison_tells_what_changes_in_a_competition_and_for_whom() -> None:
    days = Span(routine=timedelta(days=2), urgent=timedelta(hours=2))
    before, after = a_road(a_competition()), a_road(a_competition(open_for=days))
    (change,) = compare_definitions(before, after)
    assert change.about == "Stage bids"
    assert "Now: Bids are taken for 2 working days, for an urgent package for 2 hours" in change.text
    assert "with a need of Hoist" in change.concerns


def test_a_comparison_tells_that_packages_with_the_need_take_another_road() -> None:
    before = a_definition(sourcing=(SequentialOffers(stage="tier-1", procedure="sequential-offers", to=TO),))
    changes = compare_definitions(before, a_road(a_competition()))
    assert any("bids → tier-1" in each.text and "Hoist" in each.concerns for each in changes)


@pytest.mark.parametrize(
    ("text", "words"),
    [("PT4H", "4 hours of brokerage time"), ("PT45M", "45 minutes of brokerage time"), ("P1D", "1 working day")],
)
def test_a_length_of_brokerage_time_is_hours_or_working_days(text: str, words: str) -> None:
    length = TypeAdapter[timedelta](BrokerageLength).validate_python(text)
    assert format_brokerage_length(length) == words


@pytest.mark.parametrize("text", ["PT30S", "PT25H", "P1DT1M", "PT0S"])
def test_other_lengths_are_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="whole working days"):
        TypeAdapter[timedelta](BrokerageLength).validate_python(text)
