"""A framework's YAML becomes a `FrameworkDefinition`, or a refusal that names every wrong line and what to do about it.

Text in, value out; reading files is the caller's. YAML 1.1 turns some unquoted words into something else (17:00 into
1020, `on` into true, 010 into 8): such words are refused with an explanation, never guessed at. What the sections say
about each other (a doubled area, a service type without a price) is looked at once each is right by itself.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final

import yaml
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from contracts.errors import FieldError, InvalidInput
from contracts.framework import FrameworkDefinition

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a definition: where, why, and what to do."""

    line: int
    path: str
    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.path}: {self.reason}; {self.remedy}"


class DefinitionRefused(InvalidInput):
    """The framework's definition is not right; all its problems, in the order of their lines."""

    title = "This framework definition is not right"

    def __init__(self, source: str, problems: tuple[Problem, ...]) -> None:
        super().__init__(*(_field_error(problem) for problem in problems))
        self.args = ("\n".join([f"{source} is refused:", *(f"  {problem}" for problem in problems)]),)
        self.source = source
        self.problems = problems


def read_definition(text: str, *, source: str) -> FrameworkDefinition:
    """The definition that `text` spells; `source` says in messages where the text came from.

    Raises DefinitionRefused, with all problems at once.
    """
    document = _composed(text, source)
    reading = _Reading()
    plain = reading.plain(document, ())
    try:
        # From JSON, strictly: the number 830 is then no time of day, the word "true" no boolean, 30 no duration.
        definition = FrameworkDefinition.model_validate_json(json.dumps(plain), strict=True)
    except ValidationError as error:
        raise DefinitionRefused(source, _all_problems(reading, document, error)) from None
    if reading.problems:
        raise DefinitionRefused(source, _in_order(reading.problems.values()))
    return definition


def _composed(text: str, source: str) -> yaml.Node:
    """YAML's own tree of `text`, in which every node knows its line."""
    try:
        document = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise DefinitionRefused(source, (_broken_syntax(error),)) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        problem = Problem(line, "(text)", "a character that YAML does not allow", "remove it; save the file as UTF-8")
        raise DefinitionRefused(source, (problem,)) from None
    except RecursionError:
        problem = Problem(1, "(text)", "nested too deep to be a definition", "follow an existing definition's shape")
        raise DefinitionRefused(source, (problem,)) from None
    if document is None:
        problem = Problem(1, "(text)", "the definition is empty", "start from an existing definition")
        raise DefinitionRefused(source, (problem,))
    return document


