"""A list as CSV: RFC 4180, UTF-8 with a byte order mark, so that a spreadsheet shows `£` as it is.

The first record is the header. List, hash and check stand in each record, because a CSV has no other place for them.
"""

import csv
import io

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
from list_documents.document import ListDocument
from list_documents.neutral_text import neutralise


def write_csv(document: ListDocument) -> bytes:
    """Returns the file; the same document gives the same bytes."""
    answers = list_answer_headers(document)
    content_hash = f"{HASH_PREFIX}{hash_content(document)}"
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    facts = (fact.header for fact in list_facts(document))
    writer.writerow([*facts, *answers, REFERENCE, CHECK, LIST, CONTENT_HASH])
    for row in document.rows:
        stated = (_format_cell(cell) for cell in state_facts(document, row))
        check = compute_row_check(document, row)
        writer.writerow([*stated, *("" for _ in answers), row.reference, check, document.list_id, content_hash])
    return text.getvalue().encode("utf-8-sig")


def _format_cell(cell: Stated) -> str:
    return neutralise(cell) if isinstance(cell, str) else str(cell)
