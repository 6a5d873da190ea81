"""Request spans: record the ids that identify the subject of a request, and redact the URL."""

from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, Final
from uuid import UUID

from fastapi import Request
from opentelemetry import trace
from opentelemetry.trace import Span
from starlette.types import ASGIApp, Receive, Scope, Send

from contracts.telemetry import ATTRIBUTE_BY_PARAMETER
from service_runtime.observability.guard import TRACING
from service_runtime.observability.tracing import set_attributes

PROBES: Final = frozenset({"/healthz", "/readyz", "/metrics"})
REDACTED: Final = "REDACTED"
"""The placeholder of OpenTelemetry's conventions; `http.route` still names the route."""


def is_a_probe(scope: MutableMapping[str, Any]) -> bool:  # ASGI's own type
    """True for probe requests, which arrive every few seconds and get no span."""
    return scope.get("path") in PROBES


async def set_parameter_attributes(request: Request) -> None:
    """A dependency of every route: records the parameters that name a subject on the request's span."""
    span = trace.get_current_span()
    if span.is_recording():
        _set_parameter_attributes(span, request)


@TRACING
def _set_parameter_attributes(span: Span, request: Request) -> None:
    for parameter, attribute in ATTRIBUTE_BY_PARAMETER.items():
        value = request.path_params.get(parameter) or request.query_params.get(parameter)
        with suppress(ValueError):  # the route itself rejects an invalid UUID
            if value is not None:
                span.set_attribute(attribute, str(UUID(str(value))))


class RedactUrl:
    """Removes paths and queries from spans: an offer link is a credential, and queries can contain names."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        span = trace.get_current_span()
        if span.is_recording():
            set_attributes(span, {"url.path": REDACTED})
            if scope.get("query_string"):
                set_attributes(span, {"url.query": REDACTED})
        await self._app(scope, receive, send)
