"""Reads a returned list from the bytes of a workbook or CSV. Name and declared type of the file play no part."""

from collections.abc import Iterable
from typing import Final

from contracts.events.lists import MAX_RETURNED_ROWS
from list_documents.errors import NotAList, PasswordProtected, ReturnTooLarge
from list_documents.returns.csv_reader import read_csv
from list_documents.returns.grids import Grid
from list_documents.returns.limits import MAX_BYTES
from list_documents.returns.returned import ReturnedList
from list_documents.returns.rows import build_rows, mark_repeated_rows
from list_documents.returns.tables import FoundList, find_list
from list_documents.returns.workbook_reader import ZIP_MAGIC, read_workbook

_OLE_MAGIC: Final = bytes.fromhex("d0cf11e0a1b11ae1")
"""Compound files of Microsoft: old workbooks, and new ones that are encrypted."""
_ENCRYPTED_PACKAGE: Final = "EncryptedPackage".encode("utf-16-le")


def read_return(content: bytes) -> ReturnedList:
    """Reads a return; raises a ReturnRefused if the file as a whole cannot be one, and nothing else.

    What is wrong with a row is stated in that row and stops no other.
    """
    if len(content) > MAX_BYTES:
        raise ReturnTooLarge("the file is larger than 10 MB; send the list as you received it")
    found = _find(content)
    if len(found.lines) > MAX_RETURNED_ROWS:
        raise ReturnTooLarge(f"the file has more than {MAX_RETURNED_ROWS} rows; send the list as you received it")
    return ReturnedList(
        list_id=next(iter(found.list_ids)) if len(found.list_ids) == 1 else None,
        content_hash=next(iter(found.content_hashes)) if len(found.content_hashes) == 1 else None,
        rows=mark_repeated_rows(build_rows(found.lines)),
    )


def _find(content: bytes) -> FoundList:
    if content.startswith(_OLE_MAGIC):
        if _ENCRYPTED_PACKAGE in content:
            raise PasswordProtected("the workbook is encrypted; save it without a password and send it again")
        raise NotAList("this is not an Excel workbook (.xlsx); save it as one and send that")
    files: Iterable[tuple[Grid, ...]] = (
        [read_workbook(content)] if content.startswith(ZIP_MAGIC) else ((grid,) for grid in read_csv(content))
    )
    found = next((each for each in map(find_list, files) if each is not None), None)
    if found is None:
        raise NotAList(
            "the file has no columns of a list; keep the row of headers, with Reference and the columns for answers"
        )
    return found
