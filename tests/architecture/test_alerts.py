"""Alerts name what to do, and raise what alerts_test.yaml says; `fetch-promtool` beside it brings what tests them."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest
import yaml

from testkit.observability_files import ALERTS, FOLDER, load_alerts

FETCHED: Final = Path(__file__).parents[2] / ".calloff" / "prometheus" / "promtool"
PROMTOOL: Final = str(FETCHED) if FETCHED.exists() else shutil.which("promtool")
CASES: Final = FOLDER / "alerts_test.yaml"

needs_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="promtool is not here: deploy/observability/fetch-promtool takes it from Debian's package"
)


def _run_promtool(*arguments: str | Path) -> None:
    assert PROMTOOL is not None
    ran = subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@needs_promtool
@pytest.mark.parametrize("what", [("check", "rules", ALERTS), ("check", "config", FOLDER / "prometheus.yaml")], ids=str)
def test_prometheus_accepts_the_files(what: tuple[str | Path, ...]) -> None:
    _run_promtool(*what)


@needs_promtool
@pytest.mark.timeout(600)
def test_alerts_fire_for_their_fault_after_their_time_and_not_for_a_healthy_installation() -> None:
    _run_promtool("test", "rules", CASES)


def test_every_alert_has_a_case_that_fires_and_one_that_does_not() -> None:
    healthy, *groups = yaml.safe_load(CASES.read_text())["tests"]
    assert [check["exp_samples"] for check in healthy["promql_expr_test"]] == [[], []]
    assert [group["name"] for group in groups] == [rule["alert"] for rule in load_alerts()]
    for group in groups:
        before, after = group["promql_expr_test"]
        assert all(f'alertname="{group["name"]}"' in check["expr"] for check in (before, after))
        assert (before["exp_samples"], len(after["exp_samples"])) == ([], 1)


def test_every_alert_says_how_urgent_it_is_and_what_to_do() -> None:
    rules = load_alerts()
    assert {rule["labels"]["severity"] for rule in rules} == {"page", "ticket"}
    assert [rule["alert"] for rule in rules if not re.fullmatch(r".{15,}\.", rule["annotations"]["action"])] == []
    assert len({rule["alert"] for rule in rules}) == len(rules) > 25
