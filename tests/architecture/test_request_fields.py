"""Every field of every request, in all services, is normalised or strict, and has limits.

The test walks pydantic's core schema of each body and parameter, so that it sees what is checked when a request comes.
"""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any, Final, Literal, cast

import pytest
from fastapi import APIRouter, Query
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel, BeforeValidator, Field, StringConstraints, TypeAdapter, create_model
from pydantic.fields import FieldInfo

from contracts.ids import TierKey
from contracts.values import Money
from service_runtime.http.contact_rules import parse_mailbox, parse_phone_number
from service_runtime.http.text_fields import Day, LongText, RequestBody, ShortText, TierName, Uuid, WholeNumber
from service_runtime.http.text_rules import CodeRule, ExactTextRule, TextRule
from service_runtime.http.value_rules import (
    DateRule,
    check_whole_number,
    check_yes_or_no,
    parse_amount,
    parse_instant,
    parse_local_time,
    parse_uuid,
)

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = sorted(path.name for path in ROOT.glob("services/*/src/*") if (path / "api").is_dir())

Where = Literal["body", "parameter"]
Schema = Mapping[str, Any]  # pydantic's core schemas, of any shape
TEXT_RULES: Final = (TextRule, CodeRule, ExactTextRule)
TEXT_PARSERS: Final = frozenset({parse_mailbox, parse_phone_number})
PARSED_BY_ITS_ROUTE: Final = frozenset({"cursor", "token"})
"""Opaque texts that a route decodes itself and refuses in words."""
STRICT_RULES: Final[Mapping[str, object]] = {
    "int": check_whole_number,
    "bool": check_yes_or_no,
    "decimal": parse_amount,
    "datetime": parse_instant,
    "time": parse_local_time,
    "uuid": parse_uuid,
}
SAFE_KINDS: Final = frozenset({"none", "literal", "default", "nullable"})
ALL_KINDS: Final = frozenset({"model-fields", "tagged-union", "union", "definitions", "definition-ref", "chain"})


def find_faults(schema: Schema, at: str, where: Where, rules: tuple[object, ...] = ()) -> Iterator[str]:
    """Yields a line for each part of the schema that accepts more than it should."""
    kind = str(schema["type"])
    if "function" in schema:
        rules = (*rules, schema["function"]["function"])
    fault = _find_own_fault(kind, schema, where, rules)
    if fault is not None:
        yield f"{at}: {fault}"
    for name, part in _list_parts(schema):
        yield from find_faults(part, f"{at}/{name}" if name else at, where, rules)


def _find_own_fault(kind: str, schema: Schema, where: Where, rules: tuple[object, ...]) -> str | None:
    match kind:
        case "str":
            return _find_fault_of_text(schema, rules)
        case "int" | "decimal":
            is_bounded = {"ge", "gt"} & set(schema) and ("le" in schema or "lt" in schema or "max_digits" in schema)
            return _find_fault_of_type(kind, where, rules) if is_bounded else f"{kind} without limits"
        case "date":
            return None if any(isinstance(rule, DateRule) for rule in rules) else "date without limits"
        case "bool" | "uuid" | "time" | "datetime":
            return _find_fault_of_type(kind, where, rules)
        case "enum":
            is_number = issubclass(schema["cls"], IntEnum)
            return _find_fault_of_type("int", where, rules) if is_number else None
        case "list" | "tuple" | "set" | "frozenset":
            return None if "max_length" in schema else f"{kind} without a largest length"
        case "model":
            return None if issubclass(schema["cls"], RequestBody) else f"{schema['cls'].__name__} is no RequestBody"
        case _:
            is_known = kind in SAFE_KINDS | ALL_KINDS or kind.startswith("function")
            return None if is_known else f"{kind} has no rule"


def _find_fault_of_text(schema: Schema, rules: tuple[object, ...]) -> str | None:
    if "max_length" not in schema:
        return "text without a largest length"
    is_normalised = any(isinstance(rule, TEXT_RULES) or rule in TEXT_PARSERS for rule in rules)
    return None if is_normalised else "text that is not normalised"


def _find_fault_of_type(kind: str, where: Where, rules: tuple[object, ...]) -> str | None:
    """A parameter is text by nature, so that its numbers and ids may be read from text."""
    is_strict = STRICT_RULES[kind] in rules
    return None if is_strict or (where == "parameter" and kind != "decimal") else f"{kind} is read from other types"


