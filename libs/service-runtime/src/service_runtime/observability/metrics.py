"""The metrics of a process, served in Prometheus' text format under /metrics and exported by OTLP."""

import os
import socket
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, GCCollector, Histogram, ProcessCollector

from contracts.envelope import Envelope
from service_runtime.observability.guard import FAILURES
from service_runtime.observability.instruments import (
    CounterSpec,
    GaugeSample,
    GaugeSpec,
    HistogramSpec,
    MetricSpec,
    Observation,
)
from service_runtime.observability.registry import GuardedRegistry

LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120)


class RelayMetrics:
    def __init__(self, registry: CollectorRegistry, parked: Counter) -> None:
        self.parked = parked.labels("relay")
        self.relayed = Counter(
            "calloff_outbox_relayed_events", "Events from the outbox that Kafka acknowledged", registry=registry
        )
        self.depth = Gauge(
            "calloff_outbox_rows", "Events in the outbox that Kafka has not acknowledged", registry=registry
        )
        self.age = Gauge("calloff_outbox_age_seconds", "Age of the oldest event in the outbox", registry=registry)


class CommitMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._commits = Counter(
            "calloff_commits",
            "Units of work that were committed; decisions that change nothing are not",
            registry=registry,
        )
        self._published = Counter(
            "calloff_published_events",
            "Events committed by this service, by event type and council",
            ["type", "council"],
            registry=registry,
        )
        self.conflicts = Counter(
            "calloff_decision_conflicts",
            "Decisions that were made again, because their stream or their trigger had changed",
            registry=registry,
        )

    def note_commit(self, envelopes: Iterable[Envelope]) -> None:
        """Counts a commit that published events with these envelopes."""
        self._commits.inc()
        for envelope in envelopes:
            self._published.labels(envelope.type, envelope.council).inc()


class ConsumerMetrics:
    def __init__(self, registry: CollectorRegistry, parked: Counter) -> None:
        self.parked = parked.labels("event")
        self.handled = Counter("calloff_handled_events", "Events handled, by event type", ["type"], registry=registry)
        self.took = Histogram(
            "calloff_event_handling_seconds", "Time to handle one event", buckets=LATENCIES, registry=registry
        )
        self.retried = Counter(
            "calloff_event_retries", "Failed attempts to handle an event, by error type", ["error"], registry=registry
        )
        self.rebuilds = Counter(
            "calloff_consumer_rebuilds", "Failed consumers that were replaced, by group", ["group"], registry=registry
        )
        self.stalled = Gauge(
            "calloff_consumer_stalled_seconds",
            "Time for which a consumer has handled no record although records wait and Kafka answers, by group",
            ["group"],
            registry=registry,
        )
        self.unreadable = Counter(
            "calloff_unreadable_records",
            "Records that a consumer could not read and has passed, by topic and cause",
            ["topic", "cause"],
            registry=registry,
        )
        self.listed_unreadable = Gauge(
            "calloff_unreadable_records_listed", "Unreadable records that no operator has discarded", registry=registry
        )
        self.parked_keys = Gauge(
            "calloff_parked_keys", "Keys that are parked until an operator releases them", registry=registry
        )
        self.lag = Gauge(
            "calloff_consumer_lag",
            "Records not yet handled in the partitions assigned to this process",
            ["group", "topic"],
            registry=registry,
        )

    def set_lag(self, by_group: Mapping[str, Mapping[str, int]]) -> None:
        """Replaces the lag of all groups and topics; partitions that moved to another process disappear."""
        self.lag.clear()
        for group, by_topic in by_group.items():
            for topic, records in by_topic.items():
                self.lag.labels(group, topic).set(records)


class HttpMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.took = Histogram(
            "calloff_http_request_seconds",
            "Time to answer a request, by method, route and class of the status; probes are not measured",
            ["method", "route", "status"],
            buckets=LATENCIES,
            registry=registry,
        )


class TimerMetrics:
    def __init__(self, registry: CollectorRegistry, parked: Counter) -> None:
        self.parked = parked.labels("timer")
        self.lag = Histogram(
            "calloff_timer_lag_seconds",
            "Time from when a timer was due until it was handled",
            buckets=LATENCIES,
            registry=registry,
        )
        self.overdue = Gauge(
            "calloff_timer_overdue_seconds",
            "Time since the earliest unhandled timer was due; 0 when none is due",
            registry=registry,
        )


