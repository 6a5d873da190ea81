"""Opens the workbook of a list, fills cells, and saves it, as a provider does in a spreadsheet program.

The tool knows the headers that a person reads and nothing else of the library that writes the workbook. It fills only
cells that the protected sheet leaves unlocked, and keeps every other part of the file as it is.
"""

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Final
from uuid import UUID
from xml.etree import ElementTree as ET

from testkit.workbook_parts import NAMESPACE, WorkbookParts, get_column, tag

REFERENCE: Final = "Reference"
INTERESTED: Final = "Interested? Yes or No"
EPOCH: Final = date(1899, 12, 30)
"""Day 0 of a workbook's calendar."""

Value = str | Decimal | date
Filling = Mapping[UUID, Mapping[str, Value]]
"""By the row's reference, and by the header of the column."""


class CellIsLocked(AssertionError):
    """The spreadsheet program refuses to change a locked cell."""


def tick_workbook(content: bytes, answers: Mapping[UUID, bool]) -> bytes:
    """Fills Yes for True and No for False, and returns the saved workbook."""
    return fill_workbook(content, {each: {INTERESTED: "Yes" if answers[each] else "No"} for each in answers})


def fill_workbook(content: bytes, filling: Filling) -> bytes:
    """Fills cells and returns the saved workbook; raises KeyError for a reference or header that is not there."""
    parts = WorkbookParts.read(content)
    sheet = parts.parse_sheet()
    headers, rows = _find_headers(parts, sheet), _find_rows(parts, sheet)
    for reference, values in filling.items():
        for header, value in values.items():
            _fill(parts, rows[reference], f"{headers[header]}{rows[reference].get('r')}", value)
    ET.register_namespace("", NAMESPACE)
    return parts.save(ET.tostring(sheet, encoding="UTF-8", xml_declaration=True))


def read_cells(content: bytes) -> Iterator[dict[str, str]]:
    """Yields the shown text of each row of the list, by header."""
    parts = WorkbookParts.read(content)
    sheet = parts.parse_sheet()
    headers = {column: header for header, column in _find_headers(parts, sheet).items()}
    for row in _find_rows(parts, sheet).values():
        yield {headers[get_column(cell)]: parts.get_text(cell) for cell in row if get_column(cell) in headers}


def replace_part(content: bytes, name: str, part: bytes) -> bytes:
    """Returns the workbook with another content of one part, or with one more part."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            if entry.filename != name:
                new.writestr(entry, old.read(entry), zipfile.ZIP_DEFLATED)
        new.writestr(name, part)
    return packed.getvalue()


def _find_headers(parts: WorkbookParts, sheet: ET.Element) -> dict[str, str]:
    """Returns the letters of each column, by its header."""
    for row in sheet.iter(tag("row")):
        headers = {parts.get_text(cell): get_column(cell) for cell in row}
        if REFERENCE in headers:
            return headers
    raise KeyError(REFERENCE)


def _find_rows(parts: WorkbookParts, sheet: ET.Element) -> dict[UUID, ET.Element]:
    column = _find_headers(parts, sheet)[REFERENCE]
    found = dict[UUID, ET.Element]()
    for row in sheet.iter(tag("row")):
        text = next((parts.get_text(cell) for cell in row if get_column(cell) == column), "")
        if re.fullmatch(r"[0-9a-f-]{36}", text):
            found[UUID(text)] = row
    return found


def _fill(parts: WorkbookParts, row: ET.Element, place: str, value: Value) -> None:
    cell = next(each for each in row if each.get("r") == place)
    if parts.is_locked(cell):
        raise CellIsLocked(place)
    cell.attrib.pop("t", None)
    for child in list(cell):
        cell.remove(child)
    if isinstance(value, str):
        cell.set("t", "inlineStr")
        ET.SubElement(ET.SubElement(cell, tag("is")), tag("t")).text = value
    else:
        number = (value - EPOCH).days if isinstance(value, date) else value
        ET.SubElement(cell, tag("v")).text = str(number)
