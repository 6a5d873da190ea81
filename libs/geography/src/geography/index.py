"""Index file of all postcodes, 12 bytes each, which is memory-mapped and searched in place.

Layout, in the machine's byte order (the file is a cache, not an exchange format):

    header      magic, number of sectors, of districts, of postcodes
    sectors     each postcode sector ("CM1 1", the outward code padded to four) with its number of postcodes
    districts   GSS codes; a postcode refers to a district by its position; a blank code means none
    columns     eastings and northings (float32, exact for whole metres below 2^24; NaN means none),
                units (the last two letters as one uint16, ascending within a sector) and districts (uint16)
"""

import math
import mmap
import os
import struct
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, islice
from operator import lt
from pathlib import Path
from typing import Self

from geography.errors import PostcodesUnreadable
from geography.locations import GridReference
from geography.ons import Columns
from geography.postcode import Postcode

_MAGIC = f"postcodes1{sys.byteorder}".encode()
_HEADER = struct.Struct("=16sIII")
_SECTOR = struct.Struct("=5sI")
_DISTRICT = struct.Struct("=9s")
_BYTES_PER_POSTCODE = 12

_POSTCODE_LENGTH = 7
_SECTOR_LENGTH = 5
_AFTER_Z = "["


def _get_sector(postcode: Postcode) -> str:
    return f"{postcode.outward:4}{postcode.inward[0]}"


def _encode_unit(postcode: Postcode) -> int:
    return int.from_bytes(postcode.inward[1:].encode(), "big")


@dataclass(frozen=True)
class DirectoryEntry:
    """Entry of one postcode; the district's code is None if the directory has none."""

    district: str | None
    location: GridReference | None


class IndexWriter:
    """Collects the columns of the directory and writes the index. No Python loop runs over the 2.7 million rows."""

    def __init__(self) -> None:
        self._sectors: dict[str, int] = {}
        self._districts: dict[str, int] = {}
        self._eastings, self._northings = array("f"), array("f")
        self._units, self._numbers = array("H"), array("H")

    def add(self, columns: Columns) -> None:
        """Adds the postcodes of one file. They must be in order and share no sector with another file."""
        try:
            self._add_keys(columns["pcd"])
            self._add_values(columns)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise PostcodesUnreadable(
                "the postcode package has an unknown format; install the pinned version"
            ) from error

    def _add_keys(self, postcodes: list[str]) -> None:
        sectors = dict(_count_by_sector(postcodes))
        if not all(map(lt, postcodes, islice(postcodes, 1, None))) or not self._sectors.keys().isdisjoint(sectors):
            raise ValueError("postcodes are out of order")
        self._sectors.update(sectors)
        self._units.extend(_encode_units(postcodes))

    def _add_values(self, columns: Columns) -> None:
        codes = [code if isinstance(code, str) else "" for code in columns["laua"]]
        for code in sorted(set(codes)):
            self._districts.setdefault(code, len(self._districts))
        # extending by an array copies memory; extending by a list adds item by item
        self._numbers.extend(array("H", list(map(self._districts.__getitem__, codes))))
        self._eastings.extend(array("f", columns["oseast1m"]))
        self._northings.extend(array("f", columns["osnrth1m"]))
        if len({len(column) for column in self._columns}) != 1:
            raise ValueError("columns differ in length")

    @property
    def _columns(self) -> "tuple[array[float] | array[int], ...]":  # quoted: array takes no subscript at run time
        return self._eastings, self._northings, self._units, self._numbers

    def write(self, path: Path) -> None:
        """Writes the file atomically: under another name first, then renamed to `path`."""
        partial = path.with_suffix(".partial")
        with partial.open("wb") as file:
            file.write(_HEADER.pack(_MAGIC, len(self._sectors), len(self._districts), len(self._units)))
            file.writelines(_SECTOR.pack(sector.encode(), count) for sector, count in self._sectors.items())
            file.writelines(_DISTRICT.pack(code.encode()) for code in self._districts)
            for column in self._columns:
                column.tofile(file)
            file.flush()
            os.fsync(file.fileno())  # the content must reach the disk before the rename
        partial.replace(path)


