"""Limit on the size of request bodies."""

from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY: Final = 1_000_000
"""Bytes; a larger body is answered with 413."""


class BodyLimit:
    """Stops reading a body after LARGEST_BODY bytes; a larger declared length is refused unread.

    FastAPI's own limit answers a declared length in plain text and bypasses the application's error handlers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        declared, read = _read_declared_length(scope), 0

        async def receive_within_limit() -> Message:
            nonlocal read
            if declared > LARGEST_BODY:
                raise HTTPException(413)
            message = await receive()
            read += len(message.get("body", b""))
            if read > LARGEST_BODY:
                raise HTTPException(413)
            return message

        await self._app(scope, receive_within_limit, send)


def _read_declared_length(scope: Scope) -> int:
    """Returns the Content-Length; 0 if it is missing or the scope is not HTTP (lifespan events have no headers)."""
    return int(Headers(scope=scope).get("content-length", "0")) if scope["type"] == "http" else 0
