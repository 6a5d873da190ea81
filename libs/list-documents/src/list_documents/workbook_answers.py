"""The cells that a provider fills, each with the rule that the spreadsheet program checks and explains.

Ways to deliver are chosen from a second sheet by a defined name: a rule's own list is limited to 255 characters.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Final

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_range_abs
from xlsxwriter.worksheet import Worksheet

from contracts.office_time import to_office_date
from list_documents.columns import INTERESTED, RATE, START, WAYS, list_answer_headers
from list_documents.document import ListDocument
from list_documents.returns.answers import LARGEST_RATE
from list_documents.workbook_formats import Formats

_CHOICES: Final = "Choices"
_CHOICES_NAME: Final = "Ways_to_deliver"
_CHOICES_WIDTH: Final = 60
_WIDTHS: Final[Mapping[str, int]] = {INTERESTED: 13, RATE: 11, START: 13}
_WAY_WIDTH: Final = 18
_SMALLEST_RATE: Final = Decimal("0.01")

Rule = dict[str, object]


def get_answer_width(header: str) -> int:
    return _WIDTHS.get(header, _WAY_WIDTH)


def add_answer_cells(
    sheet: Worksheet, document: ListDocument, formats: Formats, *, first_row: int, first_column: int
) -> None:
    """Adds an empty unlocked cell with its rule for each row and each column of answers."""
    last_row = first_row + len(document.rows) - 1
    for column, header in enumerate(list_answer_headers(document), start=first_column):
        cell_format, build_rule = _get_kind(header, formats)
        for row in range(first_row, last_row + 1):
            sheet.write_blank(row, column, None, cell_format)
        sheet.data_validation(first_row, column, last_row, column, build_rule(document))


def write_choices(workbook: Workbook, document: ListDocument, formats: Formats) -> None:
    """Writes the sheet with the ways to deliver, if the list asks for them."""
    if not document.variations:
        return
    sheet = workbook.add_worksheet(_CHOICES)
    sheet.set_column(0, 0, _CHOICES_WIDTH)
    sheet.write_string(0, 0, "Other ways to deliver", formats.header)
    for row, variation in enumerate(document.variations, start=1):
        sheet.write_string(row, 0, variation.title, formats.text)
    area = xl_range_abs(1, 0, len(document.variations), 0)
    workbook.define_name(_CHOICES_NAME, f"={_CHOICES}!{area}")
    sheet.protect()


def _get_kind(header: str, formats: Formats) -> tuple[Format, Callable[[ListDocument], Rule]]:
    if header == INTERESTED:
        return formats.choice, _build_yes_or_no
    if header == RATE:
        return formats.rate, _build_rate
    return (formats.choice, _build_way) if header in WAYS else (formats.day, _build_start)


def _build_yes_or_no(_document: ListDocument) -> Rule:
    return {
        "validate": "list",
        "source": ["Yes", "No"],
        "input_title": "Interested?",
        "input_message": "Choose Yes or No. Leave it empty if you cannot say.",
        "error_title": "Yes or No",
        "error_message": "Choose Yes or No from the list.",
    }


def _build_rate(_document: ListDocument) -> Rule:
    return {
        "validate": "decimal",
        "criteria": "between",
        "minimum": _SMALLEST_RATE,
        "maximum": LARGEST_RATE,
        "input_title": "Proposed rate",
        "input_message": "Pounds and pence for each unit that the row names, like 21.50.",
        "error_title": "Proposed rate",
        "error_message": "Write pounds and pence, like 21.50.",
    }


def _build_way(_document: ListDocument) -> Rule:
    return {
        "validate": "list",
        "source": f"={_CHOICES_NAME}",
        "input_title": "Another way to deliver",
        "input_message": "If your rate depends on another way to deliver, choose it.",
        "error_title": "Another way to deliver",
        "error_message": "Choose one of the list.",
    }


def _build_start(document: ListDocument) -> Rule:
    issued_on = to_office_date(document.issued_at)
    return {
        "validate": "date",
        "criteria": "between",
        "minimum": issued_on,
        "maximum": issued_on + timedelta(days=365),
        "input_title": "Can start on",
        "input_message": "The first day on which you can deliver, like 1 December 2026.",
        "error_title": "Can start on",
        "error_message": "Write a day from that of this list to a year later.",
    }
