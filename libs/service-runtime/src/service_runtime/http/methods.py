"""Methods: HEAD is answered as GET without its body, OPTIONS and 405 list the methods of the path."""

from typing import Final

from fastapi import FastAPI, Request, Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


class ImpliedMethods:
    """Answers HEAD and OPTIONS wherever routes exist; no route declares them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope.get("method")
        if method == "HEAD":
            await self._app({**scope, "method": "GET"}, receive, _without_body(send))
        elif method == "OPTIONS" and (allowed := list_methods(scope)):
            await Response(status_code=204, headers={"Allow": ", ".join(allowed)})(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def list_methods(scope: Scope) -> list[str]:
    """Returns the methods that routes of the path answer, over all routes; empty if there is no such path."""
    app: FastAPI = scope["app"]
    allowed = [
        method
        for method in METHODS
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in app.routes)
    ]
    if "GET" in allowed:
        allowed.insert(1, "HEAD")
    return [*allowed, "OPTIONS"] if allowed else []


def explain_wrong_method(request: Request) -> tuple[str, dict[str, str]]:
    """Returns the detail and the headers of a 405."""
    allowed = ", ".join(list_methods(request.scope))
    return f"this resource does not answer {request.method}; it answers {allowed}", {"Allow": allowed}


def _without_body(send: Send) -> Send:
    async def send_without_body(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return send_without_body
