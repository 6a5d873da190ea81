"""The parts of a workbook's file that a test reads or changes: the first sheet, shared texts and styles."""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self
from xml.etree import ElementTree as ET

NAMESPACE: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SHEET: Final = "xl/worksheets/sheet1.xml"
_TEXTS: Final = "xl/sharedStrings.xml"
_STYLES: Final = "xl/styles.xml"


def tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def get_column(cell: ET.Element) -> str:
    """Returns the letters of a cell's column."""
    return cell.attrib["r"].rstrip("0123456789")


@dataclass(frozen=True)
class WorkbookParts:
    """All parts by name, with the shared texts and the numbers of the unlocked styles."""

    parts: Mapping[str, bytes]
    texts: tuple[str, ...]
    unlocked: frozenset[int]

    @classmethod
    def read(cls, content: bytes) -> Self:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = {entry.filename: archive.read(entry) for entry in archive.infolist()}
        texts = ET.fromstring(parts[_TEXTS])  # noqa: S314  written by this repository
        formats = ET.fromstring(parts[_STYLES]).find(tag("cellXfs"))  # noqa: S314
        return cls(
            parts,
            tuple("".join(text.itertext()) for text in texts),
            frozenset(number for number, each in enumerate(formats or ()) if _is_unlocked(each)),
        )

    def parse_sheet(self) -> ET.Element:
        return ET.fromstring(self.parts[SHEET])  # noqa: S314

    def get_text(self, cell: ET.Element) -> str:
        """Returns the text or number of a cell as it is stored, empty for an empty one."""
        value = cell.find(tag("v"))
        if value is None:
            return "".join(cell.itertext())
        return self.texts[int(value.text or "0")] if cell.get("t") == "s" else value.text or ""

    def is_locked(self, cell: ET.Element) -> bool:
        return int(cell.get("s", "0")) not in self.unlocked

    def save(self, sheet: bytes) -> bytes:
        """Returns the file with another first sheet."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in self.parts.items():
                archive.writestr(name, sheet if name == SHEET else content)
        return packed.getvalue()


def _is_unlocked(cell_format: ET.Element) -> bool:
    protection = cell_format.find(tag("protection"))
    return protection is not None and protection.get("locked") == "0"
