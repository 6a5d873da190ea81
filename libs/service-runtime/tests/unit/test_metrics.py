"""One set of numbers, two ways out: what /metrics shows is what OTLP says, under the same names."""

import pytest
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from prometheus_client import generate_latest

from service_runtime.observability.export import as_otlp
from service_runtime.observability.instruments import GaugeSample, GaugeSpec, HistogramSpec, Observation
from service_runtime.observability.metrics import Metrics
from service_runtime.observability.tracing import build_resource

WAITED = HistogramSpec("calloff_waited_seconds", "How long somebody waited", (1, 10))


async def nobody_reads(*_: object) -> list[GaugeSample]:
    return []


OPEN = GaugeSpec("calloff_open", "What is open, by stage", nobody_reads, ("stage",))


@pytest.fixture
def metrics() -> Metrics:
    return Metrics((WAITED, OPEN))


def told(metrics: Metrics) -> dict[str, Metric]:
    """What a receiver of OTLP reads, by name."""
    said = encode_metrics(as_otlp(metrics.registry.collect(), build_resource("sourcing"), since=1, now=2))
    (resource,) = said.resource_metrics
    return {metric.name: metric for scope in resource.scope_metrics for metric in scope.metrics}


def test_a_distribution_is_told_with_its_buckets(metrics: Metrics) -> None:
    metrics.business.observe([Observation(WAITED, 0.5), Observation(WAITED, 5), Observation(WAITED, 500)])
    waited = told(metrics)["calloff_waited_seconds"]
    (point,) = waited.histogram.data_points
    assert (point.count, point.sum, list(point.bucket_counts)) == (3, 505.5, [1, 1, 1])
    assert (list(point.explicit_bounds), waited.unit) == ([1, 10], "s")


def test_a_counter_is_a_sum_that_only_grows(metrics: Metrics) -> None:
    metrics.webhooks.outcomes.labels("delivered").inc(3)
    attempts = told(metrics)["calloff_webhook_attempts"].sum
    (point,) = attempts.data_points
    assert (attempts.is_monotonic, point.as_double) == (True, 3)
    assert [(each.key, each.value.string_value) for each in point.attributes] == [("outcome", "delivered")]


def test_what_no_longer_stands_is_told_no_longer(metrics: Metrics) -> None:
    metrics.business.set_gauge(OPEN, [GaugeSample(4, ("tier-1",)), GaugeSample(1, ("tier-2",))])
    metrics.business.set_gauge(OPEN, [GaugeSample(2, ("tier-2",))])
    points = told(metrics)["calloff_open"].gauge.data_points
    assert [(point.attributes[0].value.string_value, point.as_double) for point in points] == [("tier-2", 2)]


def test_lag_is_told_by_group_and_topic(metrics: Metrics) -> None:
    metrics.consumer.set_lag({"calloff.audit": {"homecare.packages.v1": 3}, "calloff.audit.all": {}})
    shown = generate_latest(metrics.registry).decode()
    assert 'calloff_consumer_lag{group="calloff.audit",topic="homecare.packages.v1"} 3.0' in shown


def test_everything_that_is_shown_can_be_told(metrics: Metrics) -> None:
    metrics.consumer.handled.labels("calloff.OfferMade.v1").inc()
    shown = {line.split()[2] for line in generate_latest(metrics.registry).decode().splitlines() if "# TYPE" in line}
    names = {name.removesuffix("_total") for name in shown if not name.endswith("_created")}
    assert set(told(metrics)) == names


def test_what_wiring_does_not_declare_is_not_measured(metrics: Metrics) -> None:
    with pytest.raises(KeyError):
        metrics.business.observe([Observation(HistogramSpec("another", "", (1,)), 1)])
