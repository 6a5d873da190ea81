"""A list as JSON, for systems: the rows as they were issued, with keys, and as the recipient reads them, with titles.

`content_hash` is SHA-256 over the canonical JSON of `content`: keys in order, no space between tokens, only ASCII.
"""

import json
from datetime import UTC, date, datetime

from list_documents.content_hash import hash_content
from list_documents.document import DocumentRow, ListDocument

Json = dict[str, object]


def write_json(document: ListDocument) -> bytes:
    """Returns the file in UTF-8; instants are in UTC, amounts text with two decimal places."""
    whole: Json = {
        "content": {
            "list_id": str(document.list_id),
            "rows": [row.model_dump(mode="json") for row in document.content],
        },
        "content_hash": hash_content(document),
        "kind": document.kind.value,
        "title": document.title,
        "framework": document.framework,
        "issued_at": _format_instant(document.issued_at),
        "closes_at": None if document.closes_at is None else _format_instant(document.closes_at),
        "moved_from": _format_date(document.moved_from),
        "next_list_on": _format_date(document.next_list_on),
        "recipient_areas": list(document.recipient_areas),
        "packages": [_describe_row(row) for row in document.rows],
        "variations": [{"key": each.key, "title": each.title} for each in document.variations],
    }
    return f"{json.dumps(whole, ensure_ascii=False, indent=2)}\n".encode()


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
