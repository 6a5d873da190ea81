"""The columns of a list: what the council states of each package, and what the provider answers.

Workbook, CSV and page have the same columns, and a return is recognised by the same headers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from list_documents.document import DocumentRow, ListDocument
from list_documents.wording import format_day

INTERESTED: Final = "Interested? Yes or No"
RATE: Final = "Proposed rate (£)"
WAYS: Final = ("Another way to deliver", "Second other way", "Third other way")
START: Final = "Can start on"
REFERENCE: Final = "Reference"
CHECK: Final = "Check"
LIST: Final = "List"
CONTENT_HASH: Final = "Content hash"
HASH_PREFIX: Final = "sha256:"
"""Before a hash in a cell, so that no spreadsheet takes it for a number."""

Stated = str | int | Decimal


@dataclass(frozen=True, slots=True)
class Fact:
    """A column that the council fills; `width` in characters."""

    header: str
    width: int
    get: Callable[[DocumentRow], Stated]


_COMMON: Final = (
    Fact("Area", 17, lambda row: row.area),
    Fact("Postcode district", 10, lambda row: row.outward_code or "not shown"),
    Fact("Age", 12, lambda row: row.age_band),
    Fact("Carers wanted", 13, lambda row: row.carers_wanted),
    Fact("Service type", 20, lambda row: row.service_type),
    Fact("Hours a week", 8, lambda row: row.weekly_hours),
    Fact("Carers at once", 8, lambda row: row.carers_at_once),
    Fact("Skills needed", 30, lambda row: "; ".join(row.skills) or "none"),
)
_OF_OPEN_PACKAGES: Final = (
    Fact("Listed since", 16, lambda row: format_day(row.listed_since)),
    Fact("Rate is per", 12, lambda row: row.unit),
)
ALL_FACTS: Final = (*_COMMON, *_OF_OPEN_PACKAGES)


def list_facts(document: ListDocument) -> tuple[Fact, ...]:
    """Returns the columns that the council fills, in their order."""
    return ALL_FACTS if document.asks_for_rates else _COMMON


def list_answer_headers(document: ListDocument) -> tuple[str, ...]:
    """Returns the headers of the columns that the provider fills, with at most three for other ways to deliver."""
    if not document.asks_for_rates:
        return (INTERESTED,)
    return (RATE, *WAYS[: len(document.variations)], START)


def state_facts(document: ListDocument, row: DocumentRow) -> tuple[Stated, ...]:
    """Returns the council's cells of a row."""
    return tuple(fact.get(row) for fact in list_facts(document))
