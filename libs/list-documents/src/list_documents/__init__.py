"""Lists of packages as documents: workbook, CSV, JSON and page, and what providers return. Bytes in, bytes out."""

from list_documents.building import Issue, build_document
from list_documents.content_hash import hash_content
from list_documents.csv_file import write_csv
from list_documents.document import DocumentRow, ListDocument, Variation
from list_documents.errors import (
    ActiveContent,
    NotAList,
    PasswordProtected,
    ReturnDamaged,
    ReturnRefused,
    ReturnTooLarge,
)
from list_documents.json_file import write_json
from list_documents.page import PageForm, RowResult, render_page
from list_documents.page_form import read_form
from list_documents.returns.matching import match_return
from list_documents.returns.reading import read_return
from list_documents.returns.returned import ProblemKind, ReturnedList, ReturnedRow, RowProblem
from list_documents.workbook import write_workbook

__all__ = [
    "ActiveContent",
    "DocumentRow",
    "Issue",
    "ListDocument",
    "NotAList",
    "PageForm",
    "PasswordProtected",
    "ProblemKind",
    "ReturnDamaged",
    "ReturnRefused",
    "ReturnTooLarge",
    "ReturnedList",
    "ReturnedRow",
    "RowProblem",
    "RowResult",
    "Variation",
    "build_document",
    "hash_content",
    "match_return",
    "read_form",
    "read_return",
    "render_page",
    "write_csv",
    "write_json",
    "write_workbook",
]
