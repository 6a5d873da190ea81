"""The FastAPI application of a service, with everything at its edges that is the same in all of them."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from fastapi import APIRouter, Depends, FastAPI, Request

from service_runtime.http import operations, problems
from service_runtime.http.bodies import BodyLimit
from service_runtime.http.spans import RedactUrl, is_a_probe, set_package_attribute
from service_runtime.observability.logs import Logger

PortT = TypeVar("PortT")


class Application(FastAPI):
    """An application whose OpenAPI page holds what its error answers refer to."""

    def openapi(self) -> dict[str, Any]:
        page = super().openapi()
        page["components"]["schemas"] |= problems.build_problem_schemas()
        return page


def create_app(
    *, name: str, description: str, routes: Sequence[APIRouter], ports: Mapping[type, object], log: Logger
) -> FastAPI:
    """An application with the service's routes, the operations' routes, and problem+json for every error."""
    app = Application(
        title=f"Call-off {name}",
        description=description,
        version="1",
        # Its logs would carry the messages of exceptions; spans for dependencies and serialisation say nothing.
        telemetry={"logs": False, "operation_spans": False, "metrics": False, "exclude": is_a_probe},
        dependencies=[Depends(set_package_attribute)],
        docs_url="/docs",
        redoc_url=None,
    )
    problems.install_error_handlers(app, log)
    app.add_middleware(BodyLimit)
    app.add_middleware(RedactUrl)
    for router in (*routes, operations.router, operations.probes):
        app.include_router(router)
    app.state.ports = dict(ports)
    return app


def inject(port: type[PortT]) -> Any:
    """The dependency that gives a route what `wiring` has put behind a Protocol of `ports.py`.

    Use it as the metadata of Annotated: `Offers = Annotated[OfferQueries, provided(OfferQueries)]`.
    """

    async def find(request: Request) -> PortT:
        ports: Mapping[type, PortT] = request.app.state.ports
        return ports[port]

    return Depends(find)
