"""Reads a framework's YAML into a `FrameworkDefinition`, or raises an error that names every wrong line and its remedy.

The caller reads the file. YAML 1.1 converts some unquoted words to other values (17:00 to 1020, `on` to true, 010 to
8); such words are refused with an explanation. Contradictions between sections (a duplicate area, a service type
without a price) are reported once every section is valid by itself, and then values beyond the limits of a definition
and gaps in its calendar. These last two apply to a definition that is about to be published, not to a stored one.
"""

import json
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import lru_cache
from typing import Final

import yaml
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from contracts.bank_holidays import find_calendar_contradictions
from contracts.definition_limits import find_limit_contradictions
from contracts.definition_loader import compose_yaml
from contracts.definition_problems import DefinitionProblem, DefinitionRefused, Path, format_path
from contracts.definition_yaml import YamlConverter
from contracts.framework.definition import FrameworkDefinition
from contracts.review.orders import find_order_contradictions
from contracts.review.prices_and_times import find_price_contradictions, find_time_contradictions
from contracts.review.roads import find_road_contradictions

MAX_PROBLEMS: Final = 100
MAX_LOCATED: Final = 300


def read_definition(text: str, *, source: str) -> FrameworkDefinition:
    """Reads the definition in `text`; `source` names the origin of the text in messages.

    Raises DefinitionRefused, with all problems at once.
    """
    document = compose_yaml(text, source)
    converter = YamlConverter()
    plain = converter.convert(document, ())
    try:
        # From JSON, strictly: the number 830 is then no time of day, the word "true" no boolean, 30 no duration.
        definition = FrameworkDefinition.model_validate_json(json.dumps(plain), strict=True)
    except ValidationError as error:
        raise DefinitionRefused(source, _collect_problems(converter, document, error)) from None
    problems = [*converter.problems.values(), *_find_publishing_problems(document, definition)]
    if problems:
        raise DefinitionRefused(source, _sort_problems(problems))
    return definition


def _find_publishing_problems(document: yaml.Node, definition: FrameworkDefinition) -> Iterator[DefinitionProblem]:
    """Yields values beyond the limits; if there are none, what is wrong with the definition as a whole."""
    found = list(find_limit_contradictions(definition)) or [
        *find_calendar_contradictions(definition),
        *find_road_contradictions(definition),
        *find_order_contradictions(definition),
        *find_price_contradictions(definition),
        *find_time_contradictions(definition),
    ]
    for contradiction in found:
        line, path = _find_line(document, contradiction.path)
        yield DefinitionProblem(line, format_path(path), *_split_reason(contradiction.reason))


def _collect_problems(
    converter: YamlConverter, document: yaml.Node, error: ValidationError
) -> tuple[DefinitionProblem, ...]:
    found = {path: problem for path, problem in _locate_problems(document, error) if path not in converter.problems}
    return _sort_problems([*converter.problems.values(), *found.values()])


def _locate_problems(document: yaml.Node, error: ValidationError) -> Iterator[tuple[Path, DefinitionProblem]]:
    """Yields the problems of the first MAX_LOCATED errors: each search for a line reads its whole section."""
    details = error.errors(include_url=False, include_input=False)[:MAX_LOCATED]
    for detail in details:
        if detail["type"] == "too_short" and _has_invalid_item(detail, details):
            continue
        line, path = _find_line(document, _find_path(detail))
        yield path, DefinitionProblem(line, format_path(path), *_explain_error(detail))


def _find_path(detail: ErrorDetails) -> Path:
    """Returns the path of the error; for a section with several variants, the path of the key that selects one."""
    discriminator = _find_discriminator(detail)
    return detail["loc"] if discriminator is None else (*detail["loc"], discriminator)


def _find_discriminator(detail: ErrorDetails) -> str | None:
    """Returns the key that selects the variant, `procedure` or `rule`; None unless the error is about that key."""
    is_about_variant = detail["type"].startswith("union_tag")
    return str(detail.get("ctx", {})["discriminator"]).strip("'") if is_about_variant else None


def _has_invalid_item(detail: ErrorDetails, details: list[ErrorDetails]) -> bool:
    """Returns True if a list is too short only because its invalid items were not counted."""
    depth = len(detail["loc"])
    return any(len(other["loc"]) > depth and other["loc"][:depth] == detail["loc"] for other in details)


