"""The problems of a framework definition, each with its line, and the error that reports all of them."""

import re
from dataclasses import dataclass
from typing import Final

from contracts.errors import FieldError, InvalidInput

Path = tuple[str | int, ...]
_LONGEST_KEY: Final = 60


@dataclass(frozen=True)
class DefinitionProblem:
    """One error in a definition: line, path, reason and remedy."""

    line: int
    path: str
    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.path}: {self.reason}; {self.remedy}"


class DefinitionRefused(InvalidInput):
    """The framework definition is invalid; all its problems, in the order of their lines."""

    title = "Invalid framework definition"

    def __init__(self, source: str, problems: tuple[DefinitionProblem, ...]) -> None:
        super().__init__(*(_make_field_error(problem) for problem in problems))
        self.args = ("\n".join([f"{source} is refused:", *(f"  {problem}" for problem in problems)]),)
        self.source = source
        self.problems = problems


def format_path(path: Path) -> str:
    """`sourcing[0].answer_within.webhook`; the end of a very long key is left out."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{_shorten(part)}" for part in path)
    return text.lstrip(".") or "(text)"


def _shorten(key: str) -> str:
    return key if len(key) <= _LONGEST_KEY else f"{key[:_LONGEST_KEY]}…"


def _make_field_error(problem: DefinitionProblem) -> FieldError:
    pointer = "#/" + re.sub(r"\[(\d+)\]", r"/\1", problem.path).replace(".", "/")
    return FieldError(pointer, f"line {problem.line}: {problem.reason}; {problem.remedy}")
