"""Spans and metrics of an installation: spans from Grafana Tempo, metrics from each service's `/metrics`."""

import asyncio
import time
from typing import Final

from calloff.client import ApiClient, Request
from calloff.connection import StackConnection
from devstack.errors import NoTraceFound, ServiceRefused, ServiceUnreachable
from devstack.telemetry.exposition import InvalidExposition, ProcessMetrics, parse_exposition
from devstack.telemetry.spans import Span
from devstack.telemetry.tempo import (
    PROTOBUF,
    SEARCH_PATH,
    TRACE_PATH,
    UnexpectedAnswer,
    build_search,
    parse_search,
    parse_trace,
)

MAX_TRACES: Final = 200
_SEARCHED_SECONDS: Final = 7 * 24 * 3600 - 60
"""Tempo refuses to search more than 168 h, unless it is set otherwise."""


async def fetch_package_spans(connection: StackConnection, package_id: str, *, limit: int) -> list[Span]:
    """All spans of the traces of the last week in which the package occurs: the earliest first, at most `limit`.

    Raises NoTraceFound, ServiceRefused and ServiceUnreachable.
    """
    traces_url = None if connection.installation is None else connection.installation.traces_url
    if traces_url is None:
        raise NoTraceFound("the installation file has no traces_url, the address of Grafana Tempo")
    client, now = connection.create_anonymous_client(), int(time.time())
    parameters = build_search(package_id, since=now - _SEARCHED_SECONDS, until=now, limit=MAX_TRACES)
    try:
        trace_ids = parse_search((await client.get(f"{traces_url}{SEARCH_PATH}", **parameters)).body)
        traces = [await _fetch_trace(client, f"{traces_url}{TRACE_PATH}/{each}") for each in trace_ids]
    except UnexpectedAnswer as error:
        raise NoTraceFound(f"{traces_url} is not the address of Grafana Tempo: {error}") from error
    return sorted((span for trace in traces for span in trace), key=lambda span: span.began)[:limit]


async def _fetch_trace(client: ApiClient, url: str) -> list[Span]:
    return parse_trace((await client.send(Request("GET", url, accept=PROTOBUF))).body)


async def fetch_metrics(connection: StackConnection) -> dict[str, ProcessMetrics | str]:
    """By service, the metrics of the process that answered, or why there are none."""
    answers = await asyncio.gather(*[_fetch_service_metrics(connection, name) for name in connection.urls])
    return dict(zip(connection.urls, answers, strict=True))


async def _fetch_service_metrics(connection: StackConnection, service: str) -> ProcessMetrics | str:
    try:
        response = await connection.create_anonymous_client().get(connection.get_url(service, "/metrics"))
        return parse_exposition(response.body.decode(), service)
    except (ServiceRefused, ServiceUnreachable, InvalidExposition, UnicodeDecodeError) as error:
        return str(error)