def _broken_syntax(error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    return Problem(
        line=mark.line + 1 if mark else 1,
        path="(text)",
        reason=f"this is not YAML: {error.problem or error.context}",
        remedy="look at the indentation (spaces, no tabs), colons and quotes of this line and the one above",
    )


@dataclass
class _Reading:
    """One pass over the tree: plain values out, and what YAML itself would get wrong, by path."""

    problems: dict[Path, Problem] = field(default_factory=dict[Path, Problem])
    seen: set[int] = field(default_factory=set[int])

    def plain(self, node: yaml.Node, path: Path) -> object:
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if id(node) in self.seen:
            return self._refuse(node, path, "an alias (*) repeats another part", "write the part out in both places")
        self.seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            return [self.plain(item, (*path, position)) for position, item in enumerate(node.value)]
        return self._mapping(node, path)

    def _mapping(self, node: yaml.Node, path: Path) -> dict[str, object]:
        values: dict[str, object] = {}
        for key, value in node.value:
            here = (*path, str(key.value))
            if not isinstance(key, yaml.ScalarNode):
                self._refuse(key, here, "a key is a list or a section here", "write a plain word as the key")
            elif key.value in values:
                self._refuse(key, here, "this key is given twice in one section", "keep one of the two")
            else:
                values[key.value] = self.plain(value, here)
        return values

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> object:
        text = node.value
        if node.style is not None:
            return text
        for trap in _TRAPS:
            if trap.catches(node.tag, text):
                return self._refuse(node, path, trap.reason, trap.remedy, instead=text)
        return _plain(node.tag, text)

    def _refuse(self, node: yaml.Node, path: Path, reason: str, remedy: str, *, instead: object = None) -> object:
        self.problems[path] = Problem(node.start_mark.line + 1, _spelled(path), reason, remedy)
        return instead


@dataclass(frozen=True)
class _Trap:
    """A word without quotes that YAML 1.1 reads as something other than what stands there."""

    tag: str
    harmless: str
    reason: str
    remedy: str

    def catches(self, tag: str, text: str) -> bool:
        return tag == self.tag and re.fullmatch(self.harmless, text) is None


_YAML: Final = "tag:yaml.org,2002:"
_CLOCK: Final = r"[0-9]{1,2}(:[0-9]{2}){1,2}"
_TIME_REMEDY: Final = 'put it in quotes, such as "17:00"'
_TRAPS: Final = (
    _Trap(
        f"{_YAML}int",
        r"-?(0|[1-9][0-9]{0,17})",
        "without quotes YAML counts 17:00 in sixties (1020) and reads 010 as eight",
        'put a time or a code in quotes, such as "17:00"; write a number in plain digits without a leading zero',
    ),
    # 08:30 stays text by a whim of YAML 1.1, 17:00 does not; whoever edits 08:30 to 10:30 should not have to know.
    _Trap(
        f"{_YAML}str",
        rf"(?!{_CLOCK}$)[\s\S]*",
        "a time of day without quotes is a number to YAML as soon as it is 10:00 or later",
        _TIME_REMEDY,
    ),
    _Trap(
        f"{_YAML}float",
        r"-?[0-9]+\.[0-9]+",
        "without quotes YAML reads this as a number of a special form",
        "write a number in plain digits, such as 24.10, or put the text in quotes",
    ),
    _Trap(
        f"{_YAML}bool",
        r"true|false",
        "without quotes YAML reads on, off, yes and no as true and false",
        "write true or false; if the word itself is meant, put it in quotes",
    ),
)


def _plain(tag: str, text: str) -> object:
    """Whole numbers, booleans and nothing; all else stays text, so that 24.10 keeps its digits."""
    if tag == f"{_YAML}int":
        return int(text)
    if tag == f"{_YAML}bool":
        return text == "true"
    return None if tag == f"{_YAML}null" else text


def _all_problems(reading: _Reading, document: yaml.Node, error: ValidationError) -> tuple[Problem, ...]:
    found = {path: problem for path, problem in _by_path(document, error) if path not in reading.problems}
    return _in_order([*reading.problems.values(), *found.values()])


def _by_path(document: yaml.Node, error: ValidationError) -> Iterator[tuple[Path, Problem]]:
    details = error.errors(include_url=False, include_input=False)
    for detail in details:
        if detail["type"] == "too_short" and _has_a_wrong_item(detail, details):
            continue
        line, path = _located(document, _place(detail))
        yield path, Problem(line, _spelled(path), *_explained(detail))


def _place(detail: ErrorDetails) -> Path:
    """Where the error is; of a section that could be one of several kinds, the key that says which."""
    is_about_kind = detail["type"].startswith("union_tag")
    return (*detail["loc"], *([_DISCRIMINATOR] if is_about_kind else []))


def _has_a_wrong_item(detail: ErrorDetails, details: list[ErrorDetails]) -> bool:
    """Too short only because its wrong items were not counted: the items are the problem."""
    depth = len(detail["loc"])
    return any(len(other["loc"]) > depth and other["loc"][:depth] == detail["loc"] for other in details)


def _located(node: yaml.Node, loc: Path) -> tuple[int, Path]:
    """The line of `loc`, or of the section where it is missing, and its path without what only the schema knows."""
    line, path = node.start_mark.line + 1, list[str | int]()
    for position, part in enumerate(loc):
        step = _child(node, part)
        if step is not None:
            line, node = step
            path.append(part)
        elif position == len(loc) - 1:
            path.append(part)
    return line, tuple(path)


def _child(node: yaml.Node, part: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
        item = node.value[part]
        return item.start_mark.line + 1, item
    entries = _entries(node) if isinstance(node, yaml.MappingNode) else ()
    return next(((key.start_mark.line + 1, value) for key, value in entries if key.value == part), None)


def _entries(node: yaml.Node) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode):
            yield key, value


def _explained(detail: ErrorDetails) -> tuple[str, str]:
    """Reason and remedy in the words of the person who edits the file; never what stands there."""
    kind, limits = detail["type"], detail.get("ctx", {})
    if kind == "disagreement":
        reason, _, remedy = str(limits["reason"]).partition("; ")
        return reason, remedy or "change one of the two"
    if kind == "extra_forbidden":
        return "is not a key of this section", _suggestion(str(detail["loc"][-1]))
    if words := limits.get("expected") or limits.get("expected_tags"):
        return "is not one of the words that stand here", f"write {words}"
    if kind == "string_pattern_mismatch":
        return "is not in the form that is needed here", f"write it so that it matches {limits['pattern']}"
    for prefix, explanation in _EXPLANATIONS.items():
        if kind.startswith(prefix):
            return explanation
    return "is not right", detail["msg"].removeprefix("Value error, ")


_DISCRIMINATOR: Final = "procedure"
_EXPLANATIONS: Final = {
    "union_tag_not_found": ("says not which procedure it follows", "add procedure: sequential-offers, for example"),
    "missing": ("is missing", "add it to this section"),
    "date_": ("is not a date", "write year, month and day, such as 2025-11-09"),
    "time_delta": ("is not a length of time", "write minutes as PT30M"),
    "time_": ("is not a time of day", 'write it with two digits each and in quotes, such as "08:30"'),
    "decimal_": ("is not an amount in pounds", "write at most two decimal places, such as 24.10"),
    "int_": ("is not a whole number", "write plain digits without quotes"),
    "bool_": ("is neither true nor false", "write true or false without quotes"),
    "string_type": ("is not text", "write text here, in quotes if it looks like a number"),
    "tuple_type": ("is not a list", "write a list: one item a line, each beginning with a dash"),
    "model_": ("is not a section", "write keys with values under it, indented"),
    "too_short": ("is an empty list", "give at least one item"),
    "greater_than": ("is too small", "write a larger number"),
    "less_than": ("is too large", "write a smaller number"),
    "string_too": ("has the wrong length", "write a text that is neither empty nor longer than a line or two"),
}


def _suggestion(key: str) -> str:
    close = get_close_matches(key, _KNOWN_KEYS, n=1)
    return f"did you mean {close[0]}?" if close else "remove it, or look for its place in the schema"


def _known_keys() -> tuple[str, ...]:
    schema = TypeAdapter(FrameworkDefinition).json_schema()
    sections = (schema, *schema["$defs"].values())
    return tuple(sorted({key for section in sections for key in section.get("properties", {})}))


_KNOWN_KEYS: Final = _known_keys()


def _spelled(path: Path) -> str:
    """`sourcing[0].answer_within.webhook`"""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.lstrip(".") or "(text)"


def _in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda problem: (problem.line, problem.path)))


def _field_error(problem: Problem) -> FieldError:
    pointer = "#/" + re.sub(r"\[(\d+)\]", r"/\1", problem.path).replace(".", "/")
    return FieldError(pointer, f"line {problem.line}: {problem.reason}; {problem.remedy}")
