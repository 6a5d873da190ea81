"""How large the body of a request may be."""

from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY: Final = 1_000_000
"""Bytes; more is answered with 413."""


class BodyLimit:
    """Lets nobody read more of a body than LARGEST_BODY, and nothing at all of one that declares itself larger.

    FastAPI's own limit answers a declared length in plain text, whatever the application makes of its errors.
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
    """0 where none is declared; what is not HTTP (the application's start and end) has no headers."""
    return int(Headers(scope=scope).get("content-length", "0")) if scope["type"] == "http" else 0
