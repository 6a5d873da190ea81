"""Counts what a workbook would take in a parser of spreadsheets.

Such a parser keeps a sheet as a rectangle, so that one cell at the far end costs memory for all before it, and repeats
a shared text for each cell that refers to it.
"""

from list_documents.errors import ReturnTooLarge
from list_documents.returns.limits import MAX_CELLS, MAX_CHARACTERS, MAX_COLUMN, MAX_ROW


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


def build_too_many_sheets() -> ReturnTooLarge:
    return ReturnTooLarge("the workbook has more sheets than a list can have; send the list as you received it")
