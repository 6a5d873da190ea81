"""Finds changes of published schemas that break readers. Topics keep every event, so old and new readers count.

Readers of an old version receive new events, and readers of a new version receive every event since the first one. The
only compatible changes are a new optional field and changed texts (titles, descriptions). Every other change needs a
new version of the event, in addition to the old one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeGuard

Schema = Mapping[str, object]

NEW_VERSION: Final = "leave this version as it is and add a new version of the event in addition"
_TEXTS: Final = {"title", "description", "examples", "$defs", "$ref", "$schema", "$id"}
_COMPARED_SEPARATELY: Final = {"properties", "required", "items", "anyOf", "oneOf", "enum", "const", "default"}


@dataclass(frozen=True)
class Breakage:
    """One change that breaks readers: schema, path, change, whom it breaks, and what to do instead."""

    schema: str
    path: str
    change: str
    breaks: str
    remedy: str = NEW_VERSION

    def __str__(self) -> str:
        return f"{self.schema} {self.path or '(the whole)'}: {self.change}: {self.breaks}; {self.remedy}"


def find_breakages(published: Mapping[str, Schema], current: Mapping[str, Schema]) -> tuple[Breakage, ...]:
    """Compares the published schemas with the current ones, both by name."""
    found: list[Breakage] = []
    for name, before in published.items():
        if name in current:
            found += compare_schemas(name, before, current[name])
        else:
            found.append(_report_removal(name, ""))
    return tuple(found)


def compare_schemas(name: str, published: Schema, current: Schema) -> tuple[Breakage, ...]:
    """Returns what breaks readers of schema `name` if `current` replaces `published`."""
    return tuple(_Comparison(name, published, current).compare(published, current, ""))


def _report_removal(schema: str, path: str) -> Breakage:
    return Breakage(
        schema,
        path,
        "removed or renamed",
        "existing readers need it, and the topics still contain it",
        "put it back",
    )


@dataclass(frozen=True)
class _Comparison:
    name: str
    published: Schema
    current: Schema

    def compare(self, before: Schema, after: Schema, path: str) -> Iterator[Breakage]:
        before, after = _resolve_reference(before, self.published), _resolve_reference(after, self.current)
        yield from self._compare_enum_values(before, after, path)
        yield from self._compare_limits(before, after, path)
        yield from self._compare_alternatives(before, after, path)
        yield from self._compare_fields(before, after, path)
        if "items" in before and "items" in after:
            yield from self.compare(_require_schema(before["items"]), _require_schema(after["items"]), f"{path}[]")

    def _compare_fields(self, before: Schema, after: Schema, path: str) -> Iterator[Breakage]:
        old, new = _require_schema(before.get("properties", {})), _require_schema(after.get("properties", {}))
        needed_before, needed_now = (
            _list_required_fields(before.get("required")),
            _list_required_fields(after.get("required")),
        )
        for field in old:
            where = f"{path}.{field}".lstrip(".")
            if field not in new:
                yield _report_removal(self.name, where)
                continue
            yield from self.compare(_require_schema(old[field]), _require_schema(new[field]), where)
            if field in needed_before and field not in needed_now:
                yield self._make_breakage(where, "is no longer required", "existing readers rely on it")
        for field in sorted(needed_now - needed_before):
            yield self._make_breakage(
                f"{path}.{field}".lstrip("."),
                "is required now",
                "events in the topics do not have it",
                "give it a default that is true of the old events, or " + NEW_VERSION,
            )

    def _compare_enum_values(self, before: Schema, after: Schema, path: str) -> Iterator[Breakage]:
        old, new = _list_enum_values(before), _list_enum_values(after)
        if old is None or new is None:
            return
        for value in sorted(old - new):
            yield self._make_breakage(
                path, f"the value {value} was removed", "events in the topics contain it", "put it back"
            )
        for value in sorted(new - old):
            yield self._make_breakage(path, f"the value {value} was added", "existing readers cannot read it")

    def _compare_limits(self, before: Schema, after: Schema, path: str) -> Iterator[Breakage]:
        for keyword in sorted({*before, *after} - _TEXTS - _COMPARED_SEPARATELY):
            if before.get(keyword) != after.get(keyword):
                change = f"{keyword} changed from {before.get(keyword, 'none')} to {after.get(keyword, 'none')}"
                yield self._make_breakage(path, change, "readers may not be able to read what is written")
        if "default" in before and before["default"] != after.get("default", before["default"]):
            change = f"the default changed from {before['default']} to {after['default']}"
            yield self._make_breakage(path, change, "an old event without the field would mean something else")
        if (_list_enum_values(before) is None) != (_list_enum_values(after) is None):
            yield self._make_breakage(
                path, "an enum became open text, or open text an enum", "readers cannot read each other's events"
            )

    def _compare_alternatives(self, before: Schema, after: Schema, path: str) -> Iterator[Breakage]:
        old, new = _list_alternatives(before), _list_alternatives(after)
        if len(old) != len(new):
            change = f"{len(old) or 'no'} alternatives became {len(new) or 'none'}"
            yield self._make_breakage(
                path,
                change,
                "existing readers cannot read the new alternatives, nor new readers the old ones",
            )
            return
        for option_before, option_after in zip(old, new, strict=True):
            yield from self.compare(option_before, option_after, path)

    def _make_breakage(self, path: str, change: str, breaks: str, remedy: str = NEW_VERSION) -> Breakage:
        return Breakage(self.name, path, change, breaks, remedy)


def _resolve_reference(schema: Schema, root: Schema) -> Schema:
    """Replaces a `$ref` by the schema that it points to, so that only contents are compared."""
    reference = schema.get("$ref")
    if not isinstance(reference, str):
        return schema
    definitions = _require_schema(root["$defs"])
    target = _require_schema(definitions[reference.removeprefix("#/$defs/")])
    return {**_resolve_reference(target, root), **{key: value for key, value in schema.items() if key != "$ref"}}


def _list_alternatives(schema: Schema) -> list[Schema]:
    options = schema.get("anyOf", schema.get("oneOf", ()))
    return [_require_schema(option) for option in options] if _is_list(options) else []


def _list_enum_values(schema: Schema) -> frozenset[str] | None:
    """Returns the enum values of a schema; a single one is written `const`."""
    if "const" in schema:
        return frozenset({repr(schema["const"])})
    values = schema.get("enum")
    return frozenset(map(repr, values)) if _is_list(values) else None


def _list_required_fields(required: object) -> frozenset[str]:
    return frozenset(map(str, required)) if _is_list(required) else frozenset()


def _require_schema(value: object) -> Schema:
    if not _is_schema(value):
        message = "expected a JSON Schema object"
        raise TypeError(message)
    return value


def _is_schema(value: object) -> TypeGuard[Schema]:
    return isinstance(value, Mapping)


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)
