"""Limits of every value of a definition that is about to be published, by the type of the value.

They hold for each field by its type, so that a new field is bounded as well. They do not apply to definitions that are
published already: those are decoded as they are.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Final, cast

from pydantic import BaseModel

from contracts.contradictions import Contradiction
from contracts.definition_problems import Path

MAX_TEXT: Final = 500
MAX_ITEMS: Final = 1_000
MAX_NUMBER: Final = 1_000_000
MAX_AMOUNT: Final = Decimal(1_000_000_000)
MAX_DURATION: Final = timedelta(days=366)
FIRST_DAY: Final = date(2000, 1, 1)
LAST_DAY: Final = date(2099, 12, 31)


def find_limit_contradictions(value: object, path: Path = ()) -> Iterator[Contradiction]:
    """Yields each value under `value` that is outside its limits, with its path."""
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from find_limit_contradictions(getattr(value, name), (*path, name))
    elif isinstance(value, tuple):
        items = cast("tuple[object, ...]", value)  # isinstance says nothing about the type of its items
        if len(items) > MAX_ITEMS:
            yield Contradiction(path, f"has {len(items)} items; write at most {MAX_ITEMS}")
            return
        for position, item in enumerate(items):
            yield from find_limit_contradictions(item, (*path, position))
    elif (reason := _explain_excess(value)) is not None:
        yield Contradiction(path, reason)


def _explain_excess(value: object) -> str | None:
    """Returns why a single value is outside its limits, or None."""
    reason = None
    match value:
        case str() if len(value) > MAX_TEXT:
            reason = f"has {len(value)} characters; write at most {MAX_TEXT}"
        case Decimal() if value > MAX_AMOUNT:
            reason = f"is too large; write an amount of at most {MAX_AMOUNT:,} pounds"
        case int() if abs(value) > MAX_NUMBER:
            reason = f"is too large; write a number of at most {MAX_NUMBER:,}"
        case timedelta() if value > MAX_DURATION:
            reason = f"is too long; write a duration of at most {MAX_DURATION.days} days"
        case date() if not FIRST_DAY <= value <= LAST_DAY:
            reason = f"is not a date of this century; write a day from {FIRST_DAY} to {LAST_DAY}"
        case _:
            pass
    return reason