def _list_parts(schema: Schema) -> Iterator[tuple[str, Schema]]:
    for key in ("schema", "items_schema", "keys_schema", "values_schema"):
        if key in schema:
            found = cast("Schema | list[Schema]", schema[key])
            yield from (("", part) for part in (found if isinstance(found, list) else [found]))
    for name, field in cast("Mapping[str, Schema]", schema.get("fields", {})).items():
        yield name, field["schema"]
    choices = schema.get("choices", ())
    yield from (("", choice) for choice in cast("Iterable[Schema]", getattr(choices, "values", lambda: choices)()))
    yield from (("", step) for step in schema.get("steps", ()))
    yield from (("", part) for part in schema.get("definitions", ()))


def _list_routes() -> Iterator[APIRoute]:
    modules = ["service_runtime.http.operations", "service_runtime.http.unreadable"]
    for package in PACKAGES:
        path = importlib.import_module(f"{package}.api").__path__
        modules += [module.name for module in pkgutil.iter_modules(path, f"{package}.api.")]
    routers = {
        id(value): value
        for name in modules
        for value in vars(importlib.import_module(name)).values()
        if isinstance(value, APIRouter)
    }
    for router in routers.values():
        yield from (route for route in router.routes if isinstance(route, APIRoute))


def _list_dependants(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for each in dependant.dependencies:
        yield from _list_dependants(each)


def _list_inputs(route: APIRoute) -> Iterator[tuple[Where, str, FieldInfo]]:
    for dependant in _list_dependants(route.dependant):
        for field in dependant.body_params:
            yield "body", field.name, field.field_info
        for field in (*dependant.path_params, *dependant.query_params):
            yield "parameter", field.name, field.field_info


def _read_schema(name: str, info: FieldInfo) -> Schema:
    fields: dict[str, Any] = {name: (info.annotation, info)}  # types that are known at run time only
    return TypeAdapter(create_model("Input", __base__=RequestBody, **fields)).core_schema


ROUTES: Final = sorted(_list_routes(), key=lambda route: (route.path, min(route.methods or ())))


def test_the_routes_of_all_services_are_found() -> None:
    assert len(PACKAGES) >= 5
    assert len(ROUTES) > 50
    assert sum(where == "body" for route in ROUTES for where, _, _ in _list_inputs(route)) > 15


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{min(route.methods or ())} {route.path}")
def test_every_field_of_a_request_is_normalised_or_strict_and_has_limits(route: APIRoute) -> None:
    faults = [
        fault
        for where, name, info in _list_inputs(route)
        if name not in PARSED_BY_ITS_ROUTE
        for fault in find_faults(_read_schema(name, info), "request", where)
    ]
    assert faults == []


class _Lax(BaseModel):
    name: str


class _Loose(RequestBody):
    text: Annotated[str, StringConstraints(max_length=5)]
    long: Annotated[str, BeforeValidator(TextRule(5))]
    count: int = Field(ge=1, le=2)
    many: WholeNumber
    price: Money
    day: Day | None
    births: list[Day]
    tier: TierKey
    ratio: Annotated[float, Query(ge=0, le=1)] | None
    anything: Any
    inner: _Lax


class _Tight(RequestBody):
    name: ShortText
    notes: LongText | None = None
    tiers: tuple[TierName, ...] = Field(max_length=2)
    ids: list[Uuid] = Field(max_length=3)
    many: WholeNumber = Field(ge=1, le=5)


def test_the_walk_names_every_kind_of_fault() -> None:
    assert list(find_faults(TypeAdapter(_Loose).core_schema, "body", "body")) == [
        "body/text: text that is not normalised",
        "body/long: text without a largest length",
        "body/count: int is read from other types",
        "body/many: int without limits",
        "body/price: decimal is read from other types",
        "body/births: list without a largest length",
        "body/tier: text without a largest length",
        "body/ratio: float has no rule",
        "body/anything: any has no rule",
        "body/inner: _Lax is no RequestBody",
        "body/inner/name: text without a largest length",
    ]


def test_the_walk_finds_no_fault_in_a_tight_body() -> None:
    assert list(find_faults(TypeAdapter(_Tight).core_schema, "body", "body")) == []
