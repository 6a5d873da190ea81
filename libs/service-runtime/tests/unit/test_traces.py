"""Trace context travels as W3C text, through outbox, Kafka and timers; what nobody keeps is not made."""

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased
from opentelemetry.trace import INVALID_SPAN, SpanKind, StatusCode

from contracts.catalogue import PACKAGES, RATES
from service_runtime.observability import tracing as traces
from service_runtime.observability.tracing import (
    RootOrLinkedSampler,
    build_subject_attributes,
    format_traceparent,
    is_sampled,
    record_finished_span,
    start_child_span,
    start_linked_span,
)

KEPT = f"00-{'ab' * 16}-{'cd' * 8}-01"
NOT_KEPT = f"00-{'ab' * 16}-{'cd' * 8}-00"
INSIDE = SpanKind.INTERNAL


class Spans:
    """Spans that ended, by name."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    @property
    def names(self) -> list[str]:
        return [span.name for span in self._exporter.get_finished_spans()]

    def __getitem__(self, name: str) -> ReadableSpan:
        return next(span for span in self._exporter.get_finished_spans() if span.name == name)


@pytest.fixture(params=[1.0])
def spans(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Spans]:
    """A provider that keeps the share of what begins here that the test asks for."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(sampler=ParentBased(RootOrLinkedSampler(request.param)))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(traces, "get_tracer", lambda: provider.get_tracer("test"))
    yield Spans(exporter)
    provider.shutdown()


none_begin_here = pytest.mark.parametrize("spans", [0.0], indirect=True)


def test_what_follows_is_a_child_of_its_cause_and_linked_to_it(spans: Spans) -> None:
    with start_child_span(KEPT, "a handler", INSIDE, {}) as span:
        assert format_traceparent(span).startswith(f"00-{'ab' * 16}-")
    parent, (link,) = spans["a handler"].parent, spans["a handler"].links
    assert parent is not None
    assert f"{parent.span_id:016x}" == f"{link.context.span_id:016x}" == "cd" * 8


def test_what_happens_later_is_a_trace_of_its_own_linked_to_what_armed_it(spans: Spans) -> None:
    with start_child_span(KEPT, "a handler", INSIDE, {}), start_linked_span(KEPT, "a timer", INSIDE, {}):
        pass
    timer = spans["a timer"]
    assert timer.parent is None
    assert timer.context is not None
    assert f"{timer.context.trace_id:032x}" != "ab" * 16
    assert [f"{link.context.span_id:016x}" for link in timer.links] == ["cd" * 8]


def test_what_is_over_is_told_with_its_beginning_and_end(spans: Spans) -> None:
    record_finished_span(KEPT, "a send", INSIDE, {}, begun=1_000, ended=3_000, error="MessageSizeTooLargeError")
    sent = spans["a send"]
    assert (sent.start_time, sent.end_time, sent.status.status_code) == (1_000, 3_000, StatusCode.ERROR)
    assert dict(sent.attributes or {}) == {"error.type": "MessageSizeTooLargeError"}


def test_an_error_is_told_by_its_type_and_never_by_its_words(spans: Spans) -> None:
    with pytest.raises(ValueError, match="Quillfeather"), start_child_span(KEPT, "a handler", INSIDE, {}):
        raise ValueError("Quillfeather")
    failed = spans["a handler"]
    assert (failed.attributes or {})["error.type"] == "ValueError"
    assert "Quillfeather" not in failed.to_json()


def test_what_follows_from_what_nobody_keeps_is_not_made_and_passes_its_context_on(spans: Spans) -> None:
    with start_child_span(NOT_KEPT, "a handler", INSIDE, {}) as span:
        assert format_traceparent(span) == NOT_KEPT
    record_finished_span(NOT_KEPT, "a send", INSIDE, {}, begun=1, ended=2)
    assert spans.names == []


@none_begin_here
def test_a_timer_that_was_armed_in_a_trace_that_is_kept_is_kept_too(spans: Spans) -> None:
    for armed_by in (KEPT, NOT_KEPT, ""):
        with start_linked_span(armed_by, f"armed by {armed_by}", INSIDE, {}):
            pass
    assert spans.names == [f"armed by {KEPT}"]


def test_a_package_is_named_as_one_and_other_subjects_by_their_stream() -> None:
    assert build_subject_attributes(PACKAGES, "p") == {"calloff.package_id": "p"}
    assert build_subject_attributes(RATES, "r") == {"calloff.subject": "homecare.rates.v1/r"}


def test_where_nothing_is_traced_nothing_is_said() -> None:
    assert format_traceparent(INVALID_SPAN) == ""
    assert not is_sampled("")


@pytest.mark.parametrize("said", ["", "rubbish", "00-short-short-01", KEPT[:-1]])
def test_a_traceparent_that_nobody_can_read_stops_nothing(said: str, spans: Spans) -> None:
    with start_child_span(said, "a handler", INSIDE, {}):
        record_finished_span(said, "a send", INSIDE, {}, begun=1, ended=2)
    assert spans.names == ["a handler"]
