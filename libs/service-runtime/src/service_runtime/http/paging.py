"""Cursor pages: stable while rows come and go, and opaque to the caller."""

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Final, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from contracts.errors import FieldError, InvalidInput

ItemT = TypeVar("ItemT")

LARGEST_PAGE: Final = 200
Limit = Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="items on the page")]
Cursor = Annotated[str | None, Query(max_length=200, description="`next` of the page before; leave out for the first")]


class Page(BaseModel, Generic[ItemT]):
    """One page, newest first."""

    items: Sequence[ItemT]
    next: str | None = Field(description="cursor of the next page; null on the last one")


def cursor_at(instant: datetime, row: UUID) -> str:
    """The cursor that continues after `row`, which happened at `instant`."""
    return base64.urlsafe_b64encode(json.dumps([instant.isoformat(), str(row)]).encode()).decode()


def position_of(cursor: str | None) -> tuple[datetime, UUID] | None:
    """Where a cursor points; None for the first page. Raises InvalidInput for one that this service did not give."""
    if cursor is None:
        return None
    try:
        instant, row = json.loads(base64.urlsafe_b64decode(cursor))
        position = datetime.fromisoformat(instant).astimezone(UTC), UUID(row)
    except (ValueError, TypeError, OverflowError, binascii.Error, AttributeError) as error:
        raise InvalidInput(
            FieldError("query:cursor", "is not a cursor of ours; use `next` of the page before")
        ) from error
    return position