class WebhookMetrics:
    def __init__(self, registry: CollectorRegistry, parked: Counter) -> None:
        self.parked = parked.labels("webhook")
        self.outcomes = Counter(
            "calloff_webhook_attempts", "Attempts to deliver a webhook, by outcome", ["outcome"], registry=registry
        )
        self.took = Histogram(
            "calloff_webhook_attempt_seconds", "Duration of one delivery attempt", buckets=LATENCIES, registry=registry
        )
        self.queued = Histogram(
            "calloff_webhook_queue_seconds",
            "Time from when a webhook was queued until it was delivered",
            buckets=LATENCIES,
            registry=registry,
        )
        self.waiting = Gauge(
            "calloff_webhook_queue_rows", "Webhooks that are neither delivered nor given up", registry=registry
        )
        self.overdue = Gauge(
            "calloff_webhook_overdue_seconds",
            "Time since the earliest webhook that could be sent was due; 0 when none is due",
            registry=registry,
        )
        self.failing_endpoints = Gauge(
            "calloff_failing_endpoints",
            "Enabled endpoints whose owners were notified that they accept nothing",
            registry=registry,
        )
        self.old_key_secrets = Gauge(
            "calloff_secrets_under_old_keys",
            "Endpoints and mailboxes that another key than the first of CALLOFF_WEBHOOK_KEYS has encrypted",
            registry=registry,
        )


class SigningKeyMetrics:
    def __init__(self, registry: CollectorRegistry, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._fetched_at: float | None = None
        self.failed = Counter(
            "calloff_signing_key_failures",
            "Fetches of the identity provider's keys that failed or gave no usable key",
            registry=registry,
        )
        self._ignored = Gauge(
            "calloff_signing_keys_ignored",
            "Keys of the identity provider's set that cannot verify a token, at the last fetch",
            registry=registry,
        )
        age = Gauge(
            "calloff_signing_keys_age_seconds",
            "Time since the identity provider's keys were fetched; 0 before the first fetch",
            registry=registry,
        )
        age.set_function(self._get_age)

    def note_fetched(self, *, ignored: int) -> None:
        self._fetched_at = self._monotonic()
        self._ignored.set(ignored)

    def _get_age(self) -> float:
        return 0.0 if self._fetched_at is None else self._monotonic() - self._fetched_at


class BusinessMetrics:
    """The metrics that a service declares in its `wiring`."""

    def __init__(self, specs: Iterable[MetricSpec], registry: CollectorRegistry) -> None:
        self._histograms: dict[HistogramSpec, Histogram] = {}
        self._counters: dict[CounterSpec, Counter] = {}
        self._gauges: dict[GaugeSpec, Gauge] = {}
        for spec in specs:
            if isinstance(spec, HistogramSpec):
                self._histograms[spec] = Histogram(
                    spec.name, spec.help, spec.labels, buckets=spec.buckets, registry=registry
                )
            elif isinstance(spec, CounterSpec):
                self._counters[spec] = Counter(spec.name, spec.help, spec.labels, registry=registry)
            else:
                self._gauges[spec] = Gauge(spec.name, spec.help, spec.labels, registry=registry)

    @property
    def gauges(self) -> Sequence[GaugeSpec]:
        return tuple(self._gauges)

    def observe(self, observations: Iterable[Observation]) -> None:
        """Records observations after their commit. Raises KeyError for a metric that `wiring` does not declare."""
        for observation in observations:
            spec, labels = observation.metric, observation.labels
            if isinstance(spec, HistogramSpec):
                histogram = self._histograms[spec]
                (histogram.labels(*labels) if labels else histogram).observe(observation.value)
            else:
                counter = self._counters[spec]
                (counter.labels(*labels) if labels else counter).inc(observation.value)

    def set_gauge(self, spec: GaugeSpec, samples: Iterable[GaugeSample]) -> None:
        """Replaces the samples of a gauge; label values that are not among `samples` disappear."""
        gauge = self._gauges[spec]
        if spec.labels:
            gauge.clear()
        for sample in samples:
            (gauge.labels(*sample.labels) if spec.labels else gauge).set(sample.value)


class Metrics:
    """All metrics of one process, in their own registry."""

    def __init__(self, specs: Iterable[MetricSpec] = ()) -> None:
        self.registry = GuardedRegistry()
        self.registry.register(FAILURES)
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        process = Gauge(
            "calloff_process_info",
            "1; the labels tell the replicas of a service apart",
            ["host", "pid"],
            registry=self.registry,
        )
        process.labels(socket.gethostname(), os.getpid()).set(1)
        parked = Counter(
            "calloff_parked_events",
            "Failures that parked a key, by source (event, timer, relay, webhook)",
            ["by"],
            registry=self.registry,
        )
        self.clock_difference = Gauge(
            "calloff_clock_difference_seconds",
            "How far this machine's clock is ahead of PostgreSQL's; negative if it is behind",
            registry=self.registry,
        )
        self.commits = CommitMetrics(self.registry)
        self.http = HttpMetrics(self.registry)
        self.relay = RelayMetrics(self.registry, parked)
        self.consumer = ConsumerMetrics(self.registry, parked)
        self.timers = TimerMetrics(self.registry, parked)
        self.webhooks = WebhookMetrics(self.registry, parked)
        self.signing_keys = SigningKeyMetrics(self.registry)
        self.business = BusinessMetrics(specs, self.registry)
        self.ready = Gauge("calloff_ready", "1 if /readyz answers 200, 0 if it answers 503", registry=self.registry)
        self.gauges_fresh = Gauge(
            "calloff_gauges_fresh",
            "1 if the last refresh of the gauges from PostgreSQL and Kafka succeeded, 0 if it failed",
            registry=self.registry,
        )
