"""A list as JSON. `content_hash` can be recomputed from the member `content` (`list_documents.content_hash`)."""

import json

from list_documents.content_hash import describe_content, hash_json
from list_documents.document import ListDocument


def write_json(document: ListDocument) -> bytes:
    """Returns the file in UTF-8.

    Rows in `content` stand by reference; `order` is the order in which the recipient reads them, and
    `recipient_areas` the areas whose rows stand first. Neither is part of the hash.
    """
    content = describe_content(document)
    whole = {
        "content": content,
        "content_hash": hash_json(content),
        "order": [str(row.reference) for row in document.rows],
        "recipient_areas": list(document.recipient_areas),
    }
    return f"{json.dumps(whole, ensure_ascii=False, indent=2)}\n".encode()
