"""The page that lists every event (`docs/events.md`), made from the catalogue, docstrings and fields."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from inspect import getdoc
from types import UnionType
from typing import Final, Literal, NewType, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from contracts.catalogue import ANY, FRAMEWORKS, PACKAGES, PARKED, PROVIDERS, RATES, Entry
from contracts.envelope import Envelope
from contracts.events.base import Event
from contracts.framework import FrameworkDefinition
from contracts.vocabulary import MEANINGS

KEYS: Final = {
    PACKAGES: "package id",
    PROVIDERS: "provider id",
    FRAMEWORKS: "framework, or framework/area/tier",
    RATES: "provider id",
    PARKED: "the parked key",
}
_INTRODUCTION: Final = """\
# Events

Made by `make docs` from the classes in `libs/contracts` and the tables of subscriptions in every service; a test fails
where this page differs.

Every event travels as a CloudEvent 1.0 in binary mode: the attributes below are Kafka headers with the prefix `ce_`,
the payload is JSON, and its JSON Schema is `libs/contracts/schemas/<Event>.v1.json`. Each event has one owner, the
only service that publishes it. Readers skip fields that they do not know. `?` marks a field that may be null, `[]` a
list.

Delivery is at least once: the same event can come again, with the same id, hash and bytes. Within one owner and key
events come in the order of `sequence`; across owners a topic is ordered by cause, not by time. `audit` keeps every
event of every topic, and is not named again below.
"""


@dataclass(frozen=True)
class Audience:
    """Who hears of an event: handlers by service, and views that keep the newest."""

    handlers: Sequence[tuple[str, str]] = ()
    views: Sequence[tuple[str, str]] = ()


NOBODY: Final = Audience()


def page_of_events(
    catalogue: Sequence[Entry], audiences: Mapping[type[Event], Audience], examples: Mapping[type[Event], str]
) -> str:
    """The page in Markdown: one section a topic and a part for each event, in the catalogue's order."""
    topics = list(dict.fromkeys(entry.topic for entry in catalogue))
    sections = [_section(topic, [entry for entry in catalogue if entry.topic == topic]) for topic in topics]
    parts = [
        _part(entry, audiences.get(entry.event, NOBODY), examples.get(entry.event))
        for topic in topics
        for entry in catalogue
        if entry.topic == topic
    ]
    return "\n".join(
        [
            _INTRODUCTION,
            *_envelope(),
            *sections,
            "## Each event\n",
            *parts,
            "## Values that events are made of\n",
            *map(_value, values_of(catalogue)),
        ]
    )


def _envelope() -> Iterable[str]:
    yield "## The envelope\n"
    yield from _table_of_fields(Envelope)


def _section(topic: str, entries: Iterable[Entry]) -> str:
    heading = f"## `{topic}`, keyed by {KEYS[topic]}\n"
    return "\n".join([heading, "| event | owner | meaning |", "|---|---|---|", *map(_row, entries), ""])


def _row(entry: Entry) -> str:
    name = entry.event.__name__
    return f"| [{name}](#{name.lower()}) | {_owner(entry)} | {meaning_of(entry)} |"


def _owner(entry: Entry) -> str:
    return "any service" if entry.owner == ANY else entry.owner


def _part(entry: Entry, audience: Audience, example: str | None) -> str:
    lines = [f"### {entry.event.__name__}\n", f"{meaning_of(entry)}\n"]
    lines.append(f"`{entry.event.type_name()}` on `{entry.topic}`, published by {_owner(entry)}. {_heard(audience)}\n")
    lines += _table_of_fields(entry.event)
    if example is not None:
        lines += ["<details><summary>Example</summary>\n", f"```json\n{example}\n```\n", "</details>\n"]
    return "\n".join(lines)


def _heard(audience: Audience) -> str:
    handled = [f"{service} (`{handler}`)" for service, handler in audience.handlers]
    kept = [f"{service} (`{view}`)" for service, view in audience.views]
    said = [
        f"Followed by {', '.join(handled)}." if handled else "",
        f"Kept in views: {', '.join(kept)}." if kept else "",
    ]
    return " ".join(filter(None, said)) or "On record; no service acts on it."


def _table_of_fields(model: type[BaseModel]) -> Iterable[str]:
    yield "| field | what it is | meaning |"
    yield "|---|---|---|"
    for name, field in model.model_fields.items():
        yield f"| `{name}` | {_named(field.annotation)} | {meaning_of_field(model, name, field)} |"
    yield ""


def _value(kind: type[BaseModel] | type[Enum]) -> str:
    lines = [f"### {kind.__name__}\n"]
    if kind.__doc__ and "__doc__" in kind.__dict__:
        lines.append(f"{(getdoc(kind) or '').partition(chr(10))[0]}\n")
    if issubclass(kind, Enum):
        lines.append("One of: " + ", ".join(f"`{each.value}`" for each in kind) + ".\n")
    else:
        lines += _table_of_fields(kind)
    return "\n".join(lines)


def values_of(catalogue: Iterable[Entry]) -> Sequence[type[BaseModel] | type[Enum]]:
    """Every value and every list of closed words that an event's fields hold; a definition has a schema of its own."""
    found: dict[type[BaseModel] | type[Enum], None] = {}
    for entry in catalogue:
        _collect(entry.event, found)
    return sorted(found, key=lambda kind: kind.__name__)


def _collect(model: type[BaseModel], found: dict[type[BaseModel] | type[Enum], None]) -> None:
    for field in model.model_fields.values():
        for kind in _classes_in(field.annotation):
            if kind in found or issubclass(kind, FrameworkDefinition):
                continue
            found[kind] = None
            if issubclass(kind, BaseModel):
                _collect(kind, found)


def _classes_in(annotation: object) -> Iterable[type[BaseModel] | type[Enum]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel | Enum):
        yield annotation
    elif get_origin(annotation) is not Literal:
        for inner in get_args(annotation):
            yield from _classes_in(inner)


def meaning_of_field(model: type[BaseModel], name: str, field: FieldInfo) -> str:
    """Its own description, else what its name means here or everywhere. Raises KeyError for a name without one."""
    meaning = field.description or MEANINGS.get(f"{model.__name__}.{name}") or MEANINGS[name]
    return meaning.replace("<", "&lt;")


def meaning_of(entry: Entry) -> str:
    """The first line of the event's own docstring, without the owner that some begin with."""
    own = getdoc(entry.event) if entry.event.__doc__ else ""
    line = (own or "").partition("\n")[0].removeprefix(f"{entry.owner}: ")
    return line[:1].upper() + line[1:]


def _named(annotation: object) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in {Union, UnionType}:
        return f"{_named(next(option for option in arguments if option is not type(None)))}?"
    if origin is tuple:
        return f"{_named(arguments[0])}[]"
    if origin is Literal:
        return " or ".join(str(option.value if isinstance(option, Enum) else option) for option in arguments)
    if isinstance(annotation, type | NewType):
        name = _WORDS.get(annotation.__name__, annotation.__name__)
        return f"[{name}](#{name.lower()})" if _has_a_part(annotation) else name
    return _named(get_args(annotation)[0])


def _has_a_part(annotation: object) -> bool:
    return any(not issubclass(kind, FrameworkDefinition) for kind in _classes_in(annotation))


_WORDS: Final = {"str": "text", "int": "number", "bool": "yes or no", "Decimal": "amount", "AwareDatetime": "instant"}
