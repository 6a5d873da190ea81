"""Reads a part's XML once, before the parser of spreadsheets: well-formed, UTF-8, no entities, bounded.

Parsers of spreadsheets keep a sheet as a rectangle, so that one cell at the far end costs memory for all before it, and
repeat a shared text for each cell that refers to it. The handlers here compute both from the XML.
"""

from collections.abc import Mapping
from typing import Final, Protocol
from xml.parsers import expat

from list_documents.errors import ReturnDamaged, ReturnRefused, ReturnTooLarge
from list_documents.returns.limits import MAX_CELLS, MAX_CHARACTERS, MAX_COLUMN, MAX_ELEMENTS, MAX_ROW

_MAX_DIGITS: Final = 9
_ENCODINGS: Final = ("UTF-8", "US-ASCII", "ASCII")

Attributes = Mapping[str, str]


class Handler(Protocol):
    """What a scan calls, with the local names of elements; attributes keep their prefix."""

    def start(self, name: str, attributes: Attributes) -> None: ...
    def end(self, name: str) -> None: ...
    def add_text(self, text: str) -> None: ...


class Size:
    """Rectangles, cells and text of a workbook; raises ReturnTooLarge as soon as one is beyond its limit."""

    def __init__(self) -> None:
        self._cells = 0
        self._characters = 0

    def add(self, *, row: int, column: int, cells: int = 1, characters: int = 0) -> None:
        """Adds cells of which the last one stands in `row` and `column`, and the characters of all of them."""
        if row > MAX_ROW or column > MAX_COLUMN:
            raise ReturnTooLarge(
                f"something stands below row {MAX_ROW} or right of column {MAX_COLUMN}; delete it and send it again"
            )
        self._cells += cells
        self._characters += characters
        if self._cells > MAX_CELLS or self._characters > MAX_CHARACTERS:
            raise ReturnTooLarge("the workbook has more cells than a list can have; send the list as you received it")


def scan(content: bytes, handler: Handler | None = None) -> None:
    """Raises ReturnDamaged for XML that is not plain, ReturnTooLarge for too many elements; calls `handler`."""
    _Scan(handler).run(content)


class _Scan:
    def __init__(self, handler: Handler | None) -> None:
        self._handler = handler
        self._elements = 0

    def run(self, content: bytes) -> None:
        if b"\0" in content:  # UTF-16, which expat reads without being asked to
            raise build_damaged()
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.XmlDeclHandler = self._check_declaration
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        parser.StartElementHandler = self._start
        if self._handler is not None:
            parser.EndElementHandler = self._end
            parser.CharacterDataHandler = self._handler.add_text
        try:
            parser.Parse(content, True)
        except expat.ExpatError as error:
            raise build_damaged() from error

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise ReturnTooLarge("a sheet has more cells than a list can have; send the list as you received it")
        if self._handler is not None:
            self._handler.start(_strip_prefix(name), attributes)

    def _end(self, name: str) -> None:
        if self._handler is not None:
            self._handler.end(_strip_prefix(name))

    @staticmethod
    def _check_declaration(_version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.upper() not in _ENCODINGS:
            raise build_damaged()

    @staticmethod
    def _refuse_doctype(*_: object) -> None:
        raise build_damaged()


def _strip_prefix(name: str) -> str:
    return name.rpartition(":")[2]


def parse_count(text: str) -> int:
    """Returns a number of rows or columns as a part states it; raises ReturnDamaged for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
        raise build_damaged()
    return int(text)


def build_damaged() -> ReturnRefused:
    return ReturnDamaged("a part of the workbook is not valid; save it again in your spreadsheet program and send that")
