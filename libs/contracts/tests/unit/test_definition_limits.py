"""Whatever a definition contains, it is refused in words with its line, in bounded time, and no value is unbounded."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import get_args

import pytest
from pydantic import BaseModel

from contracts.definition_limits import find_limit_contradictions
from contracts.definition_loader import MAX_BYTES, MAX_NODES
from contracts.definitions import MAX_PROBLEMS, read_definition
from contracts.framework.definition import FrameworkDefinition
from testkit.definition_text import SOURCE, change_text, list_problems, write_definition

GOOD = change_text(write_definition(), ("title: Tier 1", "title: Tier 1\n    providers_per_area: 10"))

FOREIGN = {
    "a number of 30 digits": ("version: 1", "version: 1" + "0" * 30, 2, "plain digits"),
    "a number of 90,000 digits": ("version: 1", "version: " + "9" * 90_000, 2, "plain digits"),
    "a version beyond all counting": ("version: 1", "version: 2000000", 2, "at most 1,000,000"),
    "a cap beyond all counting": ("area: 10", "area: 9999999999", 18, "at most 1,000,000"),
    "an exponent": ("24.10", "1e400", 42, "not an amount"),
    "an amount of 90,000 digits": ("24.10", "24." + "9" * 90_000, 42, "two decimal places"),
    "an amount beyond all money": ("24.10", "9999999999.00", 42, "at most 1,000,000,000 pounds"),
    "not a number": ("24.10", ".nan", 42, "in plain digits"),
    "infinity": ("24.10", ".inf", 42, "in plain digits"),
    "a negative amount": ("24.10", "-1.00", 42, "too small"),
    "a control character in a title": ("An example", '"An\\u0007example"', 4, "cannot be shown"),
    "a NUL in a title": ("An example", '"An\\0example"', 4, "cannot be shown"),
    "half a character": ("An example", '"An\\ud800example"', 4, "cannot be shown"),
    "a title in the wrong direction": ("An example", '"An\\u202eexample"', 4, "cannot be shown"),
    "a title of spaces": ("An example", '"   "', 4, "wrong length"),
    "a key given twice": ("version: 1", "version: 1\nversion: 1", 3, "given twice"),
    "a tab": ("  bank_holidays", "\tbank_holidays", 36, "no tabs"),
    "the last day there is": ("2026-11-08", "9999-12-31", 7, "from 2000-01-01 to 2099-12-31"),
    "the first day there is": ("2025-11-09", "0001-01-01", 6, "from 2000-01-01 to 2099-12-31"),
    "a distant holiday": ("[2025-01-01", "[9999-12-31", 36, "from 2000-01-01 to 2099-12-31"),
    "a duration beyond all waiting": ("PT2M", "P99999999D", 47, "at most 366 days"),
    "a duration beyond numbers": ("PT2M", "P99999999999999D", 47, "length of time"),
    "a duration of a million hours": ("PT2M", "PT1000000H", 47, "366 days"),
    "a negative duration": ("PT2M", "-PT2M", 47, "whole minutes"),
    "deep nesting": ("An example", "[" * 5_000, 4, "nested too deeply"),
    "an alias": ("source: invented for tests", "source: &a [x]\ntitle2: *a", 5, "alias"),
    "more values than a definition has": (
        "overrides: []",
        "overrides: [" + "a," * MAX_NODES + "a]",
        37,
        f"more than {MAX_NODES}",
    ),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_a_foreign_value_is_refused_in_words_with_its_line(case: str) -> None:
    before, after, line, text = FOREIGN[case]
    assert GOOD.count(before) == 1
    problems = list_problems(GOOD.replace(before, after))
    assert any(problem.line == line and text in str(problem) for problem in problems), problems[:5]
    assert all(len(str(problem)) < 1_000 for problem in problems)


def test_a_text_that_is_too_large_is_refused_before_it_is_parsed() -> None:
    assert "larger than a definition may be" in list_problems("a" * (MAX_BYTES + 1))[0].reason


def test_problems_beyond_the_first_hundred_are_counted() -> None:
    problems = list_problems(GOOD + "".join(f"key{number}: 1\n" for number in range(200)))
    assert len(problems) == MAX_PROBLEMS + 1
    assert problems[-1].reason == "100 more problems follow"


def test_a_very_long_key_is_shortened() -> None:
    assert all(len(str(problem)) < 500 for problem in list_problems(GOOD + "k" * 900 + ": 1\n"))


def test_titles_are_trimmed_and_composed_and_a_byte_order_mark_is_ignored() -> None:
    text = GOOD.replace("title: An example", 'title: "  Cafe\\u0301  of\\u00a0care "')
    assert read_definition("\ufeff" + text, source=SOURCE).title == "Caf\u00e9 of care"


def _list_field_types(model: type[BaseModel]) -> Iterator[object]:
    for field in model.model_fields.values():
        yield from _list_types(field.annotation)


def _list_types(annotation: object) -> Iterator[object]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from _list_field_types(annotation)
    elif get_args(annotation):
        for part in get_args(annotation):
            yield from _list_types(part)
    else:
        yield annotation


def test_every_type_of_a_field_has_a_limit() -> None:
    types = {each for each in _list_field_types(FrameworkDefinition) if isinstance(each, type)}
    excessive: dict[type, object] = {
        str: "x" * 501,
        int: 10**30,
        Decimal: Decimal(10**30),
        date: date.max,
        timedelta: timedelta.max,
    }
    unbounded = {each for each in types if not _is_closed(each)} - excessive.keys()
    assert unbounded == set()
    assert all(list(find_limit_contradictions(value)) for value in excessive.values())
    assert list(find_limit_contradictions((1,) * 1_001))


def _is_closed(each: type) -> bool:
    """Returns whether a type has few values: enumerations, booleans, None, times of day."""
    return each.__name__ in {"bool", "NoneType", "time", "ellipsis"} or hasattr(each, "__members__")
