"""The house keeps its shape: the same rooms in every service, one commit point, nothing left undone."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = sorted(path for path in (ROOT / "services").glob("*/src/*") if path.is_dir())
ROOMS = {
    "__main__",
    "wiring",
    "settings",
    "api",
    "subscriptions",
    "handlers",
    "ports",
    "domain",
    "store",
    "migrations",
}
PRODUCT = sorted(path for folder in ("libs", "services", "tools") for path in (ROOT / folder).glob("*/src/**/*.py"))


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.name)
def test_every_service_has_the_same_rooms(service: Path) -> None:
    rooms = {path.stem for path in service.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert rooms - {"__init__", "py", "__pycache__"} == ROOMS


def test_what_is_forbidden_to_one_service_is_forbidden_to_all() -> None:
    """A list of the import contracts that names a room of one service names it of every one, and so do the tools."""
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    contracts = tools["importlinter"]["contracts"]
    lists = {
        "known-first-party": tools["ruff"]["lint"]["isort"]["known-first-party"],
        "root_packages": tools["importlinter"]["root_packages"],
        **{f"{each['name']}: {key}": each[key] for each in contracts for key in each if isinstance(each[key], list)},
    }
    forgotten = {name: _forgotten_in(modules) for name, modules in lists.items()}
    assert {name: modules for name, modules in forgotten.items() if modules} == {}


def _forgotten_in(modules: list[str]) -> set[str]:
    named = {module.strip() for layer in modules for module in layer.split("|")}
    services = {path.name for path in SERVICES}
    rooms = {room for service, _, room in (module.partition(".") for module in named) if service in services}
    return {f"{service}.{room}".rstrip(".") for service in services for room in rooms} - named


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.name)
def test_a_service_is_started_in_a_few_lines(service: Path) -> None:
    module = ast.parse((service / "__main__.py").read_text())
    assert len(module.body) <= 5, "a docstring, the imports, and one call"


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.name)
def test_no_service_commits(service: Path) -> None:
    assert [path.name for path in service.rglob("*.py") if re.search(r"\.commit\(", path.read_text())] == []


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.name)
def test_only_wiring_and_main_read_settings(service: Path) -> None:
    readers = [path.name for path in service.rglob("*.py") if re.search(r"import Settings\b", path.read_text())]
    assert sorted(readers) == ["__main__.py", "wiring.py"]


def test_nothing_is_imported_inside_a_function() -> None:
    assert list(_inner_imports()) == []


def _inner_imports() -> Iterator[str]:
    for path in PRODUCT:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                inner = [each for each in ast.walk(node) if isinstance(each, ast.Import | ast.ImportFrom)]
                yield from (f"{path.relative_to(ROOT)}:{each.lineno}" for each in inner)


def test_nothing_is_left_undone() -> None:
    word = re.compile(r"\b(TODO|FIXME|XXX)\b")
    assert [str(path.relative_to(ROOT)) for path in PRODUCT if word.search(path.read_text())] == []


def test_every_module_says_what_it_is_for_in_a_sentence() -> None:
    silent = [
        path
        for path in PRODUCT
        if "migrations" not in path.parts and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert [str(path.relative_to(ROOT)) for path in silent] == []


def test_nobody_asks_the_machine_what_time_it_is() -> None:
    """Time is an argument; the runtime's clock may ask, and what has to be real time."""
    allowed = {"clock.py", "retries.py"}  # Retry-After as a date is the other side's real time
    asking = re.compile(r"datetime\.now\(|datetime\.utcnow\(|date\.today\(")
    libraries_and_services = [path for path in PRODUCT if "tools" not in path.parts and path.name not in allowed]
    assert [str(path.relative_to(ROOT)) for path in libraries_and_services if asking.search(path.read_text())] == []


def test_a_page_of_a_list_begins_where_its_index_does() -> None:
    """Plans are made once for all values: `IS NULL OR` would read every list from its beginning (decision 0021)."""
    slow = re.compile(r":after_\w+ AS \w+\) IS NULL")
    assert [path.name for path in PRODUCT if slow.search(path.read_text())] == []
