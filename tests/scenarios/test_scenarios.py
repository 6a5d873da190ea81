"""Every row of the scenario tables is true of the rules, and invalid rows fail with their file and line."""

from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from testkit.sourcing.scenario_runner import RulesScenarioRunner
from testkit.sourcing.scenario_steps import GIVEN, THEN, WHEN
from testkit.sourcing.scenario_tables import ScenarioRow, UnreadableTable, read_rows, run_scenario

ROWS: Final = read_rows(Path(__file__).parent)
A_TABLE: Final = "| Scenario | Given | When | Then | Also |\n| --- | --- | --- | --- | --- |\n"


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.location.partition('.')[0]}: {row.sentence}" for row in ROWS])
async def test_scenario(row: ScenarioRow) -> None:
    await run_scenario(row, RulesScenarioRunner())


def test_the_runner_implements_every_phrase() -> None:
    verbs = {**GIVEN, **WHEN, **THEN}.values()
    assert [verb for verb in verbs if not callable(getattr(RulesScenarioRunner, verb, None))] == []


def test_each_scenario_has_a_sentence_of_its_own() -> None:
    assert [sentence for sentence, count in Counter(row.sentence for row in ROWS).items() if count > 1] == []


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ("| It | tier 1: Alder | 09:00 the package is requestd | the live offer is to Alder | |", "invented.md:3"),
        ("| It | tier 1: Alder | 09:00 the package is requested | Alder is happy | |", "'Alder is happy'"),
        ("| It | tier one: Alder | 09:00 the package is requested | nobody has an offer | |", "'tier one: Alder'"),
        ("| It | tier 1: Alder | 9 o'clock the package is requested | nobody has an offer | |", "9 o'clock"),
    ],
)
async def test_an_unknown_phrase_fails_with_its_line(tmp_path: Path, row: str, named: str) -> None:
    (tmp_path / "invented.md").write_text(A_TABLE + row)
    (read,) = read_rows(tmp_path)
    with pytest.raises(UnreadableTable) as failure:
        await run_scenario(read, RulesScenarioRunner())
    assert named in str(failure.value)
    assert "invented.md:3" in str(failure.value)


@pytest.mark.parametrize(
    "row", ["| It | tier 1: Alder | 09:00 the package is requested |", "| a | b | c | d | sometimes |"]
)
def test_a_row_of_another_form_fails_with_its_line(tmp_path: Path, row: str) -> None:
    (tmp_path / "invented.md").write_text(A_TABLE + row)
    with pytest.raises(UnreadableTable, match=r"invented\.md:3"):
        read_rows(tmp_path)


async def test_a_false_row_fails_with_the_actual_state_and_its_line(tmp_path: Path) -> None:
    row = "| It | tier 1: Alder, Birch | 09:00 the package is requested | the live offer is to Birch | |"
    (tmp_path / "invented.md").write_text(A_TABLE + row)
    (read,) = read_rows(tmp_path)
    with pytest.raises(AssertionError, match=r"invented\.md:3: 'the live offer is to Birch' is not true"):
        await run_scenario(read, RulesScenarioRunner())
