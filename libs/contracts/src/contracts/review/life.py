"""Sentences about a framework's life: its days, how providers join, and who sets the rates."""

from collections.abc import Iterator

from contracts.framework.definition import FrameworkDefinition
from contracts.framework.life import JoiningMode
from contracts.framework.prices import RatesSetBy
from contracts.review.phrases import format_day


def describe_life(definition: FrameworkDefinition) -> Iterator[str]:
    """Yields sentences about the framework's days, joining and rates."""
    yield f"Council: {definition.council}."
    yield f"The framework runs from {format_day(definition.runs_from)} until {format_day(definition.runs_until)}."
    if definition.first_day != definition.runs_from:
        yield f"This version holds for packages requested from {format_day(definition.first_day)} on."
    for each in definition.extensions:
        notice = f", with notice by {format_day(each.notice_by)}" if each.notice_by is not None else ""
        yield f"It may be extended until {format_day(each.until)}{notice}."
    yield from _describe_joining(definition)
    yield {
        RatesSetBy.FRAMEWORK: "All providers are paid the framework's rates.",
        RatesSetBy.SELECTION: "Each provider selects its rates from the matrix.",
        RatesSetBy.PROVIDER: "Each provider names its own rates within the bounds of the matrix.",
    }[definition.prices.rates_set_by]
    if definition.prices.invented:
        yield "The matrix is invented, because the council's own is not public."


def _describe_joining(definition: FrameworkDefinition) -> Iterator[str]:
    joining = definition.joining
    yield {
        JoiningMode.CLOSED: "It is closed: no place begins after its start, save by a variation of two people.",
        JoiningMode.ROUNDS: "Providers join in rounds.",
        JoiningMode.OPEN: "Providers may join at any time.",
    }[joining.mode]
    for each in joining.rounds:
        days = f"from {format_day(each.opens)} until {format_day(each.closes)}"
        yield f"{each.name}: applications {days}, places from {format_day(each.places_from)}."
    if (suspended := joining.suspended) is not None:
        days = f"from {format_day(suspended.since)} until {format_day(suspended.until)}"
        yield f"Applications are suspended {days}: {suspended.because}."
