"""Cells of a returned file: what its sheets contain, with the numbers that a spreadsheet program shows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

Cell = str | int | float | bool | date | datetime | time | timedelta


@dataclass(frozen=True, slots=True)
class Line:
    """A row in which something stands; `number` as the spreadsheet program counts."""

    number: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """One sheet, or a CSV; sheets are numbered from 1."""

    sheet: int
    lines: tuple[Line, ...]


def build_grid(rows: Iterable[Iterable[Cell]], *, sheet: int = 1) -> Grid:
    """Builds a grid without the rows that are empty."""
    numbered = (Line(number, tuple(cells)) for number, cells in enumerate(rows, start=1))
    return Grid(sheet, tuple(line for line in numbered if any(cell != "" for cell in line.cells)))
