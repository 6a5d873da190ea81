"""Reads CSV as the spreadsheet programs of people write it: four encodings, three separators."""

import codecs
import csv
import io
from collections.abc import Iterator
from typing import Final

from list_documents.errors import NotAList, ReturnTooLarge
from list_documents.returns.grids import Grid, build_grid
from list_documents.returns.limits import MAX_CELLS, MAX_CHARACTERS, MAX_COLUMN, MAX_ROW

_SEPARATORS: Final = (",", ";", "\t")
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NEVER_IN_TEXT: Final = frozenset(chr(code) for code in range(32)) - frozenset("\t\n\r\f\v")


def read_csv(content: bytes) -> Iterator[Grid]:
    """Yields the file as a grid for each separator; raises NotAList for bytes that are no text."""
    text = _decode(content)
    for separator in _SEPARATORS:
        yield _split(text, separator)


def _decode(content: bytes) -> str:
    """Decodes UTF-8 with or without a byte order mark, UTF-16 with one, or else Windows-1252."""
    encodings = ("utf-16",) if content.startswith(_UTF_16) else ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if _NEVER_IN_TEXT.isdisjoint(text):
            return text
    raise NotAList("this is neither a workbook nor a CSV; send the list as an Excel workbook (.xlsx) or as CSV")


def _split(text: str, separator: str) -> Grid:
    if len(text) > MAX_CHARACTERS:
        raise ReturnTooLarge("the CSV has more text than a list can have; send the list as you received it")
    try:
        return build_grid(_check_size(csv.reader(io.StringIO(text, newline=""), delimiter=separator)))
    except csv.Error as error:
        raise NotAList("the CSV has a field without an end; save it again in your spreadsheet program") from error


def _check_size(records: Iterator[list[str]]) -> Iterator[list[str]]:
    cells = 0
    for number, record in enumerate(records, start=1):
        filled = [cell for cell in record if cell]
        cells += len(filled)
        if number > MAX_ROW or cells > MAX_CELLS or any(record[MAX_COLUMN:]):
            raise ReturnTooLarge("the CSV has more cells than a list can have; send the list as you received it")
        yield record if filled else []
