"""Formats of the workbook's cells. Contrast is at least 7 to 1; a cell to fill differs by its border, too."""

from typing import Final

from xlsxwriter import Workbook
from xlsxwriter.format import Format

_FONT: Final = {"font_name": "Arial", "font_size": 10}
_DARK: Final = "#1d3c34"
_INK: Final = "#0b0c0c"
_TO_FILL: Final = "#fff7bf"
_LINE: Final = "#b1b4b6"

_CELL: Final = {**_FONT, "font_color": _INK, "valign": "top", "border": 1, "border_color": _LINE}
_HEADER: Final = {
    **_CELL,
    "bold": True,
    "text_wrap": True,
    "valign": "vcenter",
    "font_color": "#ffffff",
    "bg_color": _DARK,
}
_ANSWER: Final = {**_CELL, "bg_color": _TO_FILL, "border_color": _INK, "locked": False}


class Formats:
    """Every format that the sheets use; all are locked but the answers."""

    def __init__(self, workbook: Workbook) -> None:
        def add(**properties: object) -> Format:
            return workbook.add_format(properties)

        self.title = add(**_FONT | {"font_size": 16}, bold=True, font_color=_INK)
        self.sentence = add(**_FONT, font_color=_INK)
        self.label = add(**_FONT | {"font_size": 9}, font_color="#383f43", quote_prefix=True)
        self.header = add(**_HEADER)
        self.answer_header = add(**_HEADER | {"font_color": _INK, "bg_color": "#ffdd00"})
        self.text = add(**_CELL, text_wrap=True, quote_prefix=True)
        self.hours = add(**_CELL, num_format="0.00", align="center")
        self.whole = add(**_CELL, num_format="0", align="center")
        self.reference = add(**_CELL | {"font_name": "Courier New", "font_size": 8}, quote_prefix=True)
        self.choice = add(**_ANSWER, text_wrap=True)
        self.rate = add(**_ANSWER, num_format="0.00")
        self.day = add(**_ANSWER, num_format="d mmm yyyy", align="left")
