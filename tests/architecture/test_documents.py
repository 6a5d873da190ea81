"""Files, functions, tests, metrics and commands that documentation pages name exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
import yaml

from calloff.commands.__main__ import app

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "docs" / "architecture.md",
    ROOT / "docs" / "operations.md",
    ROOT / "docs" / "scaling.md",
]
SOURCES = [ROOT, *ROOT.glob("services/*/src"), *ROOT.glob("libs/*/src"), *ROOT.glob("tools/*/src")]
ALERTS = ROOT / "deploy" / "observability" / "alerts.yaml"
CODE = "".join(path.read_text() for root in SOURCES[1:] for path in root.rglob("*.py"))

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def _find_quoted(page: Path) -> list[str]:
    return re.findall(r"`([^`\n]+)`", page.read_text())


def _find_paths(path: str) -> list[Path]:
    """Returns the files or folders of a path relative to the root or to a source folder."""
    return [root / path for root in SOURCES if (root / path).exists()]


def _has_definition(file: Path, name: str) -> bool:
    return re.search(rf"^\s*(async def|def|class) {re.escape(name)}\b", file.read_text(), re.MULTILINE) is not None


@every_page
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    path = re.compile(
        r"[\w.-]+(/[\w.-]+)+\.(py|md|yaml|yml|toml|json|xml)|(libs|services|tools|docs|deploy|frameworks)(/[\w-]+)*/?"
    )
    paths = [quoted.partition("::")[0] for quoted in _find_quoted(page)]
    assert [each for each in paths if path.fullmatch(each) and not _find_paths(each)] == []


@every_page
def test_every_function_and_test_that_a_page_names_exists(page: Path) -> None:
    places = [quoted.split("::") for quoted in _find_quoted(page) if "::" in quoted]
    assert [
        (path, name) for path, name in places if not any(_has_definition(file, name) for file in _find_paths(path))
    ] == []


@every_page
def test_every_link_has_a_target(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]*)(?:#([^)]*))?\)", page.read_text())
    assert [link for link in links if not _is_valid_link(page, *link)] == []


def _is_valid_link(page: Path, target: str, heading: str) -> bool:
    file = (page.parent / target) if target else page
    return file.exists() and (not heading or heading in _list_headings(file))


def _list_headings(page: Path) -> Iterator[str]:
    for line in re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE):
        yield re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", [*PAGES, ALERTS], ids=lambda page: page.name)
def test_every_metric_that_a_page_names_exists(page: Path) -> None:
    named = set(re.findall(r"\bcalloff_[a-z_]+\b", page.read_text())) - {"calloff_metrics"}
    assert [name for name in sorted(named) if f'"{_strip_metric_suffix(name)}"' not in CODE] == []


def test_every_alert_has_a_summary_and_links_to_a_section_of_the_operations_page() -> None:
    rules = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    assert [rule["alert"] for rule in rules if not rule["expr"] or not rule["annotations"]["summary"]] == []
    assert [
        rule["alert"]
        for rule in rules
        if not _is_valid_link(ROOT / "README.md", *rule["annotations"]["runbook"].split("#"))
    ] == []


def _strip_metric_suffix(name: str) -> str:
    """Removes the suffix that the client library adds to a metric's name."""
    return re.sub(r"_(total|bucket|sum|count|created)$", "", name)


@every_page
def test_every_command_on_a_page_exists(page: Path) -> None:
    named = set(re.findall(r"(?:^|[`(/ ])calloff ([a-z][a-z-]+)", "\n".join(_find_typed_commands(page)), re.MULTILINE))
    known = set(typer.main.get_command(app).commands)  # pyright: ignore  # typer's group has no public type
    assert sorted(named - known) == []


def _find_typed_commands(page: Path) -> Iterator[str]:
    """Yields the text of shell blocks, of lines with a prompt, and between backticks."""
    text = page.read_text()
    yield from re.findall(r"^\s*\$ (calloff .*)$", text, re.MULTILINE)
    yield from re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    yield from (f"`{quoted}`" for quoted in _find_quoted(page))