def _find_line(node: yaml.Node, loc: Path) -> tuple[int, Path]:
    """Returns the line of `loc`, or of its section if it is missing, and its path without names of schema variants."""
    line, path = node.start_mark.line + 1, list[str | int]()
    for position, part in enumerate(loc):
        if position < len(loc) - 1 and _is_variant_of(node, part):
            continue
        step = _find_child(node, part)
        if step is not None:
            line, node = step
            path.append(part)
        elif position == len(loc) - 1:
            path.append(part)
    return line, tuple(path)


def _is_variant_of(node: yaml.Node, part: str | int) -> bool:
    """Returns whether `part` names the variant of a section, `rule: skill`, and not a key of it."""
    entries = _list_entries(node) if isinstance(node, yaml.MappingNode) else ()
    return any(key.value in _VARIANTS and value.value == part for key, value in entries)


def _find_child(node: yaml.Node, part: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
        item = node.value[part]
        return item.start_mark.line + 1, item
    entries = _list_entries(node) if isinstance(node, yaml.MappingNode) else ()
    return next(((key.start_mark.line + 1, value) for key, value in entries if key.value == part), None)


def _list_entries(node: yaml.MappingNode) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode):
            yield key, value


def _explain_error(detail: ErrorDetails) -> tuple[str, str]:
    """Returns reason and remedy for the person who edits the file; never the value itself."""
    kind, limits = detail["type"], detail.get("ctx", {})
    if kind == "disagreement":
        return _split_reason(str(limits["reason"]))
    if kind == "extra_forbidden":
        return "is not a key of this section", _suggest_key(str(detail["loc"][-1]))
    if values := limits.get("expected") or limits.get("expected_tags"):
        return "is not one of the allowed values", f"write {values}"
    if kind == "string_pattern_mismatch":
        return "does not match the required pattern", f"write it so that it matches {limits['pattern']}"
    if kind == "union_tag_not_found":
        return _explain_missing_variant(str(_find_discriminator(detail)))
    usual = "is not valid", detail["msg"].removeprefix("Value error, ")
    return next((text for prefix, text in _EXPLANATIONS.items() if kind.startswith(prefix)), usual)


def _explain_missing_variant(key: str) -> tuple[str, str]:
    return f"names no {key}", f"add {key}: with one of {', '.join(_VARIANTS[key])}"


def _split_reason(text: str) -> tuple[str, str]:
    reason, _, remedy = text.partition("; ")
    return reason, remedy or "change one of the two"


_EXPLANATIONS: Final = {
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


@lru_cache(maxsize=256)
def _suggest_key(key: str) -> str:
    if key in _KNOWN_KEYS:
        return "move it to the section that has it, or remove it"
    close = get_close_matches(key, _KNOWN_KEYS, n=1)
    return f"did you mean {close[0]}?" if close else "remove it, or look for its place in the schema"


def _list_known_keys() -> tuple[str, ...]:
    schema = TypeAdapter(FrameworkDefinition).json_schema()
    sections = (schema, *schema["$defs"].values())
    return tuple(sorted({key for section in sections for key in section.get("properties", {})}))


_KNOWN_KEYS: Final = _list_known_keys()


def _list_variants() -> dict[str, tuple[str, ...]]:
    """Returns the values of each key that selects a variant of a section, by key."""
    sections = TypeAdapter(FrameworkDefinition).json_schema()
    found = dict[str, tuple[str, ...]]()
    for section in (sections, *sections["$defs"].values()):
        for schema in section.get("properties", {}).values():
            variants = schema.get("items", {}).get("discriminator")
            if variants is not None:
                found[variants["propertyName"]] = tuple(variants["mapping"])
    return found


_VARIANTS: Final = _list_variants()


def _sort_problems(problems: Iterable[DefinitionProblem]) -> tuple[DefinitionProblem, ...]:
    """Returns the problems in the order of their lines; the last of MAX_PROBLEMS says how many are left out."""
    ordered = sorted(problems, key=lambda problem: (problem.line, problem.path))
    shown, left_out = ordered[:MAX_PROBLEMS], ordered[MAX_PROBLEMS:]
    if left_out:
        remedy = "correct the problems above, then publish again"
        shown.append(DefinitionProblem(left_out[0].line, "(text)", f"{len(left_out)} more problems follow", remedy))
    return tuple(shown)
