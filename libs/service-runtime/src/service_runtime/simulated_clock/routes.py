"""The two routes of a simulation, in front of a service's application (decision 0013).

They answer callers on this machine that know the stack's key, and 404 to all others.
"""

import hmac
from collections.abc import Awaitable, Callable
from typing import Final

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from service_runtime.http.spans import PROBES
from service_runtime.simulated_clock.messages import ACTIVITY_PATH, CLOCK_PATH, KEY_HEADER, Activity, ClockSetting

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})


class SimulationRoutes:
    """Serves the simulation's routes, passes all other requests on, and counts these."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        key: str,
        report_activity: Callable[[], Awaitable[Activity]],
        set_clock: Callable[[ClockSetting], Awaitable[Activity]],
    ) -> None:
        self._app = app
        self._key = key.encode()
        self._report_activity = report_activity
        self._set_clock = set_clock
        self.running = 0
        self.answered = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope.get("path", "")
        if scope["type"] != "http" or path in PROBES:
            await self._app(scope, receive, send)
        elif path in {ACTIVITY_PATH, CLOCK_PATH}:
            await (await self._respond(Request(scope, receive)))(scope, receive, send)
        else:
            self.running += 1
            try:
                await self._app(scope, receive, send)
            finally:
                self.running -= 1
                self.answered += 1

    async def _respond(self, request: Request) -> Response:
        if not self._is_authorized(request):
            return Response(status_code=404)
        if (request.method, request.url.path) == ("GET", ACTIVITY_PATH):
            return _to_response(await self._report_activity())
        if (request.method, request.url.path) != ("POST", CLOCK_PATH):
            return Response(status_code=405)
        try:
            return _to_response(await self._set_clock(ClockSetting.model_validate_json(await request.body())))
        except ValidationError as error:
            return Response(f"{error.error_count()} fields are not valid", status_code=422)
        except ValueError as error:
            return Response(str(error), status_code=409)

    def _is_authorized(self, request: Request) -> bool:
        is_local = request.client is not None and request.client.host in _LOOPBACK
        return is_local and hmac.compare_digest(request.headers.get(KEY_HEADER, "").encode(), self._key)


def _to_response(activity: Activity) -> Response:
    return Response(activity.model_dump_json(), media_type="application/json")
