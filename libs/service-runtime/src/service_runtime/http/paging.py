"""Cursor pagination. Cursors are opaque to the caller and stay valid while rows are added or removed."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Final, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from contracts.errors import FieldError, InvalidInput

ItemT = TypeVar("ItemT")
RowT = TypeVar("RowT")

Position = tuple[datetime, UUID]
"""The instant and the id of a row; lists are sorted by both, descending."""

LARGEST_PAGE: Final = 200
Limit = Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="items on the page")]
Cursor = Annotated[str | None, Query(max_length=200, description="`next` of the previous page; omit it for the first")]


class Page(BaseModel, Generic[ItemT]):
    """One page, newest first unless the route has another order."""

    items: Sequence[ItemT]
    next: str | None = Field(description="cursor of the next page; null on the last one")


def build_page(
    rows: Sequence[RowT], limit: int, *, to_item: Callable[[RowT], ItemT], position: Callable[[RowT], Position]
) -> Page[ItemT]:
    """Builds a page of the first `limit` of `rows`.

    The caller queries `limit + 1` rows, newest first; if the extra row exists, there is a next page. `position` returns
    the instant and the id by which the rows are sorted.
    """
    shown = rows[:limit]
    following = encode_cursor(*position(shown[-1])) if len(rows) > limit else None
    return Page(items=[to_item(row) for row in shown], next=following)


def encode_cursor(instant: datetime, row_id: UUID) -> str:
    """Returns the cursor of the page that starts after the row with this instant and id."""
    return base64.urlsafe_b64encode(json.dumps([instant.isoformat(), str(row_id)]).encode()).decode()


def decode_cursor(cursor: str | None) -> Position | None:
    """Returns the position after which the page starts; None for the first page.

    Raises InvalidInput for text that `encode_cursor` did not produce.
    """
    if cursor is None:
        return None
    try:
        instant, row_id = json.loads(base64.urlsafe_b64decode(cursor))
        position = datetime.fromisoformat(instant).astimezone(UTC), UUID(row_id)
    except (ValueError, TypeError, OverflowError, binascii.Error, AttributeError) as error:
        raise InvalidInput(
            FieldError("query:cursor", "is not a valid cursor; use `next` of the previous page")
        ) from error
    return position
