"""Compares the events of a decision with those of its replay, field by field."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Final, TypeGuard

from contracts.events.base import PackageEvent
from contracts.values import Value

_NOTHING: Final = "nothing"


def compare_events(recorded: Sequence[PackageEvent], replayed: Sequence[PackageEvent]) -> Iterator[str]:
    """Yield one sentence for each field that differs; it begins with the event and the path of the field.

    Where the events themselves differ, the comparison ends with one sentence about the first that do.
    """
    for one, other in zip_longest(recorded, replayed):
        if one is None or other is None or type(one) is not type(other):
            yield f"the record has {_name(one)}, the replay {_name(other)}"
            return
        yield from _compare_values(_name(one), one, other)


def _name(event: PackageEvent | None) -> str:
    return _NOTHING if event is None else type(event).__name__


def _compare_values(path: str, recorded: object, replayed: object) -> Iterator[str]:
    if recorded == replayed:
        return
    if isinstance(recorded, Value) and type(recorded) is type(replayed):
        for name in type(recorded).model_fields:
            yield from _compare_values(f"{path}.{name}", getattr(recorded, name), getattr(replayed, name))
        return
    if _is_tuple(recorded) and _is_tuple(replayed) and len(recorded) == len(replayed):
        for position, (one, other) in enumerate(zip(recorded, replayed, strict=True)):
            yield from _compare_values(f"{path}[{position}]", one, other)
    else:
        yield f"{path}: the record has {_describe(recorded)}, the replay {_describe(replayed)}"


def _is_tuple(value: object) -> TypeGuard[tuple[object, ...]]:
    return isinstance(value, tuple)


def _describe(value: object) -> str:
    if _is_tuple(value):
        return ", ".join(map(_describe, value)) or _NOTHING
    return _NOTHING if value is None else str(value)
