"""Telemetry flush: a process exports the changes since the last export when it stops."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web
from opentelemetry import trace
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from prometheus_client import CollectorRegistry, Counter

from service_runtime.observability.export import TelemetryEndpoint, export_telemetry
from service_runtime.observability.logs import build_logger

LONG_INTERVAL = 3_600.0


class Collector:
    """Receives metrics as OTLP over HTTP."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}
        self.address = ""

    async def receive(self, request: web.Request) -> web.Response:
        request_body = ExportMetricsServiceRequest.FromString(await request.read())
        for resource in request_body.resource_metrics:
            for scope in resource.scope_metrics:
                self.values |= {metric.name: metric.sum.data_points[0].as_double for metric in scope.metrics}
        return web.Response()


@pytest_asyncio.fixture
async def collector() -> AsyncIterator[Collector]:
    collector = Collector()
    app = web.Application()
    app.router.add_post("/v1/metrics", collector.receive)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    collector.address = f"http://{host}:{port}"
    yield collector
    await runner.cleanup()


async def refresh_nothing() -> None:
    """Refreshes no gauges."""


def ignore_provider(provider: object) -> None:
    """Leaves the provider of this process as it is."""


async def test_the_metrics_of_a_short_run_are_exported_when_it_ends(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A process sets its provider once, and other tests of this one need theirs.
    monkeypatch.setattr(trace, "set_tracer_provider", ignore_provider)
    registry = CollectorRegistry()
    handled = Counter("calloff_handled_events", "Events handled", registry=registry)
    receiver = TelemetryEndpoint(collector.address, sample_ratio=0, metrics_every=LONG_INTERVAL)
    log = build_logger("sample", level="error")
    async with export_telemetry("sample", receiver, registry=registry, refresh=refresh_nothing, log=log):
        handled.inc(3)
    assert collector.values == {"calloff_handled_events": 3}
