"""OTLP/HTTP export: spans as they end, and periodically all metrics of /metrics under the same names."""

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
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.samples import Sample

from service_runtime.observability.guard import EXPORT
from service_runtime.observability.logs import Logger
from service_runtime.observability.tracing import build_resource, build_tracer_provider

FLUSH_TIMEOUT: Final = 3.0
"""Seconds that the last export may take at shutdown."""
_SCOPE: Final = InstrumentationScope("calloff")
_UNKNOWN: Final = float("nan")
"""Prometheus histograms store neither minimum nor maximum."""
_CUMULATIVE: Final = AggregationTemporality.CUMULATIVE


@dataclass(frozen=True)
class TelemetryEndpoint:
    """The OTLP receiver, the share of traces to sample, and the interval between exports of metrics."""

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
    """Exports spans and metrics to `receiver` while the context is open; without a receiver no spans are created."""
    exporters = None if receiver is None else _build_exporters(service, receiver, log)
    if receiver is None or exporters is None:
        yield
        return
    traces, exporter = exporters
    resource, since = build_resource(service), time.time_ns()

    def export_metrics() -> None:
        _export(exporter, as_otlp(registry.collect(), resource, since=since, now=time.time_ns()))

    export = asyncio.create_task(_export_periodically(export_metrics, receiver.metrics_every, refresh, log))
    try:
        yield
    finally:
        export.cancel()
        # Exports the metrics once more: a short run may end before its first periodic export.
        flushes = (traces.shutdown, export_metrics)
        await asyncio.wait(
            {asyncio.create_task(_run_in_daemon_thread(flush)) for flush in flushes}, timeout=FLUSH_TIMEOUT
        )


def _build_exporters(
    service: str, receiver: TelemetryEndpoint, log: Logger
) -> tuple[TracerProvider, OTLPMetricExporter] | None:
    """Builds the exporters and sets the tracer provider; returns None if OpenTelemetry refuses its settings."""
    with EXPORT:
        try:
            traces = build_tracer_provider(service, otlp_endpoint=receiver.endpoint, sample_ratio=receiver.sample_ratio)
            exporter = OTLPMetricExporter(endpoint=f"{receiver.endpoint.rstrip('/')}/v1/metrics")
        except Exception as error:
            log.warning("telemetry not exported: check the OTEL_ variables", error=type(error).__name__)
            raise
        trace.set_tracer_provider(traces)
        return traces, exporter
    return None


async def _export_periodically(
    export_metrics: Callable[[], None], every: float, refresh: Callable[[], Awaitable[None]], log: Logger
) -> None:
    while True:
        await asyncio.sleep(every)
        with EXPORT:  # the receiver may be down; the next export sends newer values
            try:
                await refresh()
                await _run_in_daemon_thread(export_metrics)
            except Exception as error:
                log.warning("metrics not exported", error=type(error).__name__)
                raise


async def _run_in_daemon_thread(work: Callable[[], None]) -> None:
    """Runs `work` in a daemon thread, so that a receiver that does not answer cannot delay the end of the process."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def run_and_notify() -> None:
        try:
            with EXPORT:
                work()
        finally:
            with suppress(RuntimeError):  # the event loop has already ended
                loop.call_soon_threadsafe(done.set)

    Thread(target=run_and_notify, daemon=True).start()
    await done.wait()


def _export(exporter: OTLPMetricExporter, data: MetricsData) -> None:
    exporter.export(data)  # pyright: ignore[reportUnknownMemberType]  its further arguments have no types


def as_otlp(families: Iterable[Family], resource: Resource, *, since: int, now: int) -> MetricsData:
    """Converts Prometheus metrics to OpenTelemetry's; instants are in nanoseconds since 1970."""
    metrics: list[Metric] = []
    for family in families:
        with EXPORT:
            metrics.append(_to_metric(family, since, now))
    scope = ScopeMetrics(scope=_SCOPE, metrics=metrics, schema_url="")
    return MetricsData([ResourceMetrics(resource=resource, scope_metrics=[scope], schema_url="")])


def _to_metric(family: Family, since: int, now: int) -> Metric:
    unit = "s" if family.name.endswith("_seconds") else ""
    return Metric(family.name, family.documentation, unit, _to_data(family, since, now))


def _to_data(family: Family, since: int, now: int) -> Sum | Gauge | Histogram:
    if family.type == "histogram":
        return Histogram(_to_histogram_points(family.samples, since, now), _CUMULATIVE)
    if family.type == "counter":
        return Sum(_to_number_points(family.samples, since, now, suffix="_total"), _CUMULATIVE, is_monotonic=True)
    return Gauge(_to_number_points(family.samples, since, now, suffix=""))


def _to_number_points(samples: Iterable[Sample], since: int, now: int, *, suffix: str) -> list[NumberDataPoint]:
    return [
        NumberDataPoint(sample.labels, since, now, sample.value)
        for sample in samples
        if sample.name.endswith(suffix) and not sample.name.endswith("_created")
    ]


def _to_histogram_points(samples: Iterable[Sample], since: int, now: int) -> list[HistogramDataPoint]:
    by_labels: defaultdict[tuple[tuple[str, str], ...], list[Sample]] = defaultdict(list)
    for sample in samples:
        by_labels[tuple((name, value) for name, value in sample.labels.items() if name != "le")].append(sample)
    return [_to_histogram_point(dict(labels), series, since, now) for labels, series in by_labels.items()]


def _to_histogram_point(labels: dict[str, str], samples: Sequence[Sample], since: int, now: int) -> HistogramDataPoint:
    buckets = [(float(item.labels["le"]), int(item.value)) for item in samples if item.name.endswith("_bucket")]
    cumulative = [count for _, count in buckets]
    counts = [after - before for before, after in zip([0, *cumulative], cumulative, strict=False)]
    total = next(sample.value for sample in samples if sample.name.endswith("_sum"))
    bounds = [bound for bound, _ in buckets[:-1]]
    return HistogramDataPoint(labels, since, now, cumulative[-1], total, counts, bounds, min=_UNKNOWN, max=_UNKNOWN)
