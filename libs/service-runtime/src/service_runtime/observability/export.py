"""Out by OTLP/HTTP: traces as they end, and now and then all the numbers that /metrics shows, under the same names."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from threading import Thread
from typing import Final

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.samples import Sample

from service_runtime.observability.logs import Logger
from service_runtime.observability.tracing import build_resource, build_tracer_provider

FLUSH_TIMEOUT: Final = 3.0
"""Seconds that what is still to be sent has at the end."""
_SCOPE: Final = InstrumentationScope("calloff")
_UNKNOWN: Final = float("nan")
"""Prometheus keeps neither the least nor the greatest."""
_CUMULATIVE: Final = AggregationTemporality.CUMULATIVE


@dataclass(frozen=True)
class TelemetryEndpoint:
    """Where traces and metrics go, and how much of them."""

    endpoint: str
    sample_ratio: float
    metrics_every: float
    """Seconds."""


@asynccontextmanager
async def export_telemetry(
    service: str,
    receiver: TelemetryEndpoint | None,
    *,
    registry: CollectorRegistry,
    refresh: Callable[[], Awaitable[None]],
    log: Logger,
) -> AsyncGenerator[None]:
    """While it lasts, `receiver` is told of everything; where there is none, no span is made."""
    if receiver is None:
        yield
        return
    traces = build_tracer_provider(service, otlp_endpoint=receiver.endpoint, sample_ratio=receiver.sample_ratio)
    trace.set_tracer_provider(traces)
    exporter = OTLPMetricExporter(endpoint=f"{receiver.endpoint.rstrip('/')}/v1/metrics")
    resource, since = build_resource(service), time.time_ns()

    def export_metrics() -> None:
        _export(exporter, as_otlp(registry.collect(), resource, since=since, now=time.time_ns()))

    export = asyncio.create_task(_export_periodically(export_metrics, receiver.metrics_every, refresh, log))
    try:
        yield
    finally:
        export.cancel()
        # The numbers since the last time: short runs would have told none.
        last = (traces.shutdown, export_metrics)
        await asyncio.wait({asyncio.ensure_future(_run_in_daemon_thread(each)) for each in last}, timeout=FLUSH_TIMEOUT)


async def _export_periodically(
    export_metrics: Callable[[], None], every: float, refresh: Callable[[], Awaitable[None]], log: Logger
) -> None:
    while True:
        await asyncio.sleep(every)
        try:
            await refresh()
            await _run_in_daemon_thread(export_metrics)
        except Exception as error:  # noqa: BLE001  whoever is told may be away; the next numbers replace these
            log.warning("metrics not exported", error=type(error).__name__)


async def _run_in_daemon_thread(work: Callable[[], None]) -> None:
    """In a thread that ends with the process: a receiver that is away must not keep it alive, as a pool's would."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def do() -> None:
        try:
            work()
        finally:
            with suppress(RuntimeError):  # the loop has ended, and nobody waits
                loop.call_soon_threadsafe(done.set)

    Thread(target=do, daemon=True).start()
    await done.wait()


def _export(exporter: OTLPMetricExporter, data: MetricsData) -> None:
    exporter.export(data)  # pyright: ignore[reportUnknownMemberType]  its further arguments have no types


def as_otlp(families: Iterable[Family], resource: Resource, *, since: int, now: int) -> MetricsData:
    """Prometheus' metrics in OpenTelemetry's words; instants in nanoseconds since 1970."""
    metrics = [_to_metric(family, since, now) for family in families]
    scope = ScopeMetrics(scope=_SCOPE, metrics=metrics, schema_url="")
    return MetricsData([ResourceMetrics(resource=resource, scope_metrics=[scope], schema_url="")])


def _to_metric(family: Family, since: int, now: int) -> Metric:
    unit = "s" if family.name.endswith("_seconds") else ""
    return Metric(family.name, family.documentation, unit, _to_data(family, since, now))


def _to_data(family: Family, since: int, now: int) -> Sum | Gauge | Histogram:
    if family.type == "histogram":
        return Histogram(_to_histogram_points(family.samples, since, now), _CUMULATIVE)
    if family.type == "counter":
        return Sum(_to_number_points(family.samples, since, now, of="_total"), _CUMULATIVE, is_monotonic=True)
    return Gauge(_to_number_points(family.samples, since, now, of=""))


def _to_number_points(samples: Iterable[Sample], since: int, now: int, *, of: str) -> list[NumberDataPoint]:
    return [
        NumberDataPoint(each.labels, since, now, each.value)
        for each in samples
        if each.name.endswith(of) and not each.name.endswith("_created")
    ]


def _to_histogram_points(samples: Iterable[Sample], since: int, now: int) -> list[HistogramDataPoint]:
    by_labels: defaultdict[tuple[tuple[str, str], ...], list[Sample]] = defaultdict(list)
    for each in samples:
        by_labels[tuple((name, value) for name, value in each.labels.items() if name != "le")].append(each)
    return [_to_histogram_point(dict(labels), of_one, since, now) for labels, of_one in by_labels.items()]


def _to_histogram_point(labels: dict[str, str], samples: Sequence[Sample], since: int, now: int) -> HistogramDataPoint:
    buckets = [(float(each.labels["le"]), int(each.value)) for each in samples if each.name.endswith("_bucket")]
    reached = [count for _, count in buckets]
    single = [after - before for before, after in zip([0, *reached], reached, strict=False)]
    total = next(each.value for each in samples if each.name.endswith("_sum"))
    bounds = [bound for bound, _ in buckets[:-1]]
    return HistogramDataPoint(labels, since, now, reached[-1], total, single, bounds, min=_UNKNOWN, max=_UNKNOWN)
