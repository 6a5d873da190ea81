"""ETag and If-Match: who changes something says which version they have seen, so that nobody's change is lost."""

from typing import Annotated

from fastapi import Header

from contracts.errors import Conflict, Unprocessable


class PreconditionFailed(Conflict):
    """It was changed by somebody else in between (HTTP 412)."""

    title = "Precondition Failed"


class PreconditionRequired(Unprocessable):
    """The request does not say which version it is about (HTTP 428)."""

    title = "Precondition Required"


IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", max_length=200, description="The ETag that came with what you read; `*` for any version"),
]


def format_etag(version: int) -> str:
    """The entity tag of a version: a number in quotes."""
    return f'"{version}"'


def check_etag(if_match: str | None, *, version: int) -> None:
    """Raises PreconditionRequired without If-Match, and PreconditionFailed when it does not name `version`."""
    if if_match is None:
        message = "send the ETag that came with what you read as If-Match"
        raise PreconditionRequired(message)
    named = {tag.strip() for tag in if_match.split(",")}
    if not named & {"*", format_etag(version)}:
        message = "somebody changed it since you read it; read it again, and send its new ETag as If-Match"
        raise PreconditionFailed(message)
