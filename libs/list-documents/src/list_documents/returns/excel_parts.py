"""Builds a plain workbook from the parts of an Excel workbook: sheets, texts and formats of numbers."""

import re
from collections.abc import Iterator
from typing import Final

from list_documents.returns.containers import Parts
from list_documents.returns.excel_grammars import RELATIONS, SHEET, STYLES, TEXTS, WORKBOOK
from list_documents.returns.limits import MAX_SHEETS
from list_documents.returns.size import Size, build_too_many_sheets
from list_documents.returns.xml_rewriter import Attributes, build_damaged, parse_count, rewrite

WORKBOOK_PART: Final = "xl/workbook.xml"
_RELATIONS_PART: Final = "xl/_rels/workbook.xml.rels"
_TEXTS_PART: Final = "xl/sharedStrings.xml"
_STYLES_PART: Final = "xl/styles.xml"
_REFERENCE: Final = re.compile(r"([A-Za-z]{1,3})([0-9]{1,9})")
_FIRST_LETTER: Final = ord("A") - 1
_RELATION: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def build_plain_workbook(parts: Parts) -> Parts:
    """Returns parts that declare nothing but what was counted; raises a ReturnRefused beyond the limits."""
    found = {name.lower(): content for name, content in parts.items()}
    workbook, relations, texts = _Workbook(), _Relations(), _Texts()
    rewrite(found[WORKBOOK_PART], WORKBOOK, workbook)
    rewrite(found.get(_RELATIONS_PART, b"<Relationships/>"), RELATIONS, relations)
    plain = {
        _TEXTS_PART: rewrite(found.get(_TEXTS_PART.lower(), b"<sst/>"), TEXTS, texts),
        _STYLES_PART: rewrite(found.get(_STYLES_PART, b"<styleSheet/>"), STYLES, _Ignore()),
    }
    size = Size()
    targets = dict.fromkeys(relations.targets.get(each, "") for each in workbook.sheets)
    sheets = [found[name] for name in targets if name in found]
    if len(sheets) > MAX_SHEETS:
        raise build_too_many_sheets()
    for number, sheet in enumerate(sheets, start=1):
        plain[f"xl/worksheets/sheet{number}.xml"] = rewrite(sheet, SHEET, _Cells(size, texts.lengths))
    return plain | dict(_write_workbook(len(sheets), date1904=workbook.date1904))


def _write_workbook(sheets: int, *, date1904: str) -> Iterator[tuple[str, bytes]]:
    numbers = range(1, sheets + 1)
    names = "".join(f'<sheet name="{each}" sheetId="{each}" r:id="r{each}"/>' for each in numbers)
    yield (
        WORKBOOK_PART,
        f'<workbook{WORKBOOK.namespaces} xmlns:r="{_RELATION}"><workbookPr date1904="{date1904}"/>'
        f"<sheets>{names}</sheets></workbook>".encode(),
    )
    yield "_rels/.rels", _write_relations(_write_relation(WORKBOOK_PART, "officeDocument", "r0"))
    sheet_relations = (_write_relation(f"worksheets/sheet{each}.xml", "worksheet", f"r{each}") for each in numbers)
    yield _RELATIONS_PART, _write_relations(*sheet_relations)


def _write_relation(target: str, kind: str, key: str) -> str:
    return f'<Relationship Id="{key}" Type="{_RELATION}/{kind}" Target="{target}"/>'


def _write_relations(*relations: str) -> bytes:
    return f"<Relationships{RELATIONS.namespaces}>{''.join(relations)}</Relationships>".encode()


class _Ignore:
    """Looks at nothing."""

    def start(self, name: str, attributes: Attributes) -> None: ...
    def end(self, name: str) -> None: ...
    def add_text(self, text: str) -> None: ...


class _Workbook(_Ignore):
    """Collects the relations of the sheets, in the order of the workbook, and which calendar it uses."""

    def __init__(self) -> None:
        self.sheets = list[str]()
        self.date1904 = "0"

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "sheet":
            self.sheets.append(attributes.get("r:id", ""))
        elif attributes.get("date1904") in {"1", "true"}:
            self.date1904 = "1"


class _Relations(_Ignore):
    """Collects the part of each relation, as a name in lower case."""

    def __init__(self) -> None:
        self.targets = dict[str, str]()

    def start(self, name: str, attributes: Attributes) -> None:
        del name
        target = attributes.get("Target", "").lower()
        self.targets[attributes.get("Id", "")] = target[1:] if target.startswith("/") else f"xl/{target}"


class _Texts(_Ignore):
    """Collects the length of each text that cells refer to."""

    def __init__(self) -> None:
        self.lengths = list[int]()

    def start(self, name: str, attributes: Attributes) -> None:
        del attributes
        if name == "si":
            self.lengths.append(0)

    def add_text(self, text: str) -> None:
        if self.lengths:
            self.lengths[-1] += len(text)


class _Cells:
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
        elif name in {"v", "is"}:
            self._has_content = True

    def _start_cell(self, attributes: Attributes) -> None:
        self._text.clear()
        self._has_content = False
        self._is_shared = attributes.get("t") == "s"
        self._column += 1
        if "r" in attributes:
            self._row, self._column = _parse_place(attributes["r"])

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


def _parse_place(text: str) -> tuple[int, int]:
    """Returns row and column of `K7`, counted from 1."""
    found = _REFERENCE.fullmatch(text)
    if found is None:
        raise build_damaged()
    column = 0
    for letter in found[1].upper():
        column = column * 26 + ord(letter) - _FIRST_LETTER
    return int(found[2]), column
