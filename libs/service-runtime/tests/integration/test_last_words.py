"""Whoever receives telemetry is told the last of it, too: what happened since the numbers were told before."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web
from opentelemetry import trace
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from prometheus_client import CollectorRegistry, Counter

from service_runtime.observability.export import TelemetryEndpoint, export_telemetry
from service_runtime.observability.logs import build_logger

NEVER = 3_600.0


class Collector:
    """Takes OTLP over HTTP."""

    def __init__(self) -> None:
        self.numbers: dict[str, float] = {}
        self.address = ""

    async def take(self, request: web.Request) -> web.Response:
        said = ExportMetricsServiceRequest.FromString(await request.read())
        for resource in said.resource_metrics:
            for scope in resource.scope_metrics:
                self.numbers |= {each.name: each.sum.data_points[0].as_double for each in scope.metrics}
        return web.Response()


@pytest_asyncio.fixture
async def collector() -> AsyncIterator[Collector]:
    collector = Collector()
    app = web.Application()
    app.router.add_post("/v1/metrics", collector.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    collector.address = f"http://{host}:{port}"
    yield collector
    await runner.cleanup()


async def refreshed() -> None:
    """Nothing is read anywhere."""


def leave_it(provider: object) -> None:
    """Sets no provider."""


async def test_the_numbers_of_a_short_run_are_told_at_its_end(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A process sets its provider once, and other tests of this one need theirs.
    monkeypatch.setattr(trace, "set_tracer_provider", leave_it)
    registry = CollectorRegistry()
    handled = Counter("calloff_handled_events", "Events handled", registry=registry)
    receiver = TelemetryEndpoint(collector.address, sample_ratio=0, metrics_every=NEVER)
    log = build_logger("turnstile", level="error")
    async with export_telemetry("turnstile", receiver, registry=registry, refresh=refreshed, log=log):
        handled.inc(3)
    assert collector.numbers == {"calloff_handled_events": 3}
