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
    """One table line: the figure's name, goal and value.

    A figure that misses its goal may still be acceptable; `acceptable` is that limit, empty if there is none.
    """

    title: str
    goal: str
    figure: str
    is_reached: bool
    acceptable: str = ""
    is_acceptable: bool = False

    def describe_goal(self) -> str:
        return f"{self.goal} (acceptable: {self.acceptable})" if self.acceptable else self.goal

    def describe_result(self) -> str:
        """Return how the figure compares with its goal; empty if it reaches it."""
        if self.is_reached:
            return ""
        return "acceptable" if self.is_acceptable else "short of it"


class Measurement(Protocol):
    """The result of one measurement."""

    def to_numbers(self) -> Mapping[str, object]:
        """The measurement's fields of the last line."""
        ...

    def to_lines(self) -> Sequence[FigureLine]: ...


def compute_count(count: int, share: float) -> int:
    """Return a share of the usual count, at least 1."""
    return max(2, round(count * share))
