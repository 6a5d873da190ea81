"""Measures requests by method, route and class of the status; the route, never the path, which contains ids."""

import time
from collections.abc import Callable
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service_runtime.http.spans import is_a_probe
from service_runtime.observability.guard import METRICS
from service_runtime.observability.metrics import HttpMetrics

METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
"""Any other method is counted as `other`: callers choose methods, and each value of a label is a series."""
UNMATCHED: Final = "unmatched"


class MeasureRequests:
    """Observes how long each request takes until its response has been sent."""

    def __init__(self, app: ASGIApp, get_metrics: Callable[[], HttpMetrics]) -> None:
        self._app = app
        self._get_metrics = get_metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or is_a_probe(scope):
            await self._app(scope, receive, send)
            return
        status = 500  # of a request that ends without a response
        since = time.perf_counter()

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note_status)
        finally:
            self._observe(scope, status, time.perf_counter() - since)

    @METRICS
    def _observe(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in METHODS else "other"
        route = getattr(scope.get("route"), "path", UNMATCHED)
        self._get_metrics().took.labels(method, route, f"{status // 100}xx").observe(seconds)
