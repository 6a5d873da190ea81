"""Unpacks a workbook within limits, before any parser of spreadsheets sees it.

`repack` packs the parts that the parser reads: what was looked at, so that a directory that states a wrong size, or
names a part twice, has no effect on it.
"""

import io
import zipfile
import zlib
from collections.abc import Mapping
from typing import Final

from list_documents.errors import PasswordProtected, ReturnDamaged, ReturnTooLarge
from list_documents.returns.limits import MAX_PARTS, MAX_RATIO, MAX_UNPACKED_BYTES, RATIO_COUNTS_FROM

_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_IS_ENCRYPTED: Final = 0x1
_READ: Final = (".xml", ".rels")
_MIMETYPE: Final = "mimetype"
_FAULTS: Final = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)
"""What the standard library raises for a damaged archive; a KeyError cannot occur, because parts come by entry."""

Parts = Mapping[str, bytes]


def list_parts(content: bytes) -> tuple[str, ...]:
    """Returns the names of all parts; raises a ReturnRefused for what is beyond the limits, encrypted or damaged."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
    except _FAULTS as error:
        raise _build_damaged() from error
    _check_directory(entries)
    return tuple(entry.filename for entry in entries)


def unpack(content: bytes) -> Parts:
    """Returns the XML parts, and the media type of an OpenDocument file; pictures and the like are left out."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {
                entry.filename: archive.read(entry)
                for entry in archive.infolist()
                if entry.filename.lower().endswith(_READ) or entry.filename == _MIMETYPE
            }
    except _FAULTS as error:
        raise _build_damaged() from error


def repack(parts: Parts) -> bytes:
    """Packs the parts without compression."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return packed.getvalue()


def _check_directory(entries: list[zipfile.ZipInfo]) -> None:
    names = [entry.filename.lower() for entry in entries]
    if len(entries) > MAX_PARTS or sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
        raise ReturnTooLarge("the workbook unpacks to more than a list can have; send the list as you received it")
    if any(_is_bomb(entry) for entry in entries):
        raise ReturnTooLarge("a part of the workbook is packed too densely; save it again in your spreadsheet program")
    if any(entry.flag_bits & _IS_ENCRYPTED for entry in entries):
        raise PasswordProtected("the workbook is encrypted; save it without a password and send it again")
    if len(set(names)) != len(names) or any(entry.compress_type not in _METHODS for entry in entries):
        raise _build_damaged()


def _is_bomb(entry: zipfile.ZipInfo) -> bool:
    return entry.file_size > RATIO_COUNTS_FROM and entry.file_size > MAX_RATIO * max(entry.compress_size, 1)


def _build_damaged() -> ReturnDamaged:
    return ReturnDamaged("the workbook cannot be unpacked; save it again in your spreadsheet program and send that")
