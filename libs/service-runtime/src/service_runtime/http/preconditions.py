"""ETag and If-Match: optimistic locking, so that concurrent changes of a resource do not overwrite each other."""

from typing import Annotated

from fastapi import Header

from contracts.errors import Conflict, Unprocessable


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
    """Raises PreconditionRequired without If-Match, and PreconditionFailed if it does not name `version`."""
    if if_match is None:
        message = "the If-Match header is missing; send the ETag of the version that you read"
        raise PreconditionRequired(message)
    named = {tag.strip() for tag in if_match.split(",")}
    if not named & {"*", format_etag(version)}:
        message = "the resource has changed since you read it; read it again, and send its new ETag as If-Match"
        raise PreconditionFailed(message)
