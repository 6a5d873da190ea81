"""The output of the measurements: a table for people and a last line of JSON for programs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rich.table import Table

from bench.figures import FigureLine, Measurement
from bench.load import MachineLoad

UNMEASURED: Final = "not measured"


@dataclass(frozen=True)
class MeasurementOutcome:
    """The result of one measurement or the reason of its failure."""

    name: str
    load: float
    """The machine's load in the minute before."""
    measured: Measurement | None
    error: str = ""

    def to_lines(self) -> Sequence[FigureLine]:
        if self.measured is None:
            return (FigureLine(self.name, "", f"{UNMEASURED}: {self.error}", is_reached=False),)
        return self.measured.to_lines()


def build_table(outcomes: Sequence[MeasurementOutcome], load: MachineLoad) -> Table:
    table = Table(title=f"Measured from outside, on {load}", title_justify="left")
    for heading in ("what", "goal", "figure", "", "load"):
        table.add_column(heading)
    for outcome in outcomes:
        for line in outcome.to_lines():
            reached = "" if line.is_reached else "short of it"
            table.add_row(line.title, line.goal, line.figure, reached, f"{outcome.load:.1f}")
    return table


def render_last_line(outcomes: Sequence[MeasurementOutcome]) -> str:
    """Render every figure under its name as JSON."""
    numbers: dict[str, object] = {}
    for outcome in outcomes:
        figures: Mapping[str, object] = outcome.measured.to_numbers() if outcome.measured else {}
        numbers |= figures
    return json.dumps(numbers)


def list_failed(outcomes: Sequence[MeasurementOutcome]) -> list[str]:
    return [outcome.name for outcome in outcomes if outcome.measured is None]
