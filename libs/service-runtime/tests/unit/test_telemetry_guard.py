"""Telemetry never decides about work: what fails in tracing, metrics or logging is counted, and work goes on."""

import asyncio
import io
import json
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import cast

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.trace import INVALID_SPAN, SpanKind
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from contracts.catalogue import PACKAGES
from service_runtime.observability import tracing
from service_runtime.observability.export import TelemetryEndpoint, as_otlp, export_telemetry
from service_runtime.observability.guard import FAILURES, TRACING
from service_runtime.observability.logs import MAX_TEXT, build_logger
from service_runtime.observability.messaging import KafkaMessage, record_receive_spans, record_send_spans
from service_runtime.observability.metrics import Metrics
from service_runtime.observability.registry import GuardedRegistry, render_registry
from service_runtime.observability.tracing import (
    GuardedSpanProcessor,
    SpanAttributes,
    build_resource,
    format_traceparent,
    mark_failed,
    record_finished_span,
    set_attributes,
    set_subject,
    start_child_span,
    start_linked_span,
)
from testkit.captured_logs import CapturedLogs

SAMPLED = f"00-{'ab' * 16}-{'cd' * 8}-01"


Start = Callable[[str, str, SpanKind, SpanAttributes], AbstractContextManager[trace.Span]]


class Broken(SpanProcessor):
    """A processor that fails at the given points."""

    def __init__(self, *points: str) -> None:
        self._points = points

    def on_start(self, span: Span, parent_context: object = None) -> None:
        if "start" in self._points:
            raise RuntimeError

    def on_end(self, span: ReadableSpan) -> None:
        if "end" in self._points:
            raise RuntimeError


class Unreadable(Collector):
    def collect(self) -> Iterator[Metric]:
        raise RuntimeError


class Unprintable(Collector):
    def collect(self) -> Iterator[Metric]:
        family = GaugeMetricFamily("calloff_unprintable", "help", labels=["type"])
        family.add_metric(["\ud800"], 1)
        yield family


