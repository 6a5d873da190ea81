"""Each package of this repository declares those packages of it that it imports, and no others."""

import ast
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = sorted(
    path.parent for folder in ("libs", "services", "tools") for path in ROOT.glob(f"{folder}/*/pyproject.toml")
)


def _read_project(package: Path) -> dict[str, Any]:
    return tomllib.loads((package / "pyproject.toml").read_text())["project"]


def _find_module(package: Path) -> str:
    return next(path.name for path in (package / "src").iterdir() if (path / "__init__.py").exists())


DISTRIBUTIONS: Final = {_find_module(package): str(_read_project(package)["name"]) for package in PACKAGES}


def _find_imported(package: Path) -> set[str]:
    modules = {
        module.partition(".")[0]
        for path in (package / "src").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for module in _list_modules(node)
    }
    return {DISTRIBUTIONS[module] for module in modules - {_find_module(package)} if module in DISTRIBUTIONS}


def _list_modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_a_package_declares_the_packages_of_this_repository_that_it_imports(package: Path) -> None:
    declared = set(_read_project(package)["dependencies"]) & set(DISTRIBUTIONS.values())
    assert declared == _find_imported(package)
