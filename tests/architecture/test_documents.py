"""The pages under docs/ name what there is: files, functions, tests, metrics and commands."""

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
]
SOURCES = [ROOT, *ROOT.glob("services/*/src"), *ROOT.glob("libs/*/src"), *ROOT.glob("tools/*/src")]
ALERTS = ROOT / "deploy" / "observability" / "alerts.yaml"
CODE = "".join(path.read_text() for root in SOURCES[1:] for path in root.rglob("*.py"))

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def _quoted(page: Path) -> list[str]:
    return re.findall(r"`([^`\n]+)`", page.read_text())


def _found(path: str) -> list[Path]:
    """The files or folders that a page can mean by a path: from the root, or from where a package lies."""
    return [root / path for root in SOURCES if (root / path).exists()]


def _defines(file: Path, name: str) -> bool:
    return re.search(rf"^\s*(async def|def|class) {re.escape(name)}\b", file.read_text(), re.MULTILINE) is not None


@every_page
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    path = re.compile(
        r"[\w.-]+(/[\w.-]+)+\.(py|md|yaml|yml|toml|json|xml)|(libs|services|tools|docs|deploy|frameworks)(/[\w-]+)*/?"
    )
    named = [quoted.partition("::")[0] for quoted in _quoted(page)]
    assert [each for each in named if path.fullmatch(each) and not _found(each)] == []


@every_page
def test_every_function_and_test_that_a_page_names_is_there(page: Path) -> None:
    places = [quoted.split("::") for quoted in _quoted(page) if "::" in quoted]
    assert [(path, name) for path, name in places if not any(_defines(file, name) for file in _found(path))] == []


@every_page
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]*)(?:#([^)]*))?\)", page.read_text())
    assert [link for link in links if not _leads(page, *link)] == []


def _leads(page: Path, target: str, heading: str) -> bool:
    file = (page.parent / target) if target else page
    return file.exists() and (not heading or heading in _headings(file))


def _headings(page: Path) -> Iterator[str]:
    for line in re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE):
        yield re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", [*PAGES, ALERTS], ids=lambda page: page.name)
def test_every_metric_that_is_named_is_measured(page: Path) -> None:
    named = set(re.findall(r"\bcalloff_[a-z_]+\b", page.read_text())) - {"calloff_metrics"}
    assert [name for name in sorted(named) if f'"{_as_declared(name)}"' not in CODE] == []


def test_every_alert_has_a_summary_and_links_to_a_section_of_the_operations_page() -> None:
    rules = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    assert [rule["alert"] for rule in rules if not rule["expr"] or not rule["annotations"]["summary"]] == []
    assert [
        rule["alert"] for rule in rules if not _leads(ROOT / "README.md", *rule["annotations"]["runbook"].split("#"))
    ] == []


def _as_declared(name: str) -> str:
    """As the client library is told it: what it appends is not in the code."""
    return re.sub(r"_(total|bucket|sum|count|created)$", "", name)


@every_page
def test_every_command_that_a_page_tells_to_type_is_there(page: Path) -> None:
    told = set(re.findall(r"(?:^|[`(/ ])calloff ([a-z][a-z-]+)", "\n".join(_typed(page)), re.MULTILINE))
    known = set(typer.main.get_command(app).commands)  # pyright: ignore  # typer's group has no public type
    assert sorted(told - known) == []


def _typed(page: Path) -> Iterator[str]:
    """What stands in blocks of shell, behind a prompt, and between backticks."""
    text = page.read_text()
    yield from re.findall(r"^\s*\$ (calloff .*)$", text, re.MULTILINE)
    yield from re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    yield from (f"`{quoted}`" for quoted in _quoted(page))
