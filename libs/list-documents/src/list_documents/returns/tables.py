"""Finds the list in a sheet: the row of headers, and above it the labels of list and hash.

Blank rows, titles, notes and further columns of the provider's own are passed over.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from list_documents.columns import (
    ALL_FACTS,
    CHECK,
    CONTENT_HASH,
    HASH_PREFIX,
    INTERESTED,
    LIST,
    RATE,
    REFERENCE,
    START,
    WAYS,
)
from list_documents.returns.grids import Cell, Grid, Line

_SHA_256: Final = re.compile(r"[0-9a-f]{64}")
_OTHER_HEADERS: Final[Mapping[str, str]] = {
    "interested": INTERESTED,
    "interestedyesno": INTERESTED,
    "yesorno": INTERESTED,
    "rate": RATE,
    "startdate": START,
    "ref": REFERENCE,
    "listid": LIST,
}
"""Short forms, as a person who types the headers anew writes them."""


def _shorten(text: object) -> str:
    return "".join(each for each in str(text).casefold() if each.isalnum())


_HEADERS: Final[Mapping[str, str]] = _OTHER_HEADERS | {
    _shorten(header): header
    for header in (
        INTERESTED,
        RATE,
        *WAYS,
        START,
        REFERENCE,
        CHECK,
        LIST,
        CONTENT_HASH,
        *(each.header for each in ALL_FACTS),
    )
}


@dataclass(frozen=True, slots=True)
class ListLine:
    """A row below the headers; cells by header, without the columns that are not the list's."""

    sheet: int
    number: int
    cells: Mapping[str, Cell]

    def get(self, header: str) -> Cell:
        return self.cells.get(header, "")


@dataclass(frozen=True, slots=True)
class FoundList:
    """What a file contains of lists, and the ids and hashes that it names."""

    lines: tuple[ListLine, ...]
    list_ids: frozenset[UUID]
    content_hashes: frozenset[str]


def find_list(grids: Iterable[Grid]) -> FoundList | None:
    """Returns the rows of all sheets that have the headers of a list; None if no sheet has.

    All of them are read, because people copy a locked sheet and fill the copy.
    """
    lines, labelled = list[ListLine](), list[tuple[str, Cell]]()
    has_headers = False
    for grid in grids:
        headers: Mapping[int, str] = {}
        for line in grid.lines:
            found = _find_headers(line)
            if found:
                headers, has_headers = found, True
            elif headers:
                lines.append(ListLine(grid.sheet, line.number, _name_cells(line, headers)))
            else:
                labelled.extend(_find_labelled(line))
    labelled.extend((label, line.get(label)) for line in lines for label in (LIST, CONTENT_HASH))
    return _build(lines, labelled) if has_headers else None


def _build(lines: list[ListLine], labelled: list[tuple[str, Cell]]) -> FoundList:
    ids = (parse_reference(cell) for label, cell in labelled if label == LIST)
    hashes = (parse_hash(cell) for label, cell in labelled if label == CONTENT_HASH)
    return FoundList(
        tuple(lines),
        frozenset(each for each in ids if each is not None),
        frozenset(each for each in hashes if each is not None),
    )


def _find_headers(line: Line) -> Mapping[int, str]:
    """Returns the header of each column if this is the row of headers, otherwise nothing; the first of two counts."""
    found = dict[str, int]()
    for column, cell in enumerate(line.cells):
        header = _HEADERS.get(_shorten(cell))
        if header is not None:
            found.setdefault(header, column)
    is_list = REFERENCE in found and (INTERESTED in found or RATE in found)
    return {column: header for header, column in found.items()} if is_list else {}


def _name_cells(line: Line, headers: Mapping[int, str]) -> Mapping[str, Cell]:
    return {headers[column]: cell for column, cell in enumerate(line.cells) if column in headers}


def _find_labelled(line: Line) -> Iterator[tuple[str, Cell]]:
    filled = [cell for cell in line.cells if cell != ""]
    for label, cell in itertools.pairwise(filled):
        header = _HEADERS.get(_shorten(label))
        if header in {LIST, CONTENT_HASH}:
            yield header, cell


def parse_reference(cell: Cell) -> UUID | None:
    """Returns the UUID that a cell contains, or None; only its usual form, with hyphens."""
    text = str(cell).strip()
    if len(text) != 36 or text.count("-") != 4:
        return None
    try:
        return UUID(text)
    except ValueError:
        return None


def parse_hash(cell: Cell) -> str | None:
    text = str(cell).strip().casefold().removeprefix(HASH_PREFIX)
    return text if _SHA_256.fullmatch(text) else None
