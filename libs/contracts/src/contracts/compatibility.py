"""What a change of a published schema would break; the topics keep every event, so both old and new readers count.

A reader that runs today meets the events of tomorrow, and a reader of tomorrow meets every event since the first day.
So one kind of change is free: a new field that need not be there (and texts: titles, descriptions). All else is a new
version of the event, beside the old one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeGuard

Schema = Mapping[str, object]

NEW_VERSION: Final = "leave this version as it is and add a new version of the event beside it"
_TEXTS: Final = {"title", "description", "examples", "$defs", "$ref", "$schema", "$id"}
_LOOKED_AT_APART: Final = {"properties", "required", "items", "anyOf", "oneOf", "enum", "const", "default"}


@dataclass(frozen=True)
class Breakage:
    """One change that breaks readers: the event's schema, where in it, what, whom it breaks and what to do instead."""

    schema: str
    path: str
    change: str
    breaks: str
    remedy: str = NEW_VERSION

    def __str__(self) -> str:
        return f"{self.schema} {self.path or '(the whole)'}: {self.change}: {self.breaks}; {self.remedy}"


def breakages(published: Mapping[str, Schema], current: Mapping[str, Schema]) -> tuple[Breakage, ...]:
    """All that breaks between the published schemas and the current ones, both by name."""
    found: list[Breakage] = []
    for name, before in published.items():
        if name in current:
            found += breaking_changes(name, before, current[name])
        else:
            found.append(_removed(name, ""))
    return tuple(found)


def breaking_changes(name: str, published: Schema, current: Schema) -> tuple[Breakage, ...]:
    """What breaks readers of schema `name` if `current` takes the place of `published`."""
    return tuple(_Comparison(name, published, current).of(published, current, ""))


def _removed(schema: str, path: str) -> Breakage:
    return Breakage(
        schema,
        path,
        "removed or renamed",
        "readers that run today miss it, and the topics still hold it",
        "put it back",
    )


@dataclass(frozen=True)
class _Comparison:
    name: str
    published: Schema
    current: Schema

    def of(self, before: Schema, after: Schema, path: str) -> Iterator[Breakage]:
        before, after = _resolved(before, self.published), _resolved(after, self.current)
        yield from self._words(before, after, path)
        yield from self._limits(before, after, path)
        yield from self._alternatives(before, after, path)
        yield from self._fields(before, after, path)
        if "items" in before and "items" in after:
            yield from self.of(_schema(before["items"]), _schema(after["items"]), f"{path}[]")

    def _fields(self, before: Schema, after: Schema, path: str) -> Iterator[Breakage]:
        old, new = _schema(before.get("properties", {})), _schema(after.get("properties", {}))
        needed_before, needed_now = _names(before.get("required")), _names(after.get("required"))
        for field in old:
            where = f"{path}.{field}".lstrip(".")
            if field not in new:
                yield _removed(self.name, where)
                continue
            yield from self.of(_schema(old[field]), _schema(new[field]), where)
            if field in needed_before and field not in needed_now:
                yield self._breakage(where, "need not be there any more", "readers that run today cannot do without it")
        for field in sorted(needed_now - needed_before):
            yield self._breakage(
                f"{path}.{field}".lstrip("."),
                "must be there from now on",
                "events that are already in the topics do not have it",
                "give it a default that is true of the old events, or " + NEW_VERSION,
            )

    def _words(self, before: Schema, after: Schema, path: str) -> Iterator[Breakage]:
        old, new = _words(before), _words(after)
        if old is None or new is None:
            return
        for word in sorted(old - new):
            yield self._breakage(
                path, f"the word {word} was removed", "events in the topics still say it", "put it back"
            )
        for word in sorted(new - old):
            yield self._breakage(path, f"the word {word} was added", "readers that run today cannot read it")

    def _limits(self, before: Schema, after: Schema, path: str) -> Iterator[Breakage]:
        for keyword in sorted({*before, *after} - _TEXTS - _LOOKED_AT_APART):
            if before.get(keyword) != after.get(keyword):
                change = f"{keyword} changed from {before.get(keyword, 'none')} to {after.get(keyword, 'none')}"
                yield self._breakage(path, change, "what one side writes the other may not be able to read")
        if "default" in before and before["default"] != after.get("default", before["default"]):
            change = f"the default changed from {before['default']} to {after['default']}"
            yield self._breakage(path, change, "an old event without the field would mean something else")
        if (_words(before) is None) != (_words(after) is None):
            yield self._breakage(
                path, "closed words became open, or open ones closed", "one side cannot read the other"
            )

    def _alternatives(self, before: Schema, after: Schema, path: str) -> Iterator[Breakage]:
        old, new = _options(before), _options(after)
        if len(old) != len(new):
            change = f"{len(old) or 'no'} alternatives became {len(new) or 'none'}"
            yield self._breakage(path, change, "readers that run today cannot read the new ones, new ones not the old")
            return
        for option_before, option_after in zip(old, new, strict=True):
            yield from self.of(option_before, option_after, path)

    def _breakage(self, path: str, change: str, breaks: str, remedy: str = NEW_VERSION) -> Breakage:
        return Breakage(self.name, path, change, breaks, remedy)


def _resolved(schema: Schema, root: Schema) -> Schema:
    """The schema that a `$ref` points to, so that only what is said counts and not where it is defined."""
    reference = schema.get("$ref")
    if not isinstance(reference, str):
        return schema
    definitions = _schema(root["$defs"])
    target = _schema(definitions[reference.removeprefix("#/$defs/")])
    return {**_resolved(target, root), **{key: value for key, value in schema.items() if key != "$ref"}}


def _options(schema: Schema) -> list[Schema]:
    options = schema.get("anyOf", schema.get("oneOf", ()))
    return [_schema(option) for option in options] if _is_list(options) else []


def _words(schema: Schema) -> frozenset[str] | None:
    """The closed words of a schema; a single one is written `const`."""
    if "const" in schema:
        return frozenset({repr(schema["const"])})
    words = schema.get("enum")
    return frozenset(map(repr, words)) if _is_list(words) else None


def _names(required: object) -> frozenset[str]:
    return frozenset(map(str, required)) if _is_list(required) else frozenset()


def _schema(value: object) -> Schema:
    if not _is_schema(value):
        message = "a JSON Schema is an object here"
        raise TypeError(message)
    return value


def _is_schema(value: object) -> TypeGuard[Schema]:
    return isinstance(value, Mapping)


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)
