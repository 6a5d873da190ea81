"""Describes what is wrong with settings: one line each, with the variable and what it expects, without the value."""

from collections.abc import Iterator
from typing import Any, Final

from annotated_types import Ge, Gt, Le
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from service_runtime.settings_base import EnvironmentSettings, to_variable

_NUMBERS: Final = frozenset(
    {
        "int_parsing",
        "int_from_float",
        "int_parsing_size",
        "float_parsing",
        "finite_number",
        "greater_than",
        "greater_than_equal",
        "less_than",
        "less_than_equal",
    }
)
"""Pydantic's names of the errors of numbers."""
_DURATION: Final = "must be a duration in ISO 8601 that is more than nothing, such as PT24H or P5D"
_OTHERS: Final = {
    "time_delta": _DURATION,
    "datetime": "must be an instant with its offset, such as 2026-03-02T08:00:00Z",
    "timezone": "must be an instant with its offset, such as 2026-03-02T08:00:00Z",
    "bool": "must be true or false",
}
"""What a field expects, by the beginning of pydantic's name of the error."""


def list_variables(settings_type: type[EnvironmentSettings]) -> dict[str, FieldInfo]:
    """Returns the field of each variable that a service reads."""
    return {_get_variable(name, field): field for name, field in settings_type.model_fields.items()}


def describe_faults(settings_type: type[EnvironmentSettings], invalid: ValidationError) -> Iterator[str]:
    """Yields one line for each variable that is wrong, and one for each contradiction."""
    names = {_get_location(name, field): name for name, field in settings_type.model_fields.items()}
    described: set[str] = set()
    for error in invalid.errors(include_url=False, include_input=False):
        if not error["loc"]:
            yield from _get_text(error).split("\n")
            continue
        name = names[str(error["loc"][0])]
        if name not in described:
            described.add(name)
            field = settings_type.model_fields[name]
            yield f"{_get_variable(name, field)} {_describe_fault(error, field)}"


def _get_variable(name: str, field: FieldInfo) -> str:
    return field.validation_alias if isinstance(field.validation_alias, str) else to_variable(name)


def _get_location(name: str, field: FieldInfo) -> str:
    """Returns what pydantic calls the field in its errors."""
    return field.validation_alias if isinstance(field.validation_alias, str) else name


def _describe_fault(error: ErrorDetails, field: FieldInfo) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "missing":
        return f"is not set; it is {field.description}"
    if kind == "value_error":
        return _get_text(error)
    if kind in _NUMBERS:
        return _DURATION if _is_duration(context) else f"must be a {_describe_number(field)}"
    return _describe_other(error)


def _describe_other(error: ErrorDetails) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if "min_length" in context:
        return f"must have at least {context['min_length']} characters"
    if kind == "literal_error":
        return f"must be {str(context['expected']).replace(chr(39), '')}"
    known = next((text for beginning, text in _OTHERS.items() if kind.startswith(beginning)), None)
    return known or error["msg"].replace("Input should", "must")


def _is_duration(context: dict[str, Any]) -> bool:  # Any: pydantic's own type of the constraints
    return any(isinstance(value, str) for value in context.values())


def _get_text(error: ErrorDetails) -> str:
    return str(error.get("ctx", {}).get("error", error["msg"]))


def _describe_number(field: FieldInfo) -> str:
    kind = "whole number" if field.annotation is int else "number"
    least = next((each.ge for each in field.metadata if isinstance(each, Ge)), None)
    above = next((each.gt for each in field.metadata if isinstance(each, Gt)), None)
    most = next((each.le for each in field.metadata if isinstance(each, Le)), None)
    if least is not None:
        return f"{kind} of at least {least}" if most is None else f"{kind} from {least} to {most}"
    if above is not None:
        return f"{kind} above {above}" if most is None else f"{kind} above {above}, at most {most}"
    return kind
