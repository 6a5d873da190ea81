"""What is printed in the end: a table for people, and the last line for programs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rich.table import Table

from bench.figures import Line, Measured
from bench.load import Load

UNMEASURED: Final = "not measured"


@dataclass(frozen=True)
class Outcome:
    """One measurement: what came of it, or why nothing did."""

    name: str
    load: float
    """Of the machine, in the minute before."""
    measured: Measured | None
    because: str = ""

    def lines(self) -> Sequence[Line]:
        if self.measured is None:
            return (Line(self.name, "", f"{UNMEASURED}: {self.because}", reached=False),)
        return self.measured.lines()


def table(outcomes: Sequence[Outcome], load: Load) -> Table:
    shown = Table(title=f"Measured from outside, on {load}", title_justify="left")
    for heading in ("what", "goal", "figure", "", "load"):
        shown.add_column(heading)
    for outcome in outcomes:
        for line in outcome.lines():
            reached = "" if line.reached else "short of it"
            shown.add_row(line.what, line.goal, line.figure, reached, f"{outcome.load:.1f}")
    return shown


def last_line(outcomes: Sequence[Outcome]) -> str:
    """Every figure that was measured, under its name."""
    numbers: dict[str, object] = {}
    for outcome in outcomes:
        said: Mapping[str, object] = outcome.measured.numbers() if outcome.measured else {}
        numbers |= said
    return json.dumps(numbers)


def failed(outcomes: Sequence[Outcome]) -> list[str]:
    return [outcome.name for outcome in outcomes if outcome.measured is None]