def _count_by_sector(postcodes: list[str]) -> Iterator[tuple[str, int]]:
    """Yields each sector with its number of postcodes; a binary search finds the end of each sector."""
    start = 0
    while start < len(postcodes):
        sector = postcodes[start][:_SECTOR_LENGTH]
        end = bisect_left(postcodes, sector + _AFTER_Z, start)
        yield sector, end - start
        start = end


def _encode_units(postcodes: list[str]) -> "array[int]":
    """Encodes the last two letters of each postcode as `_encode_unit` does."""
    text = "".join(postcodes).encode("ascii")
    suffixes = bytearray(2 * len(postcodes))
    suffixes[0::2] = text[5::_POSTCODE_LENGTH]
    suffixes[1::2] = text[6::_POSTCODE_LENGTH]
    units = array("H", bytes(suffixes))
    if sys.byteorder == "little":
        units.byteswap()
    return units


class PostcodeIndex:
    """An open index file. It is read-only and can be shared by threads."""

    def __init__(self, content: memoryview) -> None:
        _, sectors, districts, postcodes = _HEADER.unpack_from(content)
        codes_at = _HEADER.size + sectors * _SECTOR.size
        columns_at = codes_at + districts * _DISTRICT.size
        self._runs = _read_sector_rows(content[_HEADER.size : codes_at])
        self._districts = [
            code.rstrip(b"\0").decode() or None for (code,) in _DISTRICT.iter_unpack(content[codes_at:columns_at])
        ]
        self._eastings, self._northings, self._units, self._numbers = _split_columns(content[columns_at:], postcodes)

    @classmethod
    def open(cls, path: Path) -> Self | None:
        """Opens the file. Returns None if it does not exist, is incomplete or has another format."""
        try:
            with path.open("rb") as file:
                content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except (FileNotFoundError, ValueError):  # ValueError: an empty file cannot be mapped
            return None
        return cls(content) if _is_complete(content) else None

    def find(self, postcode: Postcode) -> DirectoryEntry | None:
        run = self._runs.get(_get_sector(postcode))
        if run is None:
            return None
        unit = _encode_unit(postcode)
        row = bisect_left(self._units, unit, run.start, run.stop)
        if row == run.stop or self._units[row] != unit:
            return None
        return DirectoryEntry(self._districts[self._numbers[row]], self._read_location(row))

    def _read_location(self, row: int) -> GridReference | None:
        easting, northing = self._eastings[row], self._northings[row]
        if math.isnan(easting) or math.isnan(northing):
            return None
        return GridReference(int(easting), int(northing))


def _is_complete(content: memoryview) -> bool:
    if len(content) < _HEADER.size:
        return False
    magic, sectors, districts, postcodes = _HEADER.unpack_from(content)
    size = _HEADER.size + sectors * _SECTOR.size + districts * _DISTRICT.size + postcodes * _BYTES_PER_POSTCODE
    return magic.rstrip(b"\0") == _MAGIC and len(content) == size


def _read_sector_rows(table: memoryview) -> dict[str, range]:
    """Returns the range of rows of each sector."""
    counts = [(sector.decode(), count) for sector, count in _SECTOR.iter_unpack(table)]
    ends = accumulate(count for _, count in counts)
    return {sector: range(end - count, end) for (sector, count), end in zip(counts, ends, strict=True)}


def _split_columns(
    body: memoryview, rows: int
) -> "tuple[memoryview[float], memoryview[float], memoryview[int], memoryview[int]]":
    """Returns the columns: eastings, northings, units and districts."""
    eastings, northings = body[: rows * 4], body[rows * 4 : rows * 8]
    units, numbers = body[rows * 8 : rows * 10], body[rows * 10 :]
    return eastings.cast("f"), northings.cast("f"), units.cast("H"), numbers.cast("H")
