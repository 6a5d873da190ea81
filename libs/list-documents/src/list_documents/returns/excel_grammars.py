"""What is kept of each part of an Excel workbook: no formulas, no merged cells, no stated counts."""

from typing import Final

from list_documents.returns.xml_rewriter import Grammar

_MAIN: Final = ' xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_PACKAGE: Final = ' xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'

WORKBOOK: Final = Grammar(
    {"workbook": (), "workbookPr": ("date1904",), "sheets": (), "sheet": ("r:id",)}, _MAIN, has_prefixes=False
)
RELATIONS: Final = Grammar({"Relationships": (), "Relationship": ("Id", "Target")}, _PACKAGE, has_prefixes=False)
TEXTS: Final = Grammar({"sst": (), "si": (), "r": (), "t": ("xml:space",)}, _MAIN, has_prefixes=False)
STYLES: Final = Grammar(
    {
        "styleSheet": (),
        "numFmts": (),
        "numFmt": ("numFmtId", "formatCode"),
        "cellXfs": (),
        "xf": ("numFmtId",),
    },
    _MAIN,
    has_prefixes=False,
)
SHEET: Final = Grammar(
    {
        "worksheet": (),
        "sheetData": (),
        "row": ("r",),
        "c": ("r", "s", "t"),
        "v": (),
        "is": (),
        "r": (),
        "t": ("xml:space",),
    },
    _MAIN,
    has_prefixes=False,
)
