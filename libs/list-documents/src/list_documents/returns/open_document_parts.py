"""Builds a plain OpenDocument spreadsheet, in which one element can stand for many rows or cells."""

from typing import Final

from list_documents.returns.containers import Parts
from list_documents.returns.limits import MAX_SHEETS
from list_documents.returns.size import Size, build_too_many_sheets
from list_documents.returns.xml_rewriter import Attributes, Grammar, build_damaged, parse_count, rewrite

CONTENT: Final = "content.xml"
MEDIA_TYPE: Final = b"application/vnd.oasis.opendocument.spreadsheet"
_NAMES: Final = "urn:oasis:names:tc:opendocument:xmlns"
_MANIFEST: Final = f'<manifest:manifest xmlns:manifest="{_NAMES}:manifest:1.0"/>'
_CELLS: Final = ("table:table-cell", "table:covered-table-cell")
_ROWS_REPEATED: Final = "table:number-rows-repeated"
_COLUMNS_REPEATED: Final = "table:number-columns-repeated"
_VALUES: Final = ("value-type", "value", "date-value", "time-value", "boolean-value", "string-value")
_OF_CELL: Final = (_COLUMNS_REPEATED, *(f"office:{value}" for value in _VALUES))
_GRAMMAR: Final = Grammar(
    {
        "office:document-content": (),
        "office:body": (),
        "office:spreadsheet": (),
        "table:table": ("table:name",),
        "table:table-header-rows": (),
        "table:table-row-group": (),
        "table:table-rows": (),
        "table:table-row": (_ROWS_REPEATED,),
        **dict.fromkeys(_CELLS, _OF_CELL),
        "text:p": (),
        "text:span": (),
        "text:a": (),
        "text:s": (),
        "text:tab": (),
        "text:line-break": (),
    },
    "".join(f' xmlns:{name}="{_NAMES}:{name}:1.0"' for name in ("office", "table", "text")),
    has_prefixes=True,
)


def build_plain_open_document(parts: Parts) -> Parts:
    """Returns parts that declare nothing but what was counted; raises a ReturnRefused beyond the limits."""
    return {
        "mimetype": MEDIA_TYPE,
        "META-INF/manifest.xml": _MANIFEST.encode(),
        CONTENT: rewrite(parts[CONTENT], _GRAMMAR, _Tables()),
    }


class _Tables:
    """Adds each row in which something stands to the size, as often as it is repeated."""

    def __init__(self) -> None:
        self._size = Size()
        self._tables = self._depth = 0
        self._row = self._column = self._last_column = 0
        self._rows = self._columns = 1
        self._cells = self._characters = self._of_cell = 0
        self._has_content = False

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "table:table":
            self._start_table()
        elif name == "table:table-row":
            self._rows = parse_count(attributes.get(_ROWS_REPEATED, "1"))
            self._column = self._last_column = self._cells = self._characters = 0
        elif name in _CELLS:
            self._columns = parse_count(attributes.get(_COLUMNS_REPEATED, "1"))
            self._has_content = any(key != _COLUMNS_REPEATED for key in attributes)
            self._of_cell = sum(len(value) for value in attributes.values())

    def _start_table(self) -> None:
        self._tables += 1
        self._depth += 1
        self._row = 0
        if self._depth > 1:
            raise build_damaged()
        if self._tables > MAX_SHEETS:
            raise build_too_many_sheets()

    def end(self, name: str) -> None:
        if name == "table:table":
            self._depth -= 1
        elif name in _CELLS:
            self._end_cell()
        elif name == "table:table-row":
            self._end_row()

    def _end_cell(self) -> None:
        self._column += self._columns
        if self._has_content:
            self._last_column = self._column
            self._cells += self._columns
            self._characters += self._of_cell * self._columns

    def _end_row(self) -> None:
        self._row += self._rows
        if self._cells:
            self._size.add(
                row=self._row,
                column=self._last_column,
                cells=self._cells * self._rows,
                characters=self._characters * self._rows,
            )

    def add_text(self, text: str) -> None:
        self._of_cell += len(text)
        self._has_content = self._has_content or not text.isspace()
