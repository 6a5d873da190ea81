"""The output of the measurements: a table for people and a last line of JSON for programs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rich.table import Table

from bench.calibration import Calibration
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
    calibration: Calibration | None = None
    """None if the measurement failed."""

    def to_lines(self) -> Sequence[FigureLine]:
        if self.measured is None:
            return (FigureLine(self.name, "", f"{UNMEASURED}: {self.error}", is_reached=False),)
        return self.measured.to_lines()


def build_table(outcomes: Sequence[MeasurementOutcome], load: MachineLoad) -> Table:
    table = Table(title=f"Measured from outside, on {load}", title_justify="left")
    for heading in ("what", "goal", "figure", "", "load", "loop"):
        table.add_column(heading)
    for outcome in outcomes:
        machine = (f"{outcome.load:.1f}", str(outcome.calibration or ""))
        for line in outcome.to_lines():
            table.add_row(line.title, line.describe_goal(), line.figure, line.describe_result(), *machine)
    return table


def list_calibrations(outcomes: Sequence[MeasurementOutcome]) -> dict[str, Calibration]:
    """Return the calibration of each measurement that succeeded."""
    return {each.name: each.calibration for each in outcomes if each.calibration is not None}


def describe_calm(calibrations: Mapping[str, Calibration]) -> str:
    """Describe in one sentence whether the machine was calm enough to believe the figures."""
    disturbed = {name: each.list_disturbances() for name, each in calibrations.items() if not each.is_calm}
    if not disturbed:
        return "The machine was calm."
    found = "; ".join(f"{name}: {', '.join(disturbances)}" for name, disturbances in disturbed.items())
    return f"The machine was not calm enough to believe these figures: {found}."


def render_last_line(outcomes: Sequence[MeasurementOutcome]) -> str:
    """Render every figure under its name as JSON."""
    numbers: dict[str, object] = {}
    for outcome in outcomes:
        figures: Mapping[str, object] = outcome.measured.to_numbers() if outcome.measured else {}
        numbers |= figures
    calibrations = list_calibrations(outcomes)
    numbers["calm"] = all(each.is_calm for each in calibrations.values())
    numbers["calibration"] = {name: each.to_numbers() for name, each in calibrations.items()}
    return json.dumps(numbers)


def list_failed(outcomes: Sequence[MeasurementOutcome]) -> list[str]:
    return [outcome.name for outcome in outcomes if outcome.measured is None]
