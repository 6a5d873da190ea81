"""Metrics: /metrics and OTLP export the same values under the same names."""

import pytest
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from prometheus_client import generate_latest

from service_runtime.observability.export import as_otlp
from service_runtime.observability.instruments import GaugeSample, GaugeSpec, HistogramSpec, Observation
from service_runtime.observability.metrics import Metrics
from service_runtime.observability.tracing import build_resource

WAITED = HistogramSpec("calloff_waited_seconds", "Duration of a wait", (1, 10))


async def read_no_samples(*_: object) -> list[GaugeSample]:
    return []


OPEN = GaugeSpec("calloff_open", "Open items, by stage", read_no_samples, ("stage",))


@pytest.fixture
def metrics() -> Metrics:
    return Metrics((WAITED, OPEN))


def export_metrics(metrics: Metrics) -> dict[str, Metric]:
    """Exports the metrics as OTLP; returns them by name."""
    exported = encode_metrics(as_otlp(metrics.registry.collect(), build_resource("sourcing"), since=1, now=2))
    (resource,) = exported.resource_metrics
    return {metric.name: metric for scope in resource.scope_metrics for metric in scope.metrics}


def test_a_histogram_is_exported_with_its_buckets(metrics: Metrics) -> None:
    metrics.business.observe([Observation(WAITED, 0.5), Observation(WAITED, 5), Observation(WAITED, 500)])
    waited = export_metrics(metrics)["calloff_waited_seconds"]
    (point,) = waited.histogram.data_points
    assert (point.count, point.sum, list(point.bucket_counts)) == (3, 505.5, [1, 1, 1])
    assert (list(point.explicit_bounds), waited.unit) == ([1, 10], "s")


def test_a_counter_is_a_sum_that_only_grows(metrics: Metrics) -> None:
    metrics.webhooks.outcomes.labels("delivered").inc(3)
    attempts = export_metrics(metrics)["calloff_webhook_attempts"].sum
    (point,) = attempts.data_points
    assert (attempts.is_monotonic, point.as_double) == (True, 3)
    assert [(attribute.key, attribute.value.string_value) for attribute in point.attributes] == [
        ("outcome", "delivered")
    ]


def test_a_gauge_exports_only_its_latest_samples(metrics: Metrics) -> None:
    metrics.business.set_gauge(OPEN, [GaugeSample(4, ("tier-1",)), GaugeSample(1, ("tier-2",))])
    metrics.business.set_gauge(OPEN, [GaugeSample(2, ("tier-2",))])
    points = export_metrics(metrics)["calloff_open"].gauge.data_points
    assert [(point.attributes[0].value.string_value, point.as_double) for point in points] == [("tier-2", 2)]


def test_lag_is_exported_by_group_and_topic(metrics: Metrics) -> None:
    metrics.consumer.set_lag({"calloff.audit": {"homecare.packages.v1": 3}, "calloff.audit.all": {}})
    shown = generate_latest(metrics.registry).decode()
    assert 'calloff_consumer_lag{group="calloff.audit",topic="homecare.packages.v1"} 3.0' in shown


def test_every_metric_of_the_metrics_page_is_exported_as_otlp(metrics: Metrics) -> None:
    metrics.consumer.handled.labels("calloff.OfferMade.v1").inc()
    shown = {line.split()[2] for line in generate_latest(metrics.registry).decode().splitlines() if "# TYPE" in line}
    names = {name.removesuffix("_total") for name in shown if not name.endswith("_created")}
    assert set(export_metrics(metrics)) == names


def test_an_undeclared_metric_is_refused(metrics: Metrics) -> None:
    with pytest.raises(KeyError):
        metrics.business.observe([Observation(HistogramSpec("another", "", (1,)), 1)])
