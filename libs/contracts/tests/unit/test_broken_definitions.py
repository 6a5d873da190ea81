"""Every contradiction of a definition is reported at its line, with its reason and its remedy."""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from contracts import bank_holidays, contradictions, definition_limits
from contracts.contradictions import Contradiction
from contracts.framework import agreement, competition_rules
from contracts.review import orders, prices_and_times, roads
from testkit.broken_definitions.corpus import BROKEN_DEFINITIONS
from testkit.definition_text import change_text, list_problems, write_definition

GOOD = write_definition()
JUDGES = (
    agreement,
    bank_holidays,
    competition_rules,
    contradictions,
    definition_limits,
    orders,
    prices_and_times,
    roads,
)

Place = tuple[str, int]


def _write(name: str) -> str:
    return change_text(GOOD, *BROKEN_DEFINITIONS[name].edits)


def test_the_definition_without_an_edit_is_accepted() -> None:
    assert list_problems(GOOD) == ()


@pytest.mark.parametrize("name", BROKEN_DEFINITIONS)
def test_a_broken_definition_is_refused_at_its_line_with_reason_and_remedy(name: str) -> None:
    expected, text = BROKEN_DEFINITIONS[name], _write(name)
    lines = text.split("\n")
    (problem,) = list_problems(text)
    assert expected.line in lines[problem.line - 1]
    assert expected.reason in problem.reason
    assert expected.remedy in problem.remedy


def test_every_contradiction_that_code_can_find_is_in_the_corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    found = set[Place]()
    build = Contradiction.__init__

    def record(self: Contradiction, path: tuple[str | int, ...], reason: str) -> None:
        frame = inspect.currentframe()
        caller = frame.f_back if frame is not None else None
        if caller is not None:
            found.add((caller.f_code.co_filename, caller.f_lineno))
        build(self, path, reason)

    monkeypatch.setattr(Contradiction, "__init__", record)
    for name in BROKEN_DEFINITIONS:
        list_problems(_write(name))
    missing = [
        f"{Path(file).name}:{first}" for file, first, last in _list_calls() if not _is_in(found, file, first, last)
    ]
    assert missing == []


def _is_in(found: set[Place], file: str, first: int, last: int) -> bool:
    return any((file, line) in found for line in range(first, last + 1))


def _list_calls() -> Iterator[tuple[str, int, int]]:
    """Yields file, first and last line of every place at which a contradiction is built."""
    for module in JUDGES:
        yield from _list_calls_of(module)


def _list_calls_of(module: ModuleType) -> Iterator[tuple[str, int, int]]:
    file = inspect.getsourcefile(module)
    assert file is not None
    for node in ast.walk(ast.parse(Path(file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Contradiction":
            yield file, node.lineno, node.end_lineno or node.lineno
