"""One hash of a list's content, and a check of each row.

The hash is SHA-256 over the canonical JSON of the content: keys in order, no space between tokens, UTF-8. Rows stand in
the order of their references there, so that two providers who get the same packages in another order get one hash.
"""

import base64
import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Final
from uuid import UUID

from list_documents.columns import state_facts
from list_documents.document import DocumentRow, ListDocument
from list_documents.neutral_text import strip_quote

_CHECK_BYTES: Final = 5
"""40 bits: an edit that is not made on purpose is found; the check is no proof against one that is."""

Json = dict[str, object]


def hash_content(document: ListDocument) -> str:
    """Returns the hash in hexadecimal; workbook, CSV, JSON and page of the document carry the same one."""
    return hash_json(describe_content(document))


def hash_json(content: object) -> str:
    """Returns the hash of the member `content` of the JSON document."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def describe_content(document: ListDocument) -> Json:
    """Returns the content as JSON values: instants in UTC, amounts as text with two decimal places."""
    return {
        "list_id": str(document.list_id),
        "kind": document.kind.value,
        "title": document.title,
        "framework": document.framework,
        "issued_at": _format_instant(document.issued_at),
        "closes_at": None if document.closes_at is None else _format_instant(document.closes_at),
        "moved_from": _format_date(document.moved_from),
        "next_list_on": _format_date(document.next_list_on),
        "rows": [_describe_row(row) for row in sorted(document.rows, key=lambda row: row.reference)],
        "variations": [{"key": each.key, "title": each.title} for each in document.variations],
    }


def _describe_row(row: DocumentRow) -> Json:
    return {
        "reference": str(row.reference),
        "area": row.area,
        "outward_code": row.outward_code,
        "age_band": row.age_band,
        "carers_wanted": row.carers_wanted,
        "service_type": row.service_type,
        "weekly_hours": f"{row.weekly_hours:.2f}",
        "carers_at_once": row.carers_at_once,
        "skills": list(row.skills),
        "unit": row.unit,
        "listed_since": _format_date(row.listed_since),
    }


def _format_instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _format_date(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


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
