"""Paths, queries and headers: normalised and judged once, before a route's own types see them.

An empty query parameter counts as not given, because forms and generated clients send `?from=&until=2026-12-31`.
Unknown query parameters are ignored.
"""

from typing import Final
from urllib.parse import parse_qsl, unquote_to_bytes

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from contracts.errors import FieldError, InvalidInput, NotFound
from service_runtime.http.spans import set_parameter_attributes

SINGLE_HEADERS: Final = frozenset({b"authorization", b"content-type", b"idempotency-key", b"if-match"})
"""Headers of which a second one would be ignored silently."""
_LARGEST_QUERY: Final = 100
"""Parameters."""


class OmitEmptyParameters:
    """Removes the empty parameters from the query of every request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        query: bytes = scope.get("query_string", b"")
        if query:
            scope["query_string"] = b"&".join(filter(_has_value, query.split(b"&")))
        await self._app(scope, receive, send)


def _has_value(parameter: bytes) -> bool:
    return bool(parameter.partition(b"=")[2].replace(b"%20", b"").strip(b"+"))


async def check_request(request: Request) -> None:
    """A dependency of every route: refuses what no route can mean, and records the subject on the span."""
    _check_path(request.scope.get("raw_path", b""))
    query: bytes = request.scope["query_string"]
    if query:
        check_query(query)
    _check_headers(request.scope["headers"])
    await set_parameter_attributes(request)


def check_query(query: bytes) -> None:
    """Raises InvalidInput for a parameter that is given twice, has an invalid escape, or contains a NUL."""
    try:
        pairs = parse_qsl(query.decode("ascii"), errors="strict", max_num_fields=_LARGEST_QUERY)
    except UnicodeDecodeError:
        raise InvalidInput(FieldError("query", "has an escape that is not UTF-8; encode text as UTF-8")) from None
    except ValueError:
        raise InvalidInput(FieldError("query", f"has more than {_LARGEST_QUERY} parameters")) from None
    if any("\0" in name or "\0" in value for name, value in pairs):
        raise InvalidInput(FieldError("query", "contains a NUL character; remove it"))
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise InvalidInput(FieldError("query", "names a parameter more than once; give each parameter once"))


def _check_path(path: bytes) -> None:
    if b"%" not in path:
        return
    try:
        text = unquote_to_bytes(path).decode()
    except UnicodeDecodeError:
        message = "no resource has this path: it has an escape that is not UTF-8; encode text as UTF-8"
        raise NotFound(message) from None
    if "\0" in text:
        message = "no resource has this path: it contains a NUL character; remove %00"
        raise NotFound(message)


def _check_headers(headers: list[tuple[bytes, bytes]]) -> None:
    seen: set[bytes] = set()
    for name, _ in headers:
        if name in SINGLE_HEADERS:
            if name in seen:
                raise InvalidInput(FieldError(f"header:{name.decode()}", "is sent more than once; send it once"))
            seen.add(name)
