"""Entry rules of a tier, each with its outcome in words."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from contracts.events.providers import KeyQuestionRating
from contracts.example_words import Needs
from contracts.examples import FRAMEWORK
from contracts.framework.tiers import BranchLocationRule, KeyQuestion, KeyQuestionRule, SkillRule, TurnoverRule
from contracts.ids import FrameworkKey
from contracts.values import PassOverReason, Rating
from provider_registry.domain.entry_rules.branch_location import check_branch_location
from provider_registry.domain.entry_rules.outcomes import RuleOutcome
from provider_registry.domain.entry_rules.ratings import check_key_question, check_overall_rating
from provider_registry.domain.entry_rules.skills import check_skill
from provider_registry.domain.entry_rules.turnover import check_turnover
from provider_registry.domain.provider import Branch, LocationFinding
from provider_registry.domain.skills import SkillEvidence
from testkit.clocks import MONDAY_NINE
from testkit.provider_registry.builders import a_branch, a_profile, a_rating_record, a_rating_rule

TODAY = date(2026, 3, 2)
WITHIN_FIVE_MILES = BranchLocationRule(rule="branch-location", miles=5)


def a_key_question_rule(**changed: object) -> KeyQuestionRule:
    usual: dict[str, object] = {"rule": "key-question", "key_question": "Safe", "at_least": "Good"}
    return KeyQuestionRule.model_validate({**usual, **changed})


def a_branch_rated(*ratings: tuple[date, Rating]) -> Branch:
    """The ratings are those for Safe; overall the branch is Good."""
    records = [
        a_rating_record(
            published_on=day, key_questions=[KeyQuestionRating(key_question=KeyQuestion.SAFE, rating=rating)]
        )
        for day, rating in ratings
    ]
    return a_branch(records=records)


def test_the_overall_rating_is_at_least_the_one_that_is_asked() -> None:
    outcome = check_overall_rating(a_rating_rule(Rating.GOOD), a_branch(published_on=TODAY), on=TODAY)
    words = "CQC overall Good since 2 March 2026, at least Good is asked"
    assert outcome == RuleOutcome(True, words, "Alder Colchester", PassOverReason.RATING_BELOW_FLOOR)
    fallen = check_overall_rating(a_rating_rule(Rating.OUTSTANDING), a_branch(), on=TODAY)
    assert (fallen.is_met, fallen.reason) == (False, PassOverReason.RATING_BELOW_FLOOR)


def test_a_branch_that_is_not_rated_passes_only_if_the_rule_accepts_it() -> None:
    branch = a_branch(rating=Rating.NOT_RATED)
    refused = check_overall_rating(a_rating_rule(Rating.INADEQUATE), branch, on=TODAY)
    accepted = check_overall_rating(a_rating_rule(Rating.GOOD, accepts_not_rated=True), branch, on=TODAY)
    assert (refused.is_met, accepted.is_met) == (False, True)
    assert refused.words == "CQC overall not rated, at least Inadequate is asked"
    assert accepted.words == "CQC overall not rated, at least Good or not rated is asked"


def test_a_rating_that_is_published_later_does_not_count_yet() -> None:
    branch = a_branch(published_on=date(2026, 3, 3))
    rule = a_rating_rule(Rating.GOOD)
    met = [check_overall_rating(rule, branch, on=day).is_met for day in (TODAY, date(2026, 3, 3))]
    assert met == [False, True]


@pytest.mark.parametrize(("since", "is_met"), [(date(2025, 3, 2), True), (date(2025, 3, 3), False)])
def test_the_overall_rating_can_have_to_be_held_for_months(since: date, is_met: bool) -> None:
    rule = a_rating_rule(Rating.GOOD).model_copy(update={"held_for_months": 12, "held_until": TODAY})
    outcome = check_overall_rating(rule, a_branch(published_on=since), on=date(2026, 6, 1))
    assert outcome.is_met is is_met
    assert "is asked for 12 months up to 2 March 2026, held since" in outcome.words


@pytest.mark.parametrize(
    ("rating", "is_met"),
    [(Rating.OUTSTANDING, True), (Rating.GOOD, True), (Rating.REQUIRES_IMPROVEMENT, False), (Rating.NOT_RATED, False)],
)
def test_a_key_question_has_a_rating_of_its_own(rating: Rating, is_met: bool) -> None:
    branch = a_branch_rated((date(2026, 1, 5), rating))
    assert check_key_question(a_key_question_rule(), branch, on=TODAY).is_met is is_met


@pytest.mark.parametrize(
    ("on", "is_met"), [(date(2026, 3, 2), False), (date(2026, 3, 3), True), (date(2026, 12, 31), True)]
)
def test_exactly_so_many_months_are_enough(on: date, is_met: bool) -> None:
    branch, rule = a_branch_rated((date(2025, 3, 3), Rating.GOOD)), a_key_question_rule(held_for_months=12)
    assert check_key_question(rule, branch, on=on).is_met is is_met


def test_months_that_begin_on_the_31st_are_full_on_the_last_day_of_a_shorter_month() -> None:
    branch, rule = a_branch_rated((date(2025, 8, 31), Rating.GOOD)), a_key_question_rule(held_for_months=6)
    met = [check_key_question(rule, branch, on=day).is_met for day in (date(2026, 2, 27), date(2026, 2, 28))]
    assert met == [False, True]


def test_a_break_begins_the_months_anew() -> None:
    branch = a_branch_rated(
        (date(2024, 1, 1), Rating.GOOD),
        (date(2025, 6, 1), Rating.REQUIRES_IMPROVEMENT),
        (date(2025, 6, 2), Rating.GOOD),
    )
    outcome = check_key_question(a_key_question_rule(held_for_months=12), branch, on=TODAY)
    assert not outcome.is_met
    assert outcome.words == (
        "CQC Safe Good since 2 June 2025, at least Good is asked for 12 months up to 2 March 2026,"
        " held since 2 June 2025"
    )


def test_a_change_between_accepted_ratings_is_no_break() -> None:
    branch = a_branch_rated((date(2025, 1, 1), Rating.GOOD), (date(2026, 1, 1), Rating.OUTSTANDING))
    assert check_key_question(a_key_question_rule(held_for_months=12), branch, on=TODAY).is_met


def test_the_months_may_end_on_a_stated_day_and_the_rating_must_still_hold() -> None:
    rule = a_key_question_rule(held_for_months=12, held_until="2025-10-31")
    held = a_branch_rated((date(2024, 10, 31), Rating.GOOD))
    short = a_branch_rated((date(2024, 11, 1), Rating.GOOD))
    fallen = a_branch_rated((date(2024, 10, 31), Rating.GOOD), (date(2026, 1, 1), Rating.INADEQUATE))
    met = [check_key_question(rule, branch, on=TODAY).is_met for branch in (held, short, fallen)]
    assert met == [True, False, False]


def test_a_rating_that_was_lost_on_the_stated_day_was_not_held_then() -> None:
    rule = a_key_question_rule(held_for_months=12, held_until="2025-10-31")
    branch = a_branch_rated(
        (date(2024, 1, 1), Rating.GOOD), (date(2025, 10, 31), Rating.INADEQUATE), (date(2025, 11, 30), Rating.GOOD)
    )
    outcome = check_key_question(rule, branch, on=TODAY)
    assert not outcome.is_met
    assert "up to 31 October 2025, not held then" in outcome.words


@pytest.mark.parametrize(("turnover", "is_met"), [("290000.00", True), ("289999.99", False)])
def test_the_exact_minimum_of_turnover_is_enough(turnover: str, is_met: bool) -> None:
    rule = TurnoverRule(rule="turnover", at_least=Decimal(290_000))
    outcome = check_turnover(rule, a_profile(turnover=Decimal(turnover)))
    assert outcome.is_met is is_met
    assert outcome.words.endswith("a year by filed accounts 2023/24, at least £290,000.00 a year is asked")


def test_a_turnover_without_evidence_does_not_count() -> None:
    rule = TurnoverRule(rule="turnover", at_least=Decimal(290_000))
    for profile in (a_profile(turnover=None), replace(a_profile(), turnover_evidence=None)):
        words = "no evidence of turnover, at least £290,000.00 a year is asked"
        assert check_turnover(rule, profile) == RuleOutcome(False, words)


def a_finding(
    miles: str | None, *, found_at: datetime = MONDAY_NINE, framework: FrameworkKey = FRAMEWORK
) -> LocationFinding:
    """None is within the boundary."""
    return LocationFinding(framework, miles is None, Decimal(miles or 0), "officer:first", found_at)


@pytest.mark.parametrize(
    ("miles", "is_met"), [(None, True), ("4.99", True), ("5.00", True), ("5.01", False), ("80", False)]
)
def test_a_branch_lies_within_the_boundary_or_near_enough(miles: str | None, is_met: bool) -> None:
    branch = replace(a_branch(), findings=(a_finding(miles),))
    outcome = check_branch_location(WITHIN_FIVE_MILES, branch, framework=FRAMEWORK, at=MONDAY_NINE)
    assert outcome.is_met is is_met


def test_without_an_officers_finding_the_rule_is_not_met() -> None:
    elsewhere = a_finding(None, framework=FrameworkKey("another-framework"))
    later = a_finding(None, found_at=datetime(2026, 3, 2, 9, 1, tzinfo=UTC))
    branch = replace(a_branch(), findings=(elsewhere, later))
    outcome = check_branch_location(WITHIN_FIVE_MILES, branch, framework=FRAMEWORK, at=MONDAY_NINE)
    assert not outcome.is_met
    assert outcome.words.startswith("no officer's finding recorded")


def test_the_newest_finding_counts_and_an_earlier_one_for_the_time_before() -> None:
    then = datetime(2026, 1, 5, tzinfo=UTC)
    branch = replace(a_branch(), findings=(a_finding(None, found_at=then), a_finding("7.25")))
    now = check_branch_location(WITHIN_FIVE_MILES, branch, framework=FRAMEWORK, at=MONDAY_NINE)
    assert (now.is_met, "found 7.25 miles outside the boundary on 2 March 2026" in now.words) == (False, True)
    assert check_branch_location(WITHIN_FIVE_MILES, branch, framework=FRAMEWORK, at=then).is_met


@pytest.mark.parametrize(
    ("on", "is_met"),
    [(date(2025, 12, 31), False), (date(2026, 1, 1), True), (date(2026, 3, 31), True), (date(2026, 4, 1), False)],
)
def test_evidence_of_a_skill_counts_from_its_first_to_its_last_day(on: date, is_met: bool) -> None:
    skills = [SkillEvidence(Needs.DEMENTIA, "CERT-17", date(2026, 1, 1), date(2026, 3, 31))]
    outcome = check_skill(SkillRule(rule="skill", skill=Needs.DEMENTIA), skills, title="Dementia", on=on)
    assert (outcome.is_met, outcome.reason) == (is_met, PassOverReason.NO_EVIDENCE_OF_SKILL)


def test_a_missing_skill_is_named_by_its_title() -> None:
    outcome = check_skill(SkillRule(rule="skill", skill=Needs.HOIST), [], title="Hoist", on=TODAY)
    assert outcome.words == "no evidence of the skill Hoist"
