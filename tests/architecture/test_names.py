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
        "afterwards",
        "agenda",
        "anew",
        "aside",
        "beside",
        "borrowed",
        "course",
        "crowd",
        "diary",
        "everybody",
        "handful",
        "handfuls",
        "happening",
        "happenings",
        "hear",
        "heard",
        "hears",
        "horizon",
        "house",
        "lane",
        "lanes",
        "logbook",
        "manners",
        "nobody",
        "noted",
        "occasion",
        "outlet",
        "parking",
        "patience",
        "patiently",
        "performer",
        "pulse",
        "readings",
        "ring",
        "rings",
        "rung",
        "safekeeping",
        "said",
        "says",
        "scenery",
        "siblings",
        "sleeper",
        "sleepers",
        "somebody",
        "speaking",
        "standings",
        "surroundings",
        "tell",
        "tells",
        "told",
        "town",
        "turnstile",
        "twin",
        "vault",
        "voice",
        "whoever",
    }
)

WIRE_NAMES: Final = frozenset({"said_by"})
"""Fields of published HTTP responses keep their names."""


def test_no_identifier_contains_a_retired_word() -> None:
    assert sorted(_find_retired()) == []


def _find_retired() -> Iterator[str]:
    for path in PRODUCT:
        for line, name in _list_definitions(ast.parse(path.read_text())):
            words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_")
            if RETIRED.intersection(words) and name not in WIRE_NAMES:
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
