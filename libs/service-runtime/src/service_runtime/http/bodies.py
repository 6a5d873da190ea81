"""Request bodies: their limit, and what a JSON body must be before it is parsed.

The judgement is made where the first byte of the body is read, so every route has it: FastAPI reports a body of another
media type as "not a dictionary", and its JSON parser accepts duplicate keys, NaN and lone surrogates.
"""

import json
from collections.abc import Callable
from math import isinf
from typing import Any, Final, TypeVar

from fastapi import params
from pydantic_core import from_json
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

EndpointT = TypeVar("EndpointT", bound=Callable[..., object])

LARGEST_BODY: Final = 1_000_000
"""Bytes; a larger body is answered with 413."""
_LARGEST_BODY_ATTRIBUTE: Final = "largest_body"
_BOM: Final = b"\xef\xbb\xbf"
_UTF8: Final = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
_MEDIA_TYPE: Final = "this resource accepts JSON only; send Content-Type: application/json"
_CHARSET: Final = "JSON is accepted in UTF-8 only; encode the body as UTF-8 and send Content-Type: application/json"
_ENCODING: Final = "compressed bodies are not accepted; send the body without Content-Encoding"


def describe_limit(limit: int) -> str:
    return f"the body is larger than {limit:,} bytes; send less in one request"


def accept_body_up_to(limit: int) -> Callable[[EndpointT], EndpointT]:
    """Marks a route that accepts a body of up to `limit` bytes, such as a file."""

    def mark(endpoint: EndpointT) -> EndpointT:
        setattr(endpoint, _LARGEST_BODY_ATTRIBUTE, limit)
        return endpoint

    return mark


class BodyLimit:
    """Stops reading a body after the bytes that its route accepts, and judges JSON bodies before they are parsed.

    A route accepts LARGEST_BODY bytes unless it says otherwise. FastAPI's own limit answers a declared length in plain
    text and bypasses the application's error handlers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared, read = _read_declared_length(scope), 0

        async def receive_within_limit() -> Message:
            nonlocal read
            limit = getattr(scope.get("endpoint"), _LARGEST_BODY_ATTRIBUTE, LARGEST_BODY)
            if declared > limit:
                raise HTTPException(413, describe_limit(limit))
            message = await receive()
            read += len(message.get("body", b""))
            if read > limit:
                raise HTTPException(413, describe_limit(limit))
            return message

        async def receive_judged() -> Message:
            first = read == 0
            message = await receive_within_limit()
            if not (first and read and _takes_json(scope)):
                return message
            check_media_type(Headers(scope=scope))
            return await _read_json_body(message, receive_within_limit)

        await self._app(scope, receive_judged, send)


async def _read_json_body(message: Message, receive: Receive) -> Message:
    """Reads the rest of the body that begins with `message`; raises JSONDecodeError for what is not strict JSON."""
    chunks = [message["body"]]
    while message.get("more_body", False):
        message = await receive()
        if message["type"] != "http.request":
            return message
        chunks.append(message.get("body", b""))
    body = b"".join(chunks).removeprefix(_BOM)
    check_json(body)
    return {"type": "http.request", "body": body, "more_body": False}


def check_media_type(headers: Headers) -> None:
    """Raises HTTPException 415 unless the headers declare an uncompressed JSON body in UTF-8."""
    media_type, *parameters = headers.get("content-type", "").lower().split(";")
    main, _, subtype = media_type.strip().partition("/")
    if main != "application" or not (subtype == "json" or subtype.endswith("+json")):
        raise HTTPException(415, _MEDIA_TYPE, {"Accept": "application/json"})
    charsets = [
        value.strip(' "') for name, _, value in (p.partition("=") for p in parameters) if name.strip() == "charset"
    ]
    if any(charset not in _UTF8 for charset in charsets):
        raise HTTPException(415, _CHARSET)
    if headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}:
        raise HTTPException(415, _ENCODING, {"Accept-Encoding": "identity"})


def check_json(body: bytes) -> None:
    """Raises JSONDecodeError for what is not strict JSON; its message names the place and repeats nothing.

    pydantic's parser bounds the nesting and the digits of integers, and refuses NaN, lone surrogates and what is not
    UTF-8. The standard library's then finds duplicate keys and numbers beyond a float.
    """
    try:
        from_json(body, allow_inf_nan=False, cache_strings="none")
    except ValueError as error:
        raise json.JSONDecodeError(str(error), "", 0) from None
    json.loads(body, object_pairs_hook=_refuse_duplicates, parse_float=_refuse_infinity)


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> None:
    if len(pairs) > 1 and len({name for name, _ in pairs}) != len(pairs):
        message = "an object names a key twice; send each key once"
        raise json.JSONDecodeError(message, "", 0)


def _refuse_infinity(number: str) -> None:
    if isinf(float(number)):
        message = "a number is too large"
        raise json.JSONDecodeError(message, "", 0)


def _takes_json(scope: Scope) -> bool:
    """True if the route that matched parses its body as JSON."""
    field = getattr(scope.get("route"), "body_field", None)
    return field is not None and not isinstance(field.field_info, params.Form)


def _read_declared_length(scope: Scope) -> int:
    """Returns the Content-Length; 0 if it is missing."""
    return int(Headers(scope=scope).get("content-length", "0"))
