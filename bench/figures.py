"""The result of a measurement: numbers for programs, and table lines with the goal for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from contracts.errors import CallOffError


class NotMeasured(CallOffError):
    """The measured operation failed, so its speed has no meaning."""

    title = "The figure could not be measured"


@dataclass(frozen=True)
class FigureLine:
    """One table line: the figure's name, goal (DESIGN §9) and value."""

    title: str
    goal: str
    figure: str
    is_reached: bool


class Measurement(Protocol):
    """The result of one measurement."""

    def to_numbers(self) -> Mapping[str, object]:
        """The measurement's fields of the last line."""
        ...

    def to_lines(self) -> Sequence[FigureLine]: ...


def compute_count(count: int, share: float) -> int:
    """Return a share of the usual count, at least 1."""
    return max(2, round(count * share))
