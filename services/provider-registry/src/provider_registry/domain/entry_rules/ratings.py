"""Rules about CQC's ratings, overall and for a key question, held for some months without a break."""

from collections.abc import Sequence
from datetime import date

from contracts.framework.tiers import HeldRating, KeyQuestion, KeyQuestionRule, OverallRatingRule
from contracts.values import PassOverReason, Rating
from provider_registry.domain.dates import add_months, format_day
from provider_registry.domain.entry_rules.outcomes import RuleOutcome
from provider_registry.domain.provider import Branch
from provider_registry.domain.ratings import RatingHistory


def check_overall_rating(rule: OverallRatingRule, branch: Branch, *, on: date) -> RuleOutcome:
    """A branch that is not rated passes only if the rule accepts it; otherwise as `check_key_question`."""
    rating = branch.ratings.get_rating(None, on)
    if rating is Rating.NOT_RATED and rule.accepts_not_rated:
        words = f"CQC overall not rated, at least {rule.at_least} or not rated is asked"
        return RuleOutcome(True, words, branch.name, PassOverReason.RATING_BELOW_FLOOR)
    asked = f"at least {rule.at_least} {'or not rated ' if rule.accepts_not_rated else ''}is asked"
    return _check_rating(rule, branch, None, asked, on=on)


def check_key_question(rule: KeyQuestionRule, branch: Branch, *, on: date) -> RuleOutcome:
    """The rating holds on the day asked for, and for the months that end at `held_until`, or on that day.

    The months count from the publication: held since 3 March 2025, twelve months are full on 3 March 2026.
    """
    return _check_rating(rule, branch, rule.key_question, f"at least {rule.at_least} is asked", on=on)


def _check_rating(
    rule: HeldRating, branch: Branch, question: KeyQuestion | None, asked: str, *, on: date
) -> RuleOutcome:
    """Checks the overall rating (None), or that of a key question."""
    history = branch.ratings
    rating = history.get_rating(question, on)
    words = f"CQC {question or 'overall'} {_describe(history, question, on)}, {asked}"
    is_met = rating is not Rating.NOT_RATED and rating.is_at_least(rule.at_least)
    if rule.held_for_months:
        until = min(on, rule.held_until or on)
        since = history.find_since(question, _list_accepted(rule.at_least), until)
        is_met = is_met and since is not None and add_months(since, rule.held_for_months) <= until
        words = f"{words} for {rule.held_for_months} months up to {format_day(rule.held_until or on)}, "
        words += "not held then" if since is None else f"held since {format_day(since)}"
    return RuleOutcome(is_met, words, branch.name, PassOverReason.RATING_BELOW_FLOOR)


def _list_accepted(floor: Rating) -> Sequence[Rating]:
    return [each for each in Rating if each is not Rating.NOT_RATED and each.is_at_least(floor)]


def _describe(history: RatingHistory, question: KeyQuestion | None, on: date) -> str:
    """Describes a rating as `Good since 3 March 2026`."""
    rating = history.get_rating(question, on)
    since = history.find_since(question, [rating], on)
    return str(rating) if since is None or rating is Rating.NOT_RATED else f"{rating} since {format_day(since)}"
