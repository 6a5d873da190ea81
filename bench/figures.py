"""What a measurement says: numbers for programs, and for people a line each with the goal beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from contracts.errors import CallOffError


class NotMeasured(CallOffError):
    """What was measured did not do what it is for, so how fast it was means nothing."""

    title = "The figure could not be measured"


@dataclass(frozen=True)
class FigureLine:
    """One figure for people: what it is, where it should be (DESIGN §9), where it is."""

    title: str
    goal: str
    figure: str
    is_reached: bool


class Measurement(Protocol):
    """What came of one measurement."""

    def to_numbers(self) -> Mapping[str, object]:
        """Its part of the last line, by name."""
        ...

    def to_lines(self) -> Sequence[FigureLine]: ...


def scale_count(count: int, share: float) -> int:
    """A share of the usual count, and never nothing."""
    return max(2, round(count * share))
