"""Names in product code use standard terms: retired words are refused as parts of identifiers."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PRODUCT: Final = sorted(
    path for folder in ("libs", "services", "tools") for path in (ROOT / folder).glob("*/src/**/*.py")
)
RETIRED: Final = frozenset(
    {
        "handful",
        "handfuls",
        "tells",
        "twin",
        "whoever",
        "aside",
        "hears",
        "town",
        "pulse",
        "sleepers",
        "lane",
        "lanes",
        "scenery",
        "happening",
        "happenings",
        "occasion",
        "standings",
        "house",
        "siblings",
        "surroundings",
        "safekeeping",
        "readings",
        "ring",
        "rings",
        "rung",
        "borrowed",
        "course",
        "speaking",
    }
)


def test_no_identifier_contains_a_retired_word() -> None:
    assert sorted(_find_retired()) == []


def _find_retired() -> Iterator[str]:
    for path in PRODUCT:
        for line, name in _list_definitions(ast.parse(path.read_text())):
            words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_")
            if RETIRED.intersection(words):
                yield f"{path.relative_to(ROOT)}:{line} {name}"


def _list_definitions(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.lineno, node.name
            case ast.Name(ctx=ast.Store()):
                yield node.lineno, node.id
            case ast.Attribute(ctx=ast.Store()):
                yield node.lineno, node.attr
            case ast.arg():
                yield node.lineno, node.arg
            case _:
                pass
