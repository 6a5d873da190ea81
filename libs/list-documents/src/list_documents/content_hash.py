"""One hash of a list's content, and a check of each row."""

import base64
import hashlib
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Final
from uuid import UUID

from contracts.events.lists import hash_rows
from list_documents.columns import state_facts
from list_documents.document import DocumentRow, ListDocument
from list_documents.neutral_text import strip_quote

_CHECK_BYTES: Final = 5
"""40 bits: an edit that is not made on purpose is found; the check is no proof against one that is."""


def hash_content(document: ListDocument) -> str:
    """Returns the hash in hexadecimal (`contracts.events.lists.hash_rows`); all forms of the document carry it.

    It is that of the event which issued the list, if the recipient gets all rows of it.
    """
    return hash_rows(document.list_id, document.content)


def compute_row_check(document: ListDocument, row: DocumentRow) -> str:
    return compute_check(row.reference, state_facts(document, row))


def compute_check(reference: UUID, facts: Iterable[object]) -> str:
    """Returns the check of a row: what a spreadsheet does to a cell without changing its meaning does not change it.

    It begins with a letter, so that no spreadsheet takes it for a number.
    """
    text = "\n".join((str(reference), *(_normalise(fact) for fact in facts)))
    digest = hashlib.sha256(text.encode()).digest()[:_CHECK_BYTES]
    return f"C{base64.b32encode(digest).decode()}"


def _normalise(fact: object) -> str:
    text = strip_quote(" ".join(str(fact).split()))
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    return f"{number.normalize():f}" if number.is_finite() and abs(number.adjusted()) < 10 else text
