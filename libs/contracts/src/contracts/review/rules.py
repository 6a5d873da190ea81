"""Sentences about tiers: their lots, their size, what is expected of their providers, and their entry rules."""

from collections.abc import Iterator
from decimal import Decimal
from typing import assert_never

from contracts.framework.definition import FrameworkDefinition
from contracts.framework.tiers import (
    BranchLocationRule,
    EntryRule,
    Expectation,
    HeldRating,
    KeyQuestionRule,
    OverallRatingRule,
    SkillRule,
    Tier,
    TurnoverRule,
)
from contracts.framework.titles import Titles
from contracts.review.phrases import format_count, format_day, join_words


def describe_tier(definition: FrameworkDefinition, tier: Tier) -> Iterator[str]:
    """Yields a tier's lots, its size, its expectation and its entry rules in words."""
    titles = Titles(definition)
    if tier.lots:
        yield f"in lot {join_words([titles.get_lot(lot) for lot in tier.lots])}"
    cap = tier.providers_per_area
    yield f"at most {format_count(cap, 'provider')} an area" if cap else "any number of providers"
    if tier.expectation is not None:
        yield _describe_expectation(titles, tier.expectation)
    if not tier.entry:
        yield "no entry rule"
    for rule in tier.entry:
        yield describe_rule(titles, rule)


def describe_rule(titles: Titles, rule: EntryRule) -> str:
    """Describes an entry rule in words: `CQC overall Good or better`."""
    match rule:
        case OverallRatingRule():
            unrated = ", or not rated" if rule.accepts_not_rated else ""
            return f"CQC overall {_describe_rating(rule)}{unrated}"
        case KeyQuestionRule():
            return f"CQC {rule.key_question} {_describe_rating(rule)}"
        case TurnoverRule():
            evidence = f" ({rule.evidence})" if rule.evidence else ""
            return f"turnover of at least £{format_pounds(rule.at_least)} a year{evidence}"
        case BranchLocationRule():
            where = f"at most {format_count(rule.miles, 'mile')} outside" if rule.miles else "within"
            boundary = f" ({rule.boundary})" if rule.boundary else ""
            return f"a branch {where} the boundary{boundary}, as an officer found"
        case SkillRule():
            return f"evidence of the skill {titles.get_need(rule.skill)}"
        case _:
            assert_never(rule)


def format_pounds(amount: Decimal) -> str:
    """`290,000`, `290,000.50`."""
    return f"{amount:,.0f}" if amount == amount.to_integral_value() else f"{amount:,.2f}"


def _describe_expectation(titles: Titles, expectation: Expectation) -> str:
    hours = [f"{format_pounds(each.hours_a_year)} in {titles.get_area(each.area)}" for each in expectation.areas]
    volume = f" (hours a year: {', '.join(hours)})" if hours else ""
    return f"each is expected to accept {expectation.share_percent}% of an area's referrals{volume}"


def _describe_rating(rule: HeldRating) -> str:
    held = ""
    if rule.held_for_months:
        until = f" up to {format_day(rule.held_until)}" if rule.held_until is not None else ""
        held = f", held for {format_count(rule.held_for_months, 'month')}{until}"
    return f"{rule.at_least} or better{held}"
