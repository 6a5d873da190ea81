"""Measures the sheets of an OpenDocument spreadsheet, in which one element can stand for many rows or cells."""

from typing import Final

from list_documents.errors import ReturnTooLarge
from list_documents.returns.containers import Parts
from list_documents.returns.limits import MAX_SHEETS
from list_documents.returns.xml_scan import Attributes, Size, build_damaged, parse_count, scan

CONTENT: Final = "content.xml"
MEDIA_TYPE: Final = b"application/vnd.oasis.opendocument.spreadsheet"
_CELLS: Final = frozenset({"table-cell", "covered-table-cell"})
_ROWS_REPEATED: Final = "table:number-rows-repeated"
_COLUMNS_REPEATED: Final = "table:number-columns-repeated"


def measure_open_document(parts: Parts) -> None:
    """Raises a ReturnRefused for parts that are not plain XML, or for sheets beyond the limits."""
    for name, content in parts.items():
        if name == CONTENT:
            scan(content, _Tables())
        elif name.endswith(".xml"):
            scan(content)


class _Tables:
    """Adds each row in which something stands to the size, as often as it is repeated."""

    def __init__(self) -> None:
        self._size = Size()
        self._tables = self._depth = 0
        self._row = self._column = self._last_column = 0
        self._rows = self._columns = 1
        self._cells = self._characters = self._of_cell = 0
        self._has_content = False

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "table":
            self._start_table()
        elif name == "table-row":
            self._rows = parse_count(attributes.get(_ROWS_REPEATED, "1"))
            self._column = self._last_column = self._cells = self._characters = 0
        elif name in _CELLS:
            self._columns = parse_count(attributes.get(_COLUMNS_REPEATED, "1"))
            self._has_content = any(key.endswith(("value-type", "formula")) for key in attributes)
            self._of_cell = sum(len(value) for value in attributes.values())

    def _start_table(self) -> None:
        self._tables += 1
        self._depth += 1
        self._row = 0
        if self._depth > 1:
            raise build_damaged()
        if self._tables > MAX_SHEETS:
            raise ReturnTooLarge("the workbook has more sheets than a list can have; send the list as you received it")

    def end(self, name: str) -> None:
        if name == "table":
            self._depth -= 1
        elif name in _CELLS:
            self._end_cell()
        elif name == "table-row":
            self._row += self._rows
            if self._cells:
                self._size.add(
                    row=self._row,
                    column=self._last_column,
                    cells=self._cells * self._rows,
                    characters=self._characters * self._rows,
                )

    def _end_cell(self) -> None:
        self._column += self._columns
        if self._has_content:
            self._last_column = self._column
            self._cells += self._columns
            self._characters += self._of_cell * self._columns

    def add_text(self, text: str) -> None:
        self._of_cell += len(text)
        self._has_content = self._has_content or not text.isspace()
