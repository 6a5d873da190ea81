"""Every definition under `frameworks/` is accepted, explained and named after its framework."""

from pathlib import Path

import pytest

from contracts.definitions import read_definition
from contracts.framework.definition import FrameworkDefinition
from contracts.review.comparison import compare_definitions
from contracts.review.explanation import explain_definition
from contracts.review.kinds import list_kinds

FOLDER = Path(__file__).parents[2] / "frameworks"
FILES = sorted(FOLDER.glob("*.yaml"))


def _read(file: Path) -> FrameworkDefinition:
    return read_definition(file.read_text(encoding="utf-8"), source=file.name)


def test_there_are_four_councils_and_the_predecessor_of_one_framework() -> None:
    assert sorted({_read(file).council for file in FILES}) == ["devon-like", "essex", "leicestershire", "oxfordshire"]
    assert len(FILES) == 5


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_is_named_after_its_framework(file: Path) -> None:
    assert file.stem == _read(file).framework


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_definition_says_what_was_assumed_and_is_explained_with_it(file: Path) -> None:
    definition = _read(file)
    text = explain_definition(definition)
    assert definition.assumed
    assert all(each.because in text for each in definition.assumed)
    assert all(f"**{stage.stage}**" in text for stage in definition.sourcing)
    assert all(area.name in text for area in definition.areas)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_package_has_a_road(file: Path) -> None:
    definition = _read(file)
    assert all(definition.list_road(kind) for kind in list_kinds(definition))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_definition_does_not_differ_from_itself(file: Path) -> None:
    assert compare_definitions(_read(file), _read(file)) == ()


def test_the_successor_of_a_framework_says_what_changes() -> None:
    before, after = (_read(FOLDER / f"essex-live-at-home-{year}.yaml") for year in (2021, 2025))
    changes = {change.about: change.text for change in compare_definitions(before, after)}
    assert "turnover of at least £290,000 a year" in changes["Tier 1"]
    assert changes["Groups of ranked lists"].endswith(" not any more.")
    assert changes["Price of Personal care in band target-supply"].endswith("becomes no price.")
    assert "Now: The framework runs from 9 November 2025 until 8 November 2031." in changes["Life of the framework"]
