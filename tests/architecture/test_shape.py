"""All services have the same modules, one commit point, and no unfinished code."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = sorted(path for path in (ROOT / "services").glob("*/src/*") if path.is_dir())
MODULES = {
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
def test_every_service_has_the_same_modules(service: Path) -> None:
    modules = {path.stem for path in service.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert modules - {"__init__", "py", "__pycache__"} == MODULES


def test_import_contracts_name_the_modules_of_all_services() -> None:
    """A list of the import contracts or of ruff that names a module of one service names it for every service."""
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    contracts = tools["importlinter"]["contracts"]
    lists = {
        "known-first-party": tools["ruff"]["lint"]["isort"]["known-first-party"],
        "root_packages": tools["importlinter"]["root_packages"],
        **{f"{each['name']}: {key}": each[key] for each in contracts for key in each if isinstance(each[key], list)},
    }
    missing = {name: _find_missing_modules(modules) for name, modules in lists.items()}
    assert {name: modules for name, modules in missing.items() if modules} == {}


def _find_missing_modules(modules: list[str]) -> set[str]:
    named = {module.strip() for layer in modules for module in layer.split("|")}
    services = {path.name for path in SERVICES}
    parts = [module.partition(".") for module in named]
    submodules = {submodule for service, _, submodule in parts if service in services}
    return {f"{service}.{submodule}".rstrip(".") for service in services for submodule in submodules} - named


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.name)
def test_the_main_module_of_a_service_is_short(service: Path) -> None:
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
    assert list(_find_inner_imports()) == []


def _find_inner_imports() -> Iterator[str]:
    indented = re.compile(r"^\s+(?:import|from) ", re.MULTILINE)
    for path in PRODUCT:
        text = path.read_text()
        for node in ast.walk(ast.parse(text)) if indented.search(text) else ():
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                inner = [each for each in ast.walk(node) if isinstance(each, ast.Import | ast.ImportFrom)]
                yield from (f"{path.relative_to(ROOT)}:{each.lineno}" for each in inner)


def test_no_todo_is_left() -> None:
    word = re.compile(r"\b(TODO|FIXME|XXX)\b")
    assert [str(path.relative_to(ROOT)) for path in PRODUCT if word.search(path.read_text())] == []


def test_every_module_has_a_docstring() -> None:
    undocumented = [
        path
        for path in PRODUCT
        if "migrations" not in path.parts and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert [str(path.relative_to(ROOT)) for path in undocumented] == []


def test_only_the_clock_reads_the_system_time() -> None:
    """Time is an argument everywhere else; `retries.py` needs the real time."""
    allowed = {"clock.py", "retries.py"}  # Retry-After as a date is in real time
    reading = re.compile(r"datetime\.now\(|datetime\.utcnow\(|date\.today\(")
    libraries_and_services = [path for path in PRODUCT if "tools" not in path.parts and path.name not in allowed]
    assert [str(path.relative_to(ROOT)) for path in libraries_and_services if reading.search(path.read_text())] == []


def test_pages_of_lists_use_an_index() -> None:
    """A generic plan for `IS NULL OR` reads a list from its beginning for every page (decision 0021)."""
    slow = re.compile(r":after_\w+ AS \w+\) IS NULL")
    assert [path.name for path in PRODUCT if slow.search(path.read_text())] == []
