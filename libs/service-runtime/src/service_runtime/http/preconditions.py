"""ETag and If-Match: optimistic locking, so that concurrent changes of a resource do not overwrite each other."""

import re
from typing import Annotated, Final

from fastapi import Header

from contracts.errors import Conflict, FieldError, InvalidInput, Unprocessable

_TAG: Final = re.compile(r'(?:W/)?"[^"\x00-\x20\x7f]*"')
_TAGS: Final = re.compile(rf"{_TAG.pattern}(?:[ \t]*,[ \t]*{_TAG.pattern})*")
"""RFC 9110, 8.8.3."""


class PreconditionFailed(Conflict):
    """The resource has changed since the caller read it (HTTP 412)."""

    title = "Precondition Failed"


class PreconditionRequired(Unprocessable):
    """The request lacks the If-Match header (HTTP 428)."""

    title = "Precondition Required"


IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", max_length=200, description="The ETag of the version that you read; `*` for any version"),
]


def format_etag(version: int) -> str:
    """Formats a version number as an entity tag: the number in quotes."""
    return f'"{version}"'


def check_etag(if_match: str | None, *, version: int) -> None:
    """Raises PreconditionRequired without If-Match, and PreconditionFailed if it does not name `version`.

    If-Match compares strongly (RFC 9110, 13.1.1): a weak tag names no version. Raises InvalidInput for what is no list
    of entity tags.
    """
    if if_match is None:
        message = "the If-Match header is missing; send the ETag of the version that you read"
        raise PreconditionRequired(message)
    text = if_match.strip()
    if text == "*":
        return
    if not _TAGS.fullmatch(text):
        message = f"is not a list of entity tags; send the ETag in its quotes, such as If-Match: {format_etag(3)}, or *"
        raise InvalidInput(FieldError("header:if-match", message))
    tags = _TAG.findall(text)
    if format_etag(version) in tags:
        return
    if all(tag.startswith("W/") for tag in tags):
        message = "If-Match has only weak tags, which never match here; send the ETag as it was received, without W/"
        raise PreconditionFailed(message)
    message = "the resource has changed since you read it; read it again, and send its new ETag as If-Match"
    raise PreconditionFailed(message)
