"""Tracing: the trace context is W3C text; spans that are not sampled are not created."""

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased
from opentelemetry.trace import INVALID_SPAN, SpanKind, StatusCode

from contracts.catalogue import PACKAGES, RATES
from contracts.telemetry import build_subject_attributes
from service_runtime.observability import tracing as tracing
from service_runtime.observability.tracing import (
    RootOrLinkedSampler,
    format_traceparent,
    is_sampled,
    record_finished_span,
    start_child_span,
    start_linked_span,
)

SAMPLED = f"00-{'ab' * 16}-{'cd' * 8}-01"
NOT_SAMPLED = f"00-{'ab' * 16}-{'cd' * 8}-00"
INSIDE = SpanKind.INTERNAL


class Spans:
    """Finished spans, by name."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    @property
    def names(self) -> list[str]:
        return [span.name for span in self._exporter.get_finished_spans()]

    def __getitem__(self, name: str) -> ReadableSpan:
        return next(span for span in self._exporter.get_finished_spans() if span.name == name)


@pytest.fixture(params=[1.0])
def spans(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Spans]:
    """A provider that samples the share of new traces that the test asks for."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(sampler=ParentBased(RootOrLinkedSampler(request.param)))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "get_tracer", lambda: provider.get_tracer("test"))
    yield Spans(exporter)
    provider.shutdown()


without_new_traces = pytest.mark.parametrize("spans", [0.0], indirect=True)


def test_a_child_span_has_its_cause_as_parent_and_as_link(spans: Spans) -> None:
    with start_child_span(SAMPLED, "a handler", INSIDE, {}) as span:
        assert format_traceparent(span).startswith(f"00-{'ab' * 16}-")
    parent, (link,) = spans["a handler"].parent, spans["a handler"].links
    assert parent is not None
    assert f"{parent.span_id:016x}" == f"{link.context.span_id:016x}" == "cd" * 8


def test_a_timer_starts_a_new_trace_linked_to_the_span_that_scheduled_it(spans: Spans) -> None:
    with start_child_span(SAMPLED, "a handler", INSIDE, {}), start_linked_span(SAMPLED, "a timer", INSIDE, {}):
        pass
    timer = spans["a timer"]
    assert timer.parent is None
    assert timer.context is not None
    assert f"{timer.context.trace_id:032x}" != "ab" * 16
    assert [f"{link.context.span_id:016x}" for link in timer.links] == ["cd" * 8]


def test_a_finished_span_is_recorded_with_its_start_and_end(spans: Spans) -> None:
    record_finished_span(SAMPLED, "a send", INSIDE, {}, begun=1_000, ended=3_000, error="MessageSizeTooLargeError")
    sent = spans["a send"]
    assert (sent.start_time, sent.end_time, sent.status.status_code) == (1_000, 3_000, StatusCode.ERROR)
    assert dict(sent.attributes or {}) == {"error.type": "MessageSizeTooLargeError"}


def test_an_error_is_recorded_by_its_type_and_not_by_its_text(spans: Spans) -> None:
    with pytest.raises(ValueError, match="Quillfeather"), start_child_span(SAMPLED, "a handler", INSIDE, {}):
        raise ValueError("Quillfeather")
    failed = spans["a handler"]
    assert (failed.attributes or {})["error.type"] == "ValueError"
    assert "Quillfeather" not in failed.to_json()


def test_no_span_is_created_in_an_unsampled_trace_and_its_context_is_passed_on(spans: Spans) -> None:
    with start_child_span(NOT_SAMPLED, "a handler", INSIDE, {}) as span:
        assert format_traceparent(span) == NOT_SAMPLED
    record_finished_span(NOT_SAMPLED, "a send", INSIDE, {}, begun=1, ended=2)
    assert spans.names == []


@without_new_traces
def test_a_timer_scheduled_in_a_sampled_trace_is_sampled_too(spans: Spans) -> None:
    for armed_by in (SAMPLED, NOT_SAMPLED, ""):
        with start_linked_span(armed_by, f"armed by {armed_by}", INSIDE, {}):
            pass
    assert spans.names == [f"armed by {SAMPLED}"]


def test_a_package_has_its_own_attribute_and_other_subjects_have_their_stream() -> None:
    assert build_subject_attributes(PACKAGES, "p") == {"calloff.package_id": "p"}
    assert build_subject_attributes(RATES, "r") == {"calloff.subject": "homecare.rates.v1/r"}


def test_an_invalid_span_has_no_traceparent() -> None:
    assert format_traceparent(INVALID_SPAN) == ""
    assert not is_sampled("")


@pytest.mark.parametrize("traceparent", ["", "rubbish", "00-short-short-01", SAMPLED[:-1]])
def test_an_unreadable_traceparent_starts_a_new_trace(traceparent: str, spans: Spans) -> None:
    with start_child_span(traceparent, "a handler", INSIDE, {}):
        record_finished_span(traceparent, "a send", INSIDE, {}, begun=1, ended=2)
    assert spans.names == ["a handler"]
