"""Migrations are frozen text: what they do must not change with the code of the services."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

REPOSITORY: Final = Path(__file__).parents[2]
MIGRATIONS: Final = sorted(REPOSITORY.glob("services/*/src/*/migrations/versions/*.py"))


def _find_imports(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield node.module or "."


@pytest.mark.parametrize("path", MIGRATIONS, ids=lambda path: f"{path.parents[2].name}-{path.stem}")
def test_a_migration_imports_nothing_but_alembic(path: Path) -> None:
    assert set(_find_imports(path.read_text(encoding="utf-8"))) == {"alembic"}


def test_every_service_has_migrations() -> None:
    services = {path.parents[3].parent.name for path in MIGRATIONS}
    assert services == {path.name for path in (REPOSITORY / "services").iterdir() if path.is_dir()}
