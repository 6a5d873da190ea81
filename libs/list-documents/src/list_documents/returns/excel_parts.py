"""Measures the sheets of an Excel workbook (Office Open XML) by its parts."""

import re
from typing import Final

from list_documents.errors import ReturnTooLarge
from list_documents.returns.containers import Parts
from list_documents.returns.limits import MAX_SHEETS
from list_documents.returns.xml_scan import Attributes, Size, build_damaged, parse_count, scan

WORKBOOK: Final = "xl/workbook.xml"
_SHARED_TEXTS: Final = re.compile(r"sharedstrings\.xml$", re.IGNORECASE)
_SHEET: Final = re.compile(rb"<(?:[\w.-]+:)?worksheet[\s>]")
_REFERENCE: Final = re.compile(r"([A-Za-z]{1,3})([0-9]{1,9})")
_FIRST_LETTER: Final = ord("A") - 1


def measure_excel(parts: Parts) -> None:
    """Raises a ReturnRefused for parts that are not plain XML, or for sheets beyond the limits."""
    lengths = list[int]()
    sheets = list[bytes]()
    for name, content in parts.items():
        if _SHEET.search(content):
            sheets.append(content)
        elif _SHARED_TEXTS.search(name):
            texts = _SharedTexts()
            scan(content, texts)
            lengths.extend(texts.lengths)
        else:
            scan(content)
    if len(sheets) > MAX_SHEETS:
        raise ReturnTooLarge("the workbook has more sheets than a list can have; send the list as you received it")
    size = Size()
    for sheet in sheets:
        scan(sheet, _SheetCells(size, lengths))


class _SharedTexts:
    """Collects the length of each text that cells refer to."""

    def __init__(self) -> None:
        self.lengths = list[int]()

    def start(self, name: str, attributes: Attributes) -> None:
        del attributes
        if name == "si":
            self.lengths.append(0)

    def end(self, name: str) -> None:
        """Texts have no nested texts."""

    def add_text(self, text: str) -> None:
        if self.lengths:
            self.lengths[-1] += len(text)


class _SheetCells:
    """Adds each cell in which something stands to the size; empty cells with a format cost nothing."""

    def __init__(self, size: Size, shared_lengths: list[int]) -> None:
        self._size = size
        self._shared_lengths = shared_lengths
        self._row = self._column = 0
        self._is_shared = self._has_content = False
        self._text = list[str]()

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "row":
            self._row = parse_count(attributes["r"]) if "r" in attributes else self._row + 1
            self._column = 0
        elif name == "c":
            self._start_cell(attributes)
        elif name in {"v", "is", "f"}:
            self._has_content = True

    def _start_cell(self, attributes: Attributes) -> None:
        self._text.clear()
        self._has_content = False
        self._is_shared = attributes.get("t") == "s"
        self._column += 1
        if "r" in attributes:
            self._row, self._column = _parse_reference(attributes["r"])

    def end(self, name: str) -> None:
        if name == "c" and self._has_content:
            self._size.add(row=self._row, column=self._column, characters=self._count_characters())

    def add_text(self, text: str) -> None:
        self._text.append(text)

    def _count_characters(self) -> int:
        text = "".join(self._text)
        if not self._is_shared:
            return len(text)
        position = parse_count(text.strip())
        return self._shared_lengths[position] if position < len(self._shared_lengths) else 0


def _parse_reference(text: str) -> tuple[int, int]:
    """Returns row and column of `K7`, counted from 1."""
    found = _REFERENCE.fullmatch(text)
    if found is None:
        raise build_damaged()
    column = 0
    for letter in found[1].upper():
        column = column * 26 + ord(letter) - _FIRST_LETTER
    return int(found[2]), column
