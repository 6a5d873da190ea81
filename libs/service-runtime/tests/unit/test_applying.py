"""Applying of changes: how the rows of units of work are encoded for the database."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import pytest

from contracts.events.offers import OfferMade
from contracts.examples import an_example_of
from service_runtime.postgres.errors import StatementRefused
from service_runtime.unit_of_work.applying import encode_rows
from service_runtime.unit_of_work.changes import Changes
from service_runtime.unit_of_work.streams import Stream, StreamKey

STREAM = Stream(StreamKey("packages", "1"))


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Box:
    colour: Colour
    size: Decimal


def build_changes(**row: object) -> Changes:
    changes = Changes(STREAM, after=STREAM)
    changes.put_row("boxes", row.get("id"), row)
    return changes


def encode(*units: Changes) -> Mapping[str, object]:
    encoded = encode_rows(units)
    assert encoded is not None
    return json.loads(encoded)


def test_values_are_encoded_as_the_columns_read_them() -> None:
    row = {
        "id": UUID(int=1),
        "at": datetime(2026, 3, 2, 9, 0, 0, 5, tzinfo=UTC),
        "size": Decimal("12.50"),
        "box": Box(Colour.RED, Decimal("0.10")),
        "names": ("a", "b"),
        "nothing": None,
    }
    assert encode(build_changes(**row)) == {
        "boxes": [
            {
                "id": "00000000-0000-0000-0000-000000000001",
                "at": "2026-03-02T09:00:00.000005Z",
                "size": "12.50",
                "box": {"colour": "red", "size": "0.10"},
                "names": ["a", "b"],
                "nothing": None,
            }
        ]
    }


def test_a_model_is_encoded_as_its_own_json() -> None:
    terms = an_example_of(OfferMade).terms
    assert encode(build_changes(terms=terms)) == {"boxes": [{"terms": json.loads(terms.model_dump_json())}]}


def test_the_last_row_of_a_key_counts_and_units_without_rows_have_none() -> None:
    assert encode(build_changes(id=1, size=1), build_changes(id=1, size=2)) == {"boxes": [{"id": 1, "size": 2}]}
    assert encode_rows([Changes(STREAM, after=STREAM)]) is None


def test_text_that_is_no_unicode_is_refused_as_the_database_refuses_values() -> None:
    with pytest.raises(StatementRefused) as refused:
        encode_rows([build_changes(name="secret \ud800")])
    assert "secret" not in str(refused.value)
