"""Paging: a cursor is decoded to the row it was made for; other text is refused."""

import base64
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from contracts.errors import InvalidInput
from service_runtime.http.paging import decode_cursor, encode_cursor

NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_a_cursor_is_decoded_to_its_row() -> None:
    row = uuid4()
    assert decode_cursor(encode_cursor(NINE, row)) == (NINE, row)
    assert decode_cursor(None) is None


@pytest.mark.parametrize("text", ["nonsense", "", "ü", "e30=", "WzEsMl0=", "W10=", "bnVsbA=="])
def test_other_text_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        decode_cursor(text)
    assert "not a valid cursor" in str(refused.value)


def test_a_cursor_with_an_instant_out_of_range_is_refused() -> None:
    beyond = base64.urlsafe_b64encode(f'["9999-12-31T23:59:59-23:00", "{uuid4()}"]'.encode()).decode()
    with pytest.raises(InvalidInput):
        decode_cursor(beyond)
