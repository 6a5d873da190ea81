"""A list as an Excel workbook: locked but for the cells that the provider fills, and without any formula.

The sheet is protected without a password: that prevents slips, and what was changed nevertheless shows by the check of
each row. The same document gives the same bytes.
"""

import io
import textwrap
from collections.abc import Iterator
from typing import Final

from xlsxwriter import Workbook
from xlsxwriter.utility import xl_range_abs
from xlsxwriter.worksheet import Worksheet

from contracts.office_time import to_office_time
from list_documents.columns import (
    CHECK,
    CONTENT_HASH,
    HASH_PREFIX,
    LIST,
    REFERENCE,
    Stated,
    list_answer_headers,
    list_facts,
    state_facts,
)
from list_documents.content_hash import compute_row_check, hash_content
from list_documents.document import DocumentRow, ListDocument
from list_documents.wording import list_sentences
from list_documents.workbook_answers import add_answer_cells, get_answer_width, write_choices
from list_documents.workbook_formats import Formats

_SHEET: Final = "Packages"
_PLAIN_TEXT: Final = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_ALLOWED: Final = {"format_columns": True, "format_rows": True}
_REFERENCE_WIDTH: Final = 33
_CHECK_WIDTH: Final = 11
_HASH_COLUMN: Final = 4
"""The list's id runs over the columns before it, and the hash over those after it."""
_A4: Final = 9
_LINE_HEIGHT: Final = 13.5
_ROW_PADDING: Final = 4
_HEADER_HEIGHT: Final = 48
_MARGINS: Final = {"left": 0.4, "right": 0.4, "top": 0.5, "bottom": 0.6}
"""Inches."""


def write_workbook(document: ListDocument) -> bytes:
    """Returns the .xlsx file."""
    content = io.BytesIO()
    with Workbook(content, _PLAIN_TEXT) as workbook:
        workbook.set_properties(
            {
                "title": document.title,
                "subject": document.framework,
                "comments": f"{LIST} {document.list_id}",
                "created": to_office_time(document.issued_at).replace(tzinfo=None),
            }
        )
        formats = Formats(workbook)
        _Sheet(workbook, document, formats).write()
        write_choices(workbook, document, formats)
    return content.getvalue()


class _Sheet:
    """The sheet of the list; rows and columns are counted from 0, as XlsxWriter does."""

    def __init__(self, workbook: Workbook, document: ListDocument, formats: Formats) -> None:
        self._workbook = workbook
        self._document = document
        self._sheet: Worksheet = workbook.add_worksheet(_SHEET)
        self._formats = formats
        self._facts = list_facts(document)
        self._answers = list_answer_headers(document)
        self._first_answer = len(self._facts)
        self._reference = self._first_answer + len(self._answers)
        self._check = self._reference + 1
        self._width = (
            sum(fact.width for fact in self._facts) + sum(map(get_answer_width, self._answers)) + _REFERENCE_WIDTH
        )

    def write(self) -> None:
        header = self._write_preamble()
        self._write_table(header)
        add_answer_cells(
            self._sheet, self._document, self._formats, first_row=header + 1, first_column=self._first_answer
        )
        self._set_columns()
        self._define_names(header)
        self._set_up_page(header)
        self._sheet.freeze_panes(header + 1, 0)
        self._sheet.protect("", _ALLOWED)
        self._sheet.set_selection(header + 1, self._first_answer, header + 1, self._first_answer)
        self._sheet.activate()

    def _write_preamble(self) -> int:
        """Writes title, sentences, list and hash; returns the row of the headers."""
        self._sheet.write_string(0, 0, self._document.title, self._formats.title)
        self._sheet.set_row(0, 24)
        row = 1
        for line in self._list_lines():
            self._sheet.write_string(row, 0, line, self._formats.sentence)
            self._sheet.set_row(row, _LINE_HEIGHT)
            row += 1
        content_hash = f"{HASH_PREFIX}{hash_content(self._document)}"
        for column, text in enumerate((LIST, str(self._document.list_id))):
            self._sheet.write_string(row, column, text, self._formats.label)
        for column, text in enumerate((CONTENT_HASH, content_hash), start=_HASH_COLUMN):
            self._sheet.write_string(row, column, text, self._formats.label)
        return row + 1

    def _list_lines(self) -> Iterator[str]:
        """Yields the framework and the sentences, wrapped: a line of one cell runs over the empty ones beside it."""
        for sentence in (self._document.framework, *list_sentences(self._document, in_file=True)):
            yield from textwrap.wrap(sentence, self._width)

    def _write_table(self, header: int) -> None:
        headers = (*(fact.header for fact in self._facts), *self._answers, REFERENCE, CHECK)
        answers = range(self._first_answer, self._reference)
        columns = [
            {
                "header": text,
                "header_format": self._formats.answer_header if column in answers else self._formats.header,
            }
            for column, text in enumerate(headers)
        ]
        self._sheet.add_table(
            header,
            0,
            header + len(self._document.rows),
            self._check,
            {"name": _SHEET, "columns": columns, "autofilter": False, "style": None},
        )
        self._sheet.set_row(header, _HEADER_HEIGHT)
        for position, row in enumerate(self._document.rows, start=header + 1):
            self._write_row(position, row)

    def _write_row(self, position: int, row: DocumentRow) -> None:
        facts = state_facts(self._document, row)
        for column, cell in enumerate(facts):
            self._write_cell(position, column, cell)
        self._sheet.write_string(position, self._reference, str(row.reference), self._formats.reference)
        self._sheet.write_string(position, self._check, compute_row_check(self._document, row), self._formats.reference)
        self._sheet.set_row(position, _LINE_HEIGHT * self._count_lines(facts) + _ROW_PADDING)

    def _write_cell(self, row: int, column: int, cell: Stated) -> None:
        if isinstance(cell, str):
            self._sheet.write_string(row, column, cell, self._formats.text)
        else:
            is_whole = isinstance(cell, int)
            self._sheet.write_number(row, column, cell, self._formats.whole if is_whole else self._formats.hours)

    def _count_lines(self, facts: tuple[Stated, ...]) -> int:
        """Returns how many lines the highest cell needs: no spreadsheet program grows a row when it opens a file."""
        wrapped = (
            textwrap.wrap(str(cell), fact.width + fact.width // 5)
            for fact, cell in zip(self._facts, facts, strict=True)
        )
        return max(1, *(len(lines) for lines in wrapped))

    def _set_columns(self) -> None:
        for column, fact in enumerate(self._facts):
            self._sheet.set_column(column, column, fact.width)
        for column, header in enumerate(self._answers, start=self._first_answer):
            self._sheet.set_column(column, column, get_answer_width(header))
        self._sheet.set_column(self._reference, self._reference, _REFERENCE_WIDTH)
        self._sheet.set_column(self._check, self._check, _CHECK_WIDTH, None, {"hidden": True})

    def _define_names(self, header: int) -> None:
        last = header + len(self._document.rows)
        names = {"Answers": (self._first_answer, self._reference - 1), "References": (self._reference, self._reference)}
        for name, (left, right) in names.items():
            self._workbook.define_name(name, f"={_SHEET}!{xl_range_abs(header + 1, left, last, right)}")

    def _set_up_page(self, header: int) -> None:
        sheet = self._sheet
        sheet.set_landscape()
        sheet.set_paper(_A4)
        sheet.set_margins(**_MARGINS)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(header)
        sheet.print_area(0, 0, header + len(self._document.rows), self._reference)
        sheet.set_footer(f"&L{LIST} {self._document.list_id}&RPage &P of &N")
