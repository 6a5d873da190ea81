"""A definition is explained in plain English, stage by stage."""

from datetime import date
from decimal import Decimal

import pytest

from contracts.example_words import Needs
from contracts.examples import a_definition
from contracts.framework.life import Assumption, Extension
from contracts.framework.tiers import (
    BranchLocationRule,
    EntryRule,
    KeyQuestion,
    KeyQuestionRule,
    OverallRatingRule,
    SkillRule,
    TurnoverRule,
)
from contracts.framework.titles import Titles
from contracts.framework.words import Area
from contracts.ids import AreaCode
from contracts.review.explanation import explain_definition
from contracts.review.rules import describe_rule
from contracts.values import Rating
from testkit.council_examples import a_definition_with_conditions, a_definition_with_lots, a_definition_with_zones


def test_a_reader_follows_a_referral_through_the_stages() -> None:
    text = explain_definition(a_definition_with_zones())
    assert "### 1. Lot Home care: zone → neighbours → exception\n\nFor Personal care, in East and West, by " in text
    assert (
        "A referral for personal care in East (community):\n\n"
        "1. **zone**: The active providers of the area (Framework provider) are asked at once. " in text
    )
    assert "\n2. **neighbours**: The active providers of the neighbouring areas (Framework provider) are asked" in text
    assert "\n3. **exception**: The package is open to spot providers" in text


def test_the_last_stage_of_a_road_says_that_an_officer_acts_next() -> None:
    text = explain_definition(a_definition_with_lots())
    follow_on = next(line for line in text.splitlines() if "**follow-on**" in line)
    zone = next(line for line in text.splitlines() if "**zone**" in line)
    assert follow_on.endswith("When nobody is left, the next stage follows. (Report 12.)")
    assert zone.endswith("When nobody is left, the road ends and an officer acts.")


def test_a_stage_names_its_conditions_but_not_the_lot_of_its_heading() -> None:
    assert "1. **strategic**: The active" in explain_definition(a_definition_with_lots())
    text = explain_definition(a_definition_with_conditions())
    assert "1. **hoists** (with a need of Hoist): " in text
    assert "A referral for personal care in Colchester (crisis, urgent, travel band remote, needs hoist):" in text


def test_areas_tell_their_neighbours_clusters_and_why_they_are_not_served() -> None:
    zones, lots = explain_definition(a_definition_with_zones()), explain_definition(a_definition_with_lots())
    assert "- East: neighbours West; an alarm below 2 active providers\n" in zones
    assert "- West: neighbours East; an alarm below 2 active providers; price band rural\n" in zones
    assert "- Orchard Court: cluster Town\n- Abbey Court: not served, is run by a charity\n" in lots
    assert "- Outward codes of travel band remote (Remote): CO5\n" in explain_definition(a_definition_with_conditions())


def test_areas_with_nothing_to_say_stand_in_one_line() -> None:
    areas = tuple(Area(code=AreaCode(f"a-{each}"), name=each) for each in ("East", "West", "North"))
    assert "## Areas\n\n- East, West and North\n" in explain_definition(a_definition(areas=areas))


def test_prices_have_one_line_each() -> None:
    text = explain_definition(a_definition_with_lots())
    assert "- Reablement: £1,174.00 for each episode, however many carers\n" in text
    assert "- Extra care (on-site): £68.32 for each week\n- Extra care (hours): £29.07 for each hour\n" in text
    assert "- Personal care in band rural: £22.50 up to £30.00 for each hour" in explain_definition(
        a_definition_with_zones()
    )


def test_groups_of_ranked_lists_are_explained_in_their_order() -> None:
    text = explain_definition(a_definition_with_conditions())
    assert "## Ranked lists\n\n1. Hoists: a need of Hoist\n2. All others: every other package\n" in text
    assert "## Ranked lists" not in explain_definition(a_definition())


def test_the_life_of_a_framework_is_told_in_days() -> None:
    definition = a_definition_with_lots(
        in_force_from=date(2026, 4, 1), extensions=(Extension(until=date(2033, 11, 8), notice_by=date(2031, 5, 8)),)
    )
    text = explain_definition(definition)
    assert "The framework runs from 9 November 2025 until 8 November 2031." in text
    assert "This version holds for packages requested from 1 April 2026 on." in text
    assert "It may be extended until 8 November 2033, with notice by 8 May 2031." in text
    assert (
        "Providers may join at any time. Applications are suspended from 1 January 2026 until 30 June 2026: a backlog."
        in text
    )
    assert "Round 1: applications from 1 September 2025 until 1 October 2025, places from 9 November 2025." in (
        explain_definition(a_definition_with_zones())
    )


def test_tiers_tell_their_lots_size_and_expectation() -> None:
    text = explain_definition(a_definition_with_lots())
    assert (
        "- Strategic provider: in lot A Reablement; at most 1 provider an area; each is expected to accept 100% of an "
        "area's referrals; no entry rule." in text
    )
    assert "- Tier 1: at most 10 providers an area; CQC overall Good or better." in explain_definition(a_definition())


def test_what_was_assumed_stands_at_the_end() -> None:
    assumed = (Assumption(setting="brokerage", because="The documents give no hours."),)
    text = explain_definition(a_definition(assumed=assumed))
    assert text.endswith("## Assumed\n\n- brokerage: The documents give no hours.\n")
    assert "## Assumed" not in explain_definition(a_definition())


RULES: dict[str, EntryRule] = {
    "CQC overall Requires improvement or better, or not rated": OverallRatingRule(
        rule="overall-rating", at_least=Rating.REQUIRES_IMPROVEMENT, accepts_not_rated=True
    ),
    "CQC overall Good or better, held for 1 month": OverallRatingRule(
        rule="overall-rating", at_least=Rating.GOOD, held_for_months=1
    ),
    "CQC Well-led Good or better, held for 12 months up to 31 March 2021": KeyQuestionRule(
        rule="key-question",
        key_question=KeyQuestion.WELL_LED,
        at_least=Rating.GOOD,
        held_for_months=12,
        held_until=date(2021, 3, 31),
    ),
    "turnover of at least £290,000 a year (filed accounts)": TurnoverRule(
        rule="turnover", at_least=Decimal("290000.00"), evidence="filed accounts"
    ),
    "turnover of at least £290,000.50 a year": TurnoverRule(rule="turnover", at_least=Decimal("290000.50")),
    "a branch at most 5 miles outside the boundary (the county), as an officer found": BranchLocationRule(
        rule="branch-location", miles=5, boundary="the county"
    ),
    "a branch within the boundary, as an officer found": BranchLocationRule(rule="branch-location"),
    "evidence of the skill Peg feeding": SkillRule(rule="skill", skill=Needs.PEG_FEEDING),
}


@pytest.mark.parametrize("words", RULES)
def test_an_entry_rule_is_told_in_words(words: str) -> None:
    assert describe_rule(Titles(a_definition()), RULES[words]) == words


def test_a_title_that_begins_with_an_abbreviation_keeps_its_capitals() -> None:
    definition = a_definition_with_conditions()
    skills = tuple(
        each.model_copy(update={"title": "PEG feeding"}) if each.skill == Needs.HOIST else each
        for each in definition.skills
    )
    assert "needs PEG feeding)" in explain_definition(a_definition_with_conditions(skills=skills))
