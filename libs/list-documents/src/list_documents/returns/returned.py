"""What a provider returned: its rows, each with its answer or with the reason why it does not count."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID


class ProblemKind(StrEnum):
    """Why a row does not count, as a code that can be recorded; the text may repeat what was typed."""

    NO_REFERENCE = "an answer without a reference"
    NOT_A_REFERENCE = "the reference is not one of a list"
    NOT_ON_THIS_LIST = "the reference is not one of this list"
    NEITHER_YES_NOR_NO = "the answer is neither Yes nor No"
    NOT_A_RATE = "the rate cannot be read"
    NO_RATE = "a proposal without a rate"
    NOT_A_DATE = "the date cannot be read"
    UNKNOWN_VARIATION = "a way to deliver that is not one of the list"
    REPEATED = "the same answer stands in an earlier row"
    CONTRADICTED = "another row answers differently"


_EDITED: Final = "a cell that the council had filled was changed; the answer is for the package of the reference"


@dataclass(frozen=True, slots=True)
class RowProblem:
    kind: ProblemKind
    text: str
    """A sentence for the provider, with the row."""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class ReturnedRow:
    """One row below the headers of a list."""

    where: str
    """`row 9`, or `row 9 of sheet 2`."""
    number: int
    reference: UUID | None
    is_interested: bool | None = None
    rate: Decimal | None = None
    variations: tuple[str, ...] = ()
    """Titles as they stand in the file; `match_return` puts the keys in their place."""
    can_start_on: date | None = None
    problem: RowProblem | None = None
    """Why the row does not count; None where it does, or where it has no answer."""
    is_edited: bool = False
    """A cell that the council had filled was changed; the answer counts for the package of the reference."""

    @property
    def note(self) -> str | None:
        """What the provider should know of a row whether it counts or not."""
        return f"{self.where}: {_EDITED}" if self.is_edited else None

    @property
    def has_answer(self) -> bool:
        return self.answer != (None, None, (), None)

    @property
    def answer(self) -> tuple[bool | None, Decimal | None, tuple[str, ...], date | None]:
        return self.is_interested, self.rate, self.variations, self.can_start_on


@dataclass(frozen=True, slots=True)
class ReturnedList:
    """A whole return. `list_id` and `content_hash` are None where the file names none, or several."""

    list_id: UUID | None
    content_hash: str | None
    rows: tuple[ReturnedRow, ...]

    @property
    def counting_rows(self) -> Iterator[ReturnedRow]:
        """Yields the rows whose answers count: at most one for each reference."""
        return (row for row in self.rows if row.problem is None and row.has_answer)
