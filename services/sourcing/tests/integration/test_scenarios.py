"""The rows of the scenario tables that are marked so, played on a running sourcing with Kafka and PostgreSQL."""

from pathlib import Path
from typing import Final

import pytest

from testkit.sourcing.harness import SourcingHarness
from testkit.sourcing.scenario_framework_stack import create_stack_runner
from testkit.sourcing.scenario_tables import ScenarioRow, read_rows, run_scenario

pytestmark = pytest.mark.xdist_group("sourcing")

TABLES: Final = Path(__file__).parents[4] / "tests" / "scenarios"
ROWS: Final = [row for row in read_rows(TABLES) if row.is_for_running_stack]


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.location.partition('.')[0]}: {row.sentence}" for row in ROWS])
async def test_scenario_on_the_running_stack(harness: SourcingHarness, row: ScenarioRow) -> None:
    runner = create_stack_runner(harness, row)
    await run_scenario(row, runner)
    assert await harness.find_faults([runner.package]) == []
