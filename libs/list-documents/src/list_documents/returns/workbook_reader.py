"""Reads the sheets of a workbook by python-calamine, from parts that were written anew."""

import io
from typing import Final

from python_calamine import CalamineWorkbook

from list_documents.errors import NotAList, ReturnDamaged
from list_documents.returns.active_content import check_names, check_parts
from list_documents.returns.containers import list_parts, repack, unpack
from list_documents.returns.excel_parts import WORKBOOK_PART, build_plain_workbook
from list_documents.returns.grids import Cell, Grid, build_grid
from list_documents.returns.open_document_parts import CONTENT, MEDIA_TYPE, build_plain_open_document

ZIP_MAGIC: Final = b"PK"


def read_workbook(content: bytes) -> tuple[Grid, ...]:
    """Returns all sheets, hidden ones too; raises a ReturnRefused for what is not a plain workbook of a list's size."""
    names = list_parts(content)
    check_names(names)
    parts = unpack(content)
    check_parts(parts)
    if WORKBOOK_PART in parts:
        return _read_sheets(repack(build_plain_workbook(parts)))
    if parts.get("mimetype") == MEDIA_TYPE and CONTENT in parts:
        return _read_sheets(repack(build_plain_open_document(parts)))
    raise NotAList("this is not a workbook; send the list as an Excel workbook (.xlsx) or as CSV")


def _read_sheets(packed: bytes) -> tuple[Grid, ...]:
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(packed)) as workbook:
            return tuple(
                build_grid(_read_rows(workbook, position), sheet=position + 1)
                for position in range(len(workbook.sheet_names))
            )
    except Exception as error:
        raise _build_unreadable() from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # what a fault of a Rust library becomes; it is no Exception
            raise
        raise _build_unreadable() from error


def _read_rows(workbook: CalamineWorkbook, position: int) -> list[list[Cell]]:
    sheet = workbook.get_sheet_by_index(position)
    return list[list[Cell]]() if sheet.start is None else sheet.to_python(skip_empty_area=False)


def _build_unreadable() -> ReturnDamaged:
    return ReturnDamaged("the workbook cannot be read; save it again in your spreadsheet program and send that")
