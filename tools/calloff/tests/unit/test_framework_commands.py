"""`calloff framework check` and `diff`, on the definitions of this repository and on broken ones."""

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from calloff.commands.__main__ import app

FRAMEWORKS = Path(__file__).parents[4] / "frameworks"
ESSEX = FRAMEWORKS / "essex-live-at-home-2025.yaml"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["framework", *arguments])


def test_check_explains_a_definition_stage_by_stage(tmp_path: Path) -> None:
    picture = tmp_path / "roads.svg"
    result = run("check", str(ESSEX), "--svg", str(picture))
    assert result.exit_code == 0, result.output
    assert "A referral for personal care in Basildon (community):" in result.output
    assert (
        "1. **tier-1**: The active providers of the area (Tier 1) are offered the package one at a time"
        in result.output
    )
    assert "flowchart LR" in result.output
    assert picture.read_text().startswith("<svg ")


def test_check_refuses_a_broken_definition_with_line_reason_and_remedy(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text(ESSEX.read_text().replace("to: {tiers: [tier-2]}", "to: {tiers: [tier-9]}"))
    result = run("check", str(broken))
    assert result.exit_code == 1
    line = next(number for number, text in enumerate(broken.read_text().splitlines(), 1) if "tier-9" in text)
    assert f"line {line}: " in result.output
    assert "is not declared; add it to tiers, or correct the word" in result.output


def test_check_says_that_a_file_cannot_be_read(tmp_path: Path) -> None:
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"title: Caf\xe9")
    assert run("check", str(latin)).exit_code == 66
    assert run("check", str(tmp_path / "absent.yaml")).exit_code == 66


def test_diff_says_what_changes_for_whom(tmp_path: Path) -> None:
    changed = tmp_path / "changed.yaml"
    changed.write_text(
        ESSEX.read_text()
        .replace("version: 1\n", "version: 2\n", 1)
        .replace("phone: PT15M", "phone: PT20M", 1)
        .replace("providers_per_area: 10 ", "providers_per_area: 12 ", 1)
    )
    result = run("diff", str(ESSEX), str(changed))
    assert result.exit_code == 0, result.output
    assert "**Stage tier-1**" in result.output
    assert "20 minutes by telephone" in result.output
    assert "at most 12 providers an area" in result.output
    changes = json.loads(run("diff", str(ESSEX), str(changed), "--json").output)
    assert {change["about"] for change in changes} == {"Stage tier-1", "Tier 1"}


def test_diff_of_a_definition_with_itself_is_empty() -> None:
    assert "Nothing changes." in run("diff", str(ESSEX), str(ESSEX)).output
