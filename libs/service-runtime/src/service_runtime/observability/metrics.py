"""Metrics: what an operator's alarms are set on, in Prometheus' text format under /metrics, and by OTLP."""

from collections.abc import Iterable, Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from service_runtime.observability.instruments import GaugeSample, GaugeSpec, HistogramSpec, MetricSpec, Observation

LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120)


class RelayMetrics:
    def __init__(self, registry: CollectorRegistry, parked: Counter) -> None:
        self.parked = parked.labels("relay")
        self.relayed = Counter("calloff_relayed_events", "Events that Kafka acknowledged", registry=registry)
        self.depth = Gauge("calloff_outbox_rows", "Events that wait for Kafka", registry=registry)
        self.age = Gauge("calloff_outbox_age_seconds", "How long the oldest of them has waited", registry=registry)


class ConsumerMetrics:
    def __init__(self, registry: CollectorRegistry, parked: Counter) -> None:
        self.parked = parked.labels("event")
        self.handled = Counter("calloff_handled_events", "Events handled, by type", ["type"], registry=registry)
        self.took = Histogram("calloff_handling_seconds", "One event's handling", buckets=LATENCIES, registry=registry)
        self.retried = Counter("calloff_retried_events", "Attempts that failed", ["error"], registry=registry)
        self.batch_fallbacks = Counter(
            "calloff_handfuls_taken_apart",
            "Handfuls of events that could not be handled together, and were one by one",
            ["error"],
            registry=registry,
        )
        self.parked_keys = Gauge("calloff_parked_keys", "Keys that wait for an operator", registry=registry)
        self.lag = Gauge(
            "calloff_consumer_lag",
            "Records of this process's partitions not handled yet",
            ["group", "topic"],
            registry=registry,
        )

    def set_lag(self, by_group: Mapping[str, Mapping[str, int]]) -> None:
        """Partitions move between processes: what was another reading's is forgotten."""
        self.lag.clear()
        for group, by_topic in by_group.items():
            for topic, records in by_topic.items():
                self.lag.labels(group, topic).set(records)


class TimerMetrics:
    def __init__(self, registry: CollectorRegistry, parked: Counter) -> None:
        self.parked = parked.labels("timer")
        self.lag = Histogram("calloff_timer_lag_seconds", "From due to performed", buckets=LATENCIES, registry=registry)
        self.overdue = Gauge(
            "calloff_timer_overdue_seconds", "How long the earliest timer has been due", registry=registry
        )


class WebhookMetrics:
    def __init__(self, registry: CollectorRegistry, parked: Counter) -> None:
        self.parked = parked.labels("webhook")
        self.outcomes = Counter("calloff_webhook_attempts", "Attempts by outcome", ["outcome"], registry=registry)
        self.took = Histogram("calloff_webhook_seconds", "One attempt", buckets=LATENCIES, registry=registry)
        self.queued = Histogram(
            "calloff_webhook_queue_seconds", "From queued to delivered", buckets=LATENCIES, registry=registry
        )


class BusinessMetrics:
    """What a service declares in its `wiring`."""

    def __init__(self, measures: Iterable[MetricSpec], registry: CollectorRegistry) -> None:
        self._distributions: dict[HistogramSpec, Histogram] = {}
        self._standings: dict[GaugeSpec, Gauge] = {}
        for each in measures:
            if isinstance(each, HistogramSpec):
                self._distributions[each] = Histogram(each.name, each.about, buckets=each.buckets, registry=registry)
            else:
                self._standings[each] = Gauge(each.name, each.about, each.labels, registry=registry)

    @property
    def gauges(self) -> Sequence[GaugeSpec]:
        return tuple(self._standings)

    def observe(self, measured: Iterable[Observation]) -> None:
        """What has happened, once it is committed. Raises KeyError for what `wiring` does not declare."""
        for each in measured:
            self._distributions[each.what].observe(each.value)

    def set_gauge(self, standing: GaugeSpec, levels: Iterable[GaugeSample]) -> None:
        """How things stand now; what is not among `levels` stands at nothing."""
        gauge = self._standings[standing]
        if standing.labels:
            gauge.clear()
        for level in levels:
            (gauge.labels(*level.labels) if standing.labels else gauge).set(level.value)


class Metrics:
    """All of one process's metrics, in a registry of their own."""

    def __init__(self, measures: Iterable[MetricSpec] = ()) -> None:
        self.registry = CollectorRegistry()
        parked = Counter("calloff_parked_events", "What parked its key, by kind", ["by"], registry=self.registry)
        self.relay = RelayMetrics(self.registry, parked)
        self.consumer = ConsumerMetrics(self.registry, parked)
        self.timers = TimerMetrics(self.registry, parked)
        self.webhooks = WebhookMetrics(self.registry, parked)
        self.business = BusinessMetrics(measures, self.registry)
        self.gauges_fresh = Gauge(
            "calloff_readings_current",
            "1 while what is read from database and Kafka is of now, 0 while they do not answer",
            registry=self.registry,
        )
