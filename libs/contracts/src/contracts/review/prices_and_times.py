"""Finds prices and times of a definition that contradict each other."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

from contracts.contradictions import Contradiction
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.life import JoiningMode
from contracts.framework.prices import MatrixLine, RatesSetBy
from contracts.framework.stages import MakesOffers, MiniCompetition, OfferingStage, OfferToAll, OpenList
from contracts.framework.tiers import HeldRating, KeyQuestionRule, OverallRatingRule, SkillRule, Tier
from contracts.values import Rating

Path = tuple[str | int, ...]


def find_price_contradictions(definition: FrameworkDefinition) -> Iterator[Contradiction]:
    """Yields rates that do not rise or that nobody selects, and ceilings below the matrix."""
    prices = definition.prices
    for position, line in enumerate(prices.matrix):
        if line.further_rates and prices.rates_set_by is not RatesSetBy.SELECTION:
            place: Path = ("prices", "matrix", position, "further_rates")
            yield Contradiction(place, "nobody selects among them; remove them, or write rates_set_by: selection")
        rates = (line.rate, *line.further_rates)
        for number, (lower, higher) in enumerate(pairwise(rates), start=1):
            if higher <= lower:
                place = ("prices", "matrix", position, "further_rates", number - 1)
                reason = f"rate {number + 1} ({higher}) is not above rate {number} ({lower})"
                yield Contradiction(place, f"{reason}; write the rates in rising order")
    for position, stage in enumerate(definition.sourcing):
        if isinstance(stage, OpenList | MiniCompetition):
            yield from _find_low_ceilings(definition, stage, position)


def _find_low_ceilings(
    definition: FrameworkDefinition, stage: OpenList | MiniCompetition, position: int
) -> Iterator[Contradiction]:
    for number, ceiling in enumerate(stage.ceilings):
        place = ("sourcing", position, "ceilings", number)
        lines = [each for each in definition.prices.matrix if each.service_type == ceiling.service_type]
        if _has_several_lines(lines):
            yield Contradiction(
                place, "has several price lines, and a proposal or bid names one rate; leave it out of the list"
            )
        elif lines and ceiling.rate < (highest := _find_highest_rate(lines)):
            reason = f"is below the highest rate of the matrix ({highest})"
            yield Contradiction(place, f"{reason}; raise it, so that the framework's own price needs one officer only")


def _has_several_lines(lines: list[MatrixLine]) -> bool:
    return any(
        each.band == other.band and each.item_key != other.item_key
        for number, each in enumerate(lines)
        for other in lines[number + 1 :]
    )


def _find_highest_rate(lines: list[MatrixLine]) -> Decimal:
    return max(rate for line in lines for rate in (line.rate, *line.further_rates, line.highest or line.rate))


def find_time_contradictions(definition: FrameworkDefinition) -> Iterator[Contradiction]:
    """Yields times to answer that end before the fallback can begin, and rounds outside the framework's life."""
    for position, stage in enumerate(definition.sourcing):
        if isinstance(stage, OfferingStage) and stage.undeliverable_after >= (shortest := _find_shortest_answer(stage)):
            place = ("sourcing", position, "undeliverable_after")
            reason = f"is not shorter than the time to answer ({shortest // timedelta(minutes=1)} minutes)"
            yield Contradiction(place, f"{reason}; shorten it, so that the fallback channel has time left")
    yield from _find_wrong_rounds(definition)
    for position, tier in enumerate(definition.tiers):
        yield from _find_impossible_entry(tier, position)


def _find_shortest_answer(stage: MakesOffers) -> timedelta:
    if isinstance(stage, OfferToAll):
        return min(stage.deadline.routine, stage.deadline.urgent)
    within = stage.answer_within
    return min(within.webhook, within.email, within.urgent)


def _find_wrong_rounds(definition: FrameworkDefinition) -> Iterator[Contradiction]:
    joining = definition.joining
    if joining.mode is JoiningMode.ROUNDS and not joining.rounds:
        yield Contradiction(("joining", "rounds"), "nobody can join; add a round, or choose another mode")
    if joining.mode is not JoiningMode.ROUNDS and joining.rounds:
        yield Contradiction(("joining", "rounds"), "has rounds in another mode; write mode: in rounds, or remove them")
    for position, each in enumerate(joining.rounds):
        if each.places_from > definition.runs_until:
            yield Contradiction(("joining", "rounds", position), "begins after the framework ends; correct its days")
        suspended = joining.suspended
        if suspended is not None and each.opens <= suspended.until and each.closes >= suspended.since:
            reason = "takes applications while they are suspended"
            yield Contradiction(("joining", "rounds", position), f"{reason}; move the round, or end the suspension")


def _find_impossible_entry(tier: Tier, position: int) -> Iterator[Contradiction]:
    seen = set[str]()
    for number, rule in enumerate(tier.entry):
        place: Path = ("tiers", position, "entry", number)
        if isinstance(rule, OverallRatingRule | KeyQuestionRule):
            yield from _find_wrong_rating(rule, place)
        about = f"{rule.rule} {rule.key_question}" if isinstance(rule, KeyQuestionRule) else rule.rule
        if about in seen and not isinstance(rule, SkillRule):
            yield Contradiction(place, "is the second rule about the same in this tier; keep the stricter one")
        seen.add(about)


def _find_wrong_rating(rule: HeldRating, place: Path) -> Iterator[Contradiction]:
    if rule.at_least is Rating.NOT_RATED:
        yield Contradiction((*place, "at_least"), "is no rating; name one of the four, or remove the rule")
    if rule.held_until is not None and not rule.held_for_months:
        yield Contradiction((*place, "held_until"), "ends no months; add held_for_months, or remove it")
