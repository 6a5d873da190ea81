"""What the span of a request says: the package that it is about, and nothing that the caller wrote into the address."""

from collections.abc import MutableMapping
from typing import Any, Final
from uuid import UUID

from fastapi import Request
from opentelemetry import trace
from starlette.types import ASGIApp, Receive, Scope, Send

from service_runtime.observability.tracing import set_package

PROBES: Final = frozenset({"/healthz", "/readyz", "/metrics"})
REDACTED: Final = "REDACTED"
"""The word of OpenTelemetry's conventions; which route it was stands beside it."""


def is_a_probe(scope: MutableMapping[str, Any]) -> bool:  # ASGI's own type
    """Probes come every few seconds and tell no story."""
    return scope.get("path") in PROBES


async def set_package_attribute(request: Request) -> None:
    """A dependency of every route: where the address names a package, its span does."""
    named = request.path_params.get("package_id") or request.query_params.get("package_id")
    if named is None or not trace.get_current_span().is_recording():
        return
    try:
        set_package(UUID(str(named)))
    except ValueError:
        return  # the route refuses it


class RedactUrl:
    """Takes paths and queries out of spans: a link that answers for a provider is one, and people type names."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        span = trace.get_current_span()
        if span.is_recording():
            span.set_attribute("url.path", REDACTED)
            if scope.get("query_string"):
                span.set_attribute("url.query", REDACTED)
        await self._app(scope, receive, send)
