"""FastAPI application of a service: error handlers, body limit and operations routes are the same in all services."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from fastapi import APIRouter, Depends, FastAPI, Request

from service_runtime.http import operations, problems, unreadable
from service_runtime.http.bodies import BodyLimit
from service_runtime.http.commands import describe_replays
from service_runtime.http.methods import ImpliedMethods
from service_runtime.http.parameters import OmitEmptyParameters, check_request
from service_runtime.http.request_metrics import MeasureRequests
from service_runtime.http.spans import RedactUrl, is_a_probe
from service_runtime.observability.logs import Logger

PortT = TypeVar("PortT")


class Application(FastAPI):
    """An application whose OpenAPI document contains the schemas of its problem responses."""

    def openapi(self) -> dict[str, Any]:
        page = super().openapi()
        page["components"]["schemas"] |= problems.build_problem_schemas()
        describe_replays(page)
        return page


def create_app(
    *, name: str, description: str, routes: Sequence[APIRouter], ports: Mapping[type, object], log: Logger
) -> FastAPI:
    """Builds the application: the service's routes, the operations routes, and problem+json for every error."""
    app = Application(
        title=f"Call-off {name}",
        description=description,
        version="1",
        # FastAPI's logs contain exception messages; spans of dependencies and serialisation carry no information.
        telemetry={"logs": False, "operation_spans": False, "metrics": False, "exclude": is_a_probe},
        dependencies=[Depends(check_request)],
        docs_url="/docs",
        redoc_url=None,
        redirect_slashes=False,
    )
    problems.install_error_handlers(app, log)
    app.add_middleware(BodyLimit)
    app.add_middleware(ImpliedMethods)
    app.add_middleware(OmitEmptyParameters)
    app.add_middleware(RedactUrl)
    app.add_middleware(MeasureRequests, get_metrics=lambda: app.state.metrics.http)
    for router in (*routes, operations.router, unreadable.router, operations.probes):
        app.include_router(router)
    app.state.ports = dict(ports)
    return app


def create_probe_app(app: FastAPI, *, log: Logger) -> FastAPI:
    """Builds the application of the listener that answers only the probes of `app`."""
    probe_app = FastAPI(openapi_url=None, redirect_slashes=False)
    problems.install_error_handlers(probe_app, log)
    probe_app.add_middleware(ImpliedMethods)
    probe_app.include_router(operations.probes)
    probe_app.state = app.state
    return probe_app


def inject(port: type[PortT]) -> Any:
    """Returns a dependency that resolves a Protocol of `ports.py` to the object that `wiring` registered for it.

    Use it as the metadata of Annotated: `Offers = Annotated[OfferQueries, inject(OfferQueries)]`.
    """

    async def find_port(request: Request) -> PortT:
        ports: Mapping[type, PortT] = request.app.state.ports
        return ports[port]

    return Depends(find_port)
