"""Every row of the scenario tables is true of the rules, and invalid rows fail with their file and line."""

from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from testkit.sourcing.scenario_framework_runner import FrameworkScenarioRunner, create_rules_runner
from testkit.sourcing.scenario_runner import RulesScenarioRunner
from testkit.sourcing.scenario_steps import GIVEN, THEN, WHEN
from testkit.sourcing.scenario_tables import ScenarioRow, UnreadableTable, read_rows, run_scenario

ROWS: Final = read_rows(Path(__file__).parent)
COUNCILS: Final = {
    "essex-2025": "essex-live-at-home-2025",
    "essex-2021": "essex-live-at-home-2021",
    "oxfordshire": "oxfordshire-live-well-at-home",
    "leicestershire": "leicestershire-home-care",
    "devon-like": "devon-like",
}
"""The tables of the councils, each with the definition of `frameworks/` that it is about."""
A_TABLE: Final = "| Scenario | Given | When | Then | Also |\n| --- | --- | --- | --- | --- |\n"


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.location.partition('.')[0]}: {row.sentence}" for row in ROWS])
async def test_scenario(row: ScenarioRow) -> None:
    await run_scenario(row, create_rules_runner(row))


def test_the_runner_implements_every_phrase() -> None:
    verbs = {**GIVEN, **WHEN, **THEN}.values()
    assert [verb for verb in verbs if not callable(getattr(FrameworkScenarioRunner, verb, None))] == []


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


COUNCIL: Final = "the framework leicestershire-home-care; a package of home care in Bottesford"


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ("the framework leicestershire", "no definition leicestershire.yaml"),
        (COUNCIL.replace("Bottesford", "Bottisford"), "'Bottisford' is none of bottesford, castle donington"),
        (COUNCIL.replace("home care in", "night care in"), "'night care' is none of home care"),
        (f"{COUNCIL}; strategic provider in Melton: Alder", "'strategic provider' is none of framework provider"),
        (f"{COUNCIL}; framework providers in Melton: Alder at £35.00", "£35.00 is not between £21.50 and £27.50"),
        (f"{COUNCIL}; framework providers in Melton: Alder; the place of Alder in Melton is away", "'away'"),
        (f"{COUNCIL}; framework providers in Melton: Alder; the place of Alder is active", "Alder has no place in"),
    ],
)
async def test_a_word_that_the_framework_does_not_have_fails_with_its_line(
    tmp_path: Path, given: str, named: str
) -> None:
    (tmp_path / "invented.md").write_text(f"{A_TABLE}| It | {given} | 09:00 nothing more happens | | |")
    (read,) = read_rows(tmp_path)
    with pytest.raises(AssertionError, match=r"invented\.md:3") as failure:
        await run_scenario(read, create_rules_runner(read))
    assert named in str(failure.value)


def test_shared_sentences_hold_for_the_rows_below_them(tmp_path: Path) -> None:
    first, second = "| One | tier 2: Elm | | | |\n", "| Two | | | | |\n"
    shared = "Given in each row: tier 1: Alder; the person refuses Alder.\n\n"
    other = "Given in each row: tier 1: Birch.\n\n"
    (tmp_path / "invented.md").write_text(f"{second}{shared}{A_TABLE}{first}{other}{second}".replace("Two", "Three", 1))
    assert [row.given for row in read_rows(tmp_path)] == [
        (),
        ("tier 1: Alder", "the person refuses Alder", "tier 2: Elm"),
        ("tier 1: Birch",),
    ]


@pytest.mark.parametrize(
    ("then", "found"),
    [
        ("the live offers: Alder, Birch", "unknown sentence"),
        ("live offers: Alder", "have live offers"),
        ("asked at once: Birch", "were asked"),
        ("the offer to Alder is at £23.01", "the offer is at £23.00"),
        ("the offer to Alder ends 11:01", "the offer ends"),
    ],
)
async def test_a_false_row_of_a_council_fails_with_the_actual_state(tmp_path: Path, then: str, found: str) -> None:
    providers = "framework providers in Bottesford: Alder at £23.00, Birch at £24.00"
    row = f"| It | {COUNCIL}; {providers} | 09:00 the package is requested | {then} | |"
    (tmp_path / "invented.md").write_text(A_TABLE + row)
    (read,) = read_rows(tmp_path)
    with pytest.raises((AssertionError, UnreadableTable), match=found):
        await run_scenario(read, create_rules_runner(read))


def test_essex_has_its_whole_road_of_which_a_dozen_rows_run_on_the_stack() -> None:
    rows = [row for row in ROWS if row.location.startswith("essex-2025.md")]
    assert len(rows) >= 150
    assert sum(row.is_for_running_stack for row in rows) >= 20


@pytest.mark.parametrize("file", COUNCILS)
def test_each_council_has_sixty_rows_of_which_some_run_on_the_stack(file: str) -> None:
    rows = [row for row in ROWS if row.location.startswith(f"{file}.md")]
    assert len(rows) >= 60
    assert sum(row.is_for_running_stack for row in rows) >= 3
    assert {row.framework for row in rows} == {COUNCILS[file]}
