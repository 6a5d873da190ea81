"""Tables that fit the width of the terminal.

Columns of text are wrapped at words; ids, addresses and other single words are never broken, because people copy them
into the next command. Where the columns do not fit, each row is printed as a list of `name value` lines, as psql does
in expanded mode.
"""

import textwrap
from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from calloff.commands.output import out, print_line

_BORDER: Final = 3
"""Cells that a column takes beside its text: a line and two spaces; the table has one line more."""
_MIN_TEXT_WIDTH: Final = 16
"""A column of text is not wrapped into less than this."""
_GAP: Final = 2
_ID_WIDTH: Final = 36


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str) -> None:
    """Prints rows as a table no wider than the terminal, or `empty` where there are none. None is an empty cell."""
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if not cells:
        print_line(empty)
    elif _measure_width(columns, cells) <= out.width:
        out.print(_build_table(columns, cells))
    else:
        print_line("\n\n".join(_render_record(columns, row, width=out.width) for row in cells))


def _build_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table()
    for position, name in enumerate(columns):
        table.add_column(name, no_wrap=_is_single_word([row[position] for row in rows]), overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _measure_width(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """The least width at which the table can be read."""
    widths = [_measure_column(name, [row[position] for row in rows]) for position, name in enumerate(columns)]
    return sum(widths) + _BORDER * len(columns) + 1


def _measure_column(name: str, cells: Sequence[str]) -> int:
    longest_word = max(cell_len(word) for cell in (name, *cells) for word in cell.split() or [""])
    if _is_single_word(cells):
        return longest_word
    longest_line = max(cell_len(line) for cell in (name, *cells) for line in cell.splitlines() or [""])
    return max(longest_word, min(_MIN_TEXT_WIDTH, longest_line))


def _is_single_word(cells: Sequence[str]) -> bool:
    return all(len(cell.split()) <= 1 for cell in cells)


def _render_record(columns: Sequence[str], row: Sequence[str], *, width: int) -> str:
    """One row as lines of name and value; each value on its own line where an id would not fit beside the name."""
    indent = max(map(cell_len, columns)) + _GAP
    has_room = indent + _ID_WIDTH <= width
    lines: list[str] = []
    for name, cell in zip(columns, row, strict=True):
        if not cell:
            continue
        if has_room:
            first, *others = _wrap(cell, width - indent)
            lines += [f"{name:{indent}}{first}", *[f"{'':{indent}}{line}" for line in others]]
        else:
            lines += [*_wrap(name, width), *_wrap(cell, width)]
    return "\n".join(lines)


def _wrap(text: str, width: int) -> list[str]:
    paragraphs = text.splitlines() or [""]
    return [line for part in paragraphs for line in textwrap.wrap(part, width, break_on_hyphens=False) or [""]]