@pytest.fixture(params=[("start",), ("end",), ("start", "end")])
def broken_spans(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(Broken(*request.param))
    monkeypatch.setattr(tracing, "get_tracer", lambda: provider.get_tracer("test"))


@pytest.fixture
def stderr(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[io.StringIO], None]]:
    """Replaces standard error, and restores the handlers of the root logger afterwards."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield lambda stream: monkeypatch.setattr(sys, "stderr", stream)
    root.handlers[:] = handlers
    root.setLevel(level)


def count_failures(part: str) -> float:
    (family,) = FAILURES.collect()
    return sum(
        sample.value for sample in family.samples if sample.name.endswith("_total") and sample.labels["part"] == part
    )


def start_and_work(start: Start) -> str:
    with start(SAMPLED, "work", SpanKind.INTERNAL, {"a": 1}) as span:
        mark_failed(span, "SomeError")
        return "done"


@pytest.mark.usefixtures("broken_spans")
@pytest.mark.parametrize("start", [start_child_span, start_linked_span])
def test_work_has_its_outcome_though_its_span_fails(start: Start) -> None:
    before = count_failures("tracing")
    assert start_and_work(start) == "done"
    assert count_failures("tracing") > before


@pytest.mark.usefixtures("broken_spans")
@pytest.mark.parametrize("start", [start_child_span, start_linked_span])
def test_work_has_its_own_error_though_its_span_fails(start: Start) -> None:
    def fail() -> None:
        with start(SAMPLED, "work", SpanKind.INTERNAL, {}):
            raise LookupError

    with pytest.raises(LookupError):
        fail()


@pytest.mark.usefixtures("broken_spans")
def test_finished_and_message_spans_that_fail_are_dropped() -> None:
    record_finished_span(SAMPLED, "work", SpanKind.INTERNAL, {}, begun=1, ended=2)
    message = KafkaMessage(PACKAGES, 0, 1, b"key", [("traceparent", SAMPLED.encode())])
    before = count_failures("tracing")
    record_send_spans([message], begun=1)
    record_receive_spans([message], group="g", begun=1)
    assert count_failures("tracing") == before + 2


class Unusable:
    """Not a span at all."""


@pytest.mark.parametrize(
    "use",
    [
        lambda: mark_failed(Unusable(), "x"),  # pyright: ignore[reportArgumentType]
        lambda: set_attributes(Unusable(), {}),  # pyright: ignore[reportArgumentType]
        lambda: format_traceparent(Unusable()),  # pyright: ignore[reportArgumentType]
        lambda: set_subject([], "key"),  # pyright: ignore[reportArgumentType]
    ],
)
def test_every_function_that_touches_a_span_is_guarded(use: Callable[[], object]) -> None:
    before = count_failures("tracing")
    assert not use()
    assert count_failures("tracing") == before + 1


FOREIGN: Sequence[bytes | None] = (
    None,
    b"",
    b"\xff\xfe1",
    b"1",
    b"00-\x00-01",
    b"x" * 1_000_000 + b"1",
    f"00-{'0' * 32}-{'0' * 16}-01".encode(),
    f"ff-{'ab' * 16}-{'cd' * 8}-ff".encode(),
    SAMPLED.upper().encode(),
)


@pytest.mark.parametrize("value", FOREIGN, ids=range(len(FOREIGN)))
def test_a_foreign_trace_context_is_read_without_an_error(value: bytes | None) -> None:
    before = count_failures("tracing")
    message = KafkaMessage(PACKAGES, 0, 1, b"\xff", [("ce_type", None), ("ce_id", b"\xff"), ("traceparent", value)])
    record_receive_spans([message], group="g", begun=1)
    with start_child_span(message.traceparent, "work", SpanKind.INTERNAL, {}) as span:
        assert span is not None
    with start_linked_span(message.traceparent, "work", SpanKind.INTERNAL, {}) as span:
        assert span is not None
    assert "\x00" not in message.traceparent
    assert len(message.traceparent) in {0, 55}
    assert count_failures("tracing") == before


@pytest.mark.parametrize("point", ["start", "end"])
def test_a_processor_that_fails_does_not_fail_the_spans_of_libraries(point: str) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(GuardedSpanProcessor(Broken(point)))
    before = count_failures("tracing")
    with provider.get_tracer("fastapi").start_as_current_span("GET /v1/offers") as span:
        assert span is not INVALID_SPAN
    assert count_failures("tracing") == before + 1


def test_the_provider_of_a_process_has_a_guarded_processor() -> None:
    provider = tracing.build_tracer_provider("sample", otlp_endpoint="no address", sample_ratio=1)
    active: object = vars(provider)["_active_span_processor"]
    processors = cast("Sequence[SpanProcessor]", vars(active)["_span_processors"])
    assert [type(each) for each in processors] == [GuardedSpanProcessor]


async def test_cancellation_passes_the_guard() -> None:
    with pytest.raises(asyncio.CancelledError), TRACING:
        raise asyncio.CancelledError


def test_a_metric_that_fails_is_left_out_and_counted() -> None:
    metrics = Metrics()
    metrics.relay.relayed.inc(3)
    metrics.registry.register(Unreadable())
    metrics.registry.register(Unprintable())
    before = count_failures("metrics")
    page = render_registry(metrics.registry).decode()
    assert "calloff_outbox_relayed_events_total 3.0" in page
    assert "calloff_unprintable" not in page
    assert count_failures("metrics") == before + 2
    assert (
        'calloff_telemetry_failures_total{error="RuntimeError",part="metrics"}'
        in render_registry(metrics.registry).decode()
    )


def test_a_metric_that_cannot_be_converted_is_left_out_of_the_export() -> None:
    registry = CollectorRegistry()
    odd = Metric("calloff_odd_seconds", "help", "histogram")
    odd.add_sample("calloff_odd_seconds_bucket", {}, 1)
    good = GaugeMetricFamily("calloff_good", "help", value=1)
    exported = as_otlp([odd, good, *registry.collect()], build_resource("sample"), since=1, now=2)
    assert [each.name for each in exported.resource_metrics[0].scope_metrics[0].metrics] == ["calloff_good"]


async def test_settings_that_opentelemetry_refuses_do_not_stop_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "1")
    log, receiver = CapturedLogs(), TelemetryEndpoint("http://127.0.0.1:1", 1.0, 60)

    async def refresh() -> None:
        return None

    async with export_telemetry("sample", receiver, registry=GuardedRegistry(), refresh=refresh, log=log):
        assert log.find_entries("telemetry not exported: check the OTEL_ variables")


class Closed(io.StringIO):
    """A stream whose reader has gone."""

    def write(self, _: str) -> int:
        raise BrokenPipeError


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_an_entry_that_nobody_reads_is_dropped_and_counted(level: str, stderr: Callable[[io.StringIO], None]) -> None:
    stderr(Closed())
    log, before = build_logger("sample", level="debug"), count_failures("logging")
    getattr(log, level)("entry", key="value")
    assert count_failures("logging") == before + 1


def test_an_entry_of_a_library_that_nobody_reads_is_dropped_and_counted(stderr: Callable[[io.StringIO], None]) -> None:
    stderr(Closed())
    build_logger("sample", level="info")
    before = count_failures("logging")
    logging.getLogger("aiokafka").error("message of %s", "a library")
    assert count_failures("logging") == before + 1


def test_foreign_text_is_logged_shortened_and_as_ascii(stderr: Callable[[io.StringIO], None]) -> None:
    written = io.StringIO()
    stderr(written)
    log = build_logger("sample", level="info")
    log.info("entry", odd="\ud800\x00\n", long="x" * 1_000_000, value=object())
    (line,) = written.getvalue().splitlines()
    entry = json.loads(line)
    assert (entry["odd"], len(entry["long"]), line.isascii()) == ("\ud800\x00\n", MAX_TEXT + 1, True)
