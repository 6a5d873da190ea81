"""Contradictions inside a mini-competition: weights, scores, times and reasons that do not go together."""

from collections.abc import Iterator
from typing import Final

from contracts.contradictions import Contradiction
from contracts.framework.stages import MiniCompetition
from contracts.framework.words import Reasons

Path = tuple[str | int, ...]
ALL_WEIGHTS: Final = 100
"""The sum of the weights of the criteria and of the price, in percent."""


def find_competition_contradictions(stage: MiniCompetition, reasons: Reasons, place: Path) -> Iterator[Contradiction]:
    """Yields every contradiction between the settings of a competition, and the lists of reasons that it lacks."""
    yield from _find_wrong_prices(stage, place) if stage.lowest_price else _find_wrong_criteria(stage, place)
    for name in ("routine", "urgent"):
        if getattr(stage.questions_end, name) >= getattr(stage.open_for, name):
            path = (*place, "questions_end", name)
            yield Contradiction(path, "leaves no time for questions; make it shorter than open_for")
    if not reasons.overrule:
        remedy = "add reasons.overrule, because an officer may award otherwise only with a reason"
        yield Contradiction(place, f"needs reasons to overrule its result; {remedy}")
    if not reasons.competition_end:
        remedy = "add reasons.competition_end, because an officer may end it early only with a reason"
        yield Contradiction(place, f"needs reasons to end it early; {remedy}")


def _find_wrong_prices(stage: MiniCompetition, place: Path) -> Iterator[Contradiction]:
    if stage.criteria:
        yield Contradiction((*place, "criteria"), "are not scored where the lowest price wins; remove them")
    if stage.price_weight != ALL_WEIGHTS:
        yield Contradiction((*place, "price_weight"), "must be 100 where the lowest price wins; remove it")
    if stage.pass_mark is not None:
        yield Contradiction((*place, "pass_mark"), "passes nothing where the lowest price wins; remove it")


def _find_wrong_criteria(stage: MiniCompetition, place: Path) -> Iterator[Contradiction]:
    if not stage.criteria:
        yield Contradiction(place, "has no criteria; add them, or write lowest_price: true")
        return
    keys = [each.criterion for each in stage.criteria]
    for position, key in enumerate(keys):
        if key in keys[:position]:
            yield Contradiction((*place, "criteria", position, "criterion"), "is given twice; keep one of the two")
    total = stage.price_weight + sum(each.weight for each in stage.criteria)
    if total != ALL_WEIGHTS:
        reason = f"have weights that sum up to {total} with price_weight"
        yield Contradiction((*place, "criteria"), f"{reason}; write weights that sum up to 100")
    if stage.pass_mark is not None and stage.pass_mark > stage.highest_score:
        yield Contradiction((*place, "pass_mark"), "is above the highest score; lower it, so that a bid can pass")
