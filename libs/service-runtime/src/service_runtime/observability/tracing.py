"""Tracing: a trace covers what follows from one cause without waiting; outbox, Kafka and timers carry its context.

Only decisions and I/O get spans, and every span about a package carries `calloff.package_id`. Spans record errors by
type only: messages of errors can contain values. Spans that are not sampled cost next to nothing.
"""

import os
import socket
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, Sampler, SamplingResult, TraceIdRatioBased
from opentelemetry.trace import (
    INVALID_SPAN,
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    TraceState,
)
from opentelemetry.util.types import Attributes, AttributeValue

from contracts.telemetry import build_subject_attributes
from contracts.trace_context import TRACEPARENT
from service_runtime.observability.guard import TRACING

ERROR: Final = "error.type"
SpanAttributes = Mapping[str, AttributeValue]

_BATCH: Final = 128
"""Maximum number of spans per export; encoding them blocks other work for a moment."""
_EXPORT_INTERVAL_MS: Final = 2_000


def build_tracer_provider(service: str, *, otlp_endpoint: str, sample_ratio: float) -> TracerProvider:
    """Builds the tracer provider of one process; its spans are exported by OTLP/HTTP."""
    provider = TracerProvider(
        resource=build_resource(service), sampler=ParentBased(RootOrLinkedSampler(sample_ratio)), shutdown_on_exit=False
    )
    exporter = OTLPSpanExporter(endpoint=f"{otlp_endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(
        GuardedSpanProcessor(
            BatchSpanProcessor(exporter, max_export_batch_size=_BATCH, schedule_delay_millis=_EXPORT_INTERVAL_MS)
        )
    )
    return provider


class GuardedSpanProcessor(SpanProcessor):
    """Passes spans on. FastAPI starts and ends spans of requests, and must not fail for those that are passed on."""

    def __init__(self, processor: SpanProcessor) -> None:
        self._processor = processor

    @TRACING
    def on_start(self, span: SdkSpan, parent_context: Context | None = None) -> None:
        self._processor.on_start(span, parent_context)

    @TRACING
    def on_end(self, span: ReadableSpan) -> None:
        self._processor.on_end(span)

    @TRACING
    def shutdown(self) -> None:
        self._processor.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._processor.force_flush(timeout_millis)


def build_resource(service: str) -> Resource:
    """Builds the OpenTelemetry resource that identifies this process among the replicas of the service.

    Prometheus derives its label `instance` from `service.instance.id`; without it, replicas overwrite each other.
    """
    instance = f"{socket.gethostname()}:{os.getpid()}"
    return Resource.create({"service.name": service, "service.namespace": "calloff", "service.instance.id": instance})


class RootOrLinkedSampler(Sampler):
    """Samples a share of new root traces, and every trace that is linked to a sampled one."""

    def __init__(self, ratio: float) -> None:
        self._share = TraceIdRatioBased(ratio)
        self._all = TraceIdRatioBased(1.0)

    def should_sample(  # noqa: PLR0917  the SDK passes arguments by position
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        is_linked = any(link.context.trace_flags.sampled for link in links or ())
        sampler = self._all if is_linked else self._share
        return sampler.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)

    def get_description(self) -> str:
        return f"BegunOrLinked{{{self._share.rate}}}"


@cache
def get_tracer() -> Tracer:
    """Returns the process's tracer, cached because looking it up is slow; valid before the provider is set."""
    return trace.get_tracer("calloff")


def format_traceparent(span: Span) -> str:
    """Formats the W3C trace context of `span`; an empty string if the span is not part of a trace."""
    with TRACING:
        context = span.get_span_context()
        if context.is_valid:
            return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"
    return ""


def is_sampled(traceparent: str) -> bool:
    """True if the span that `traceparent` names is sampled; its child spans are then sampled too."""
    return traceparent[-1:] in {"1", "3"}


@TRACING
def set_attributes(span: Span, attributes: SpanAttributes) -> None:
    """Sets attributes of a span that runs."""
    span.set_attributes(attributes)


@TRACING
def set_subject(topic: str, key: str) -> None:
    """Records the stream of `key` on the current span; for routes whose path does not contain the key."""
    trace.get_current_span().set_attributes(build_subject_attributes(topic, key))


@contextmanager
def start_child_span(traceparent: str, name: str, kind: SpanKind, attributes: SpanAttributes) -> Generator[Span]:
    """Starts a child of the span that `traceparent` names, with a link to it: for work that follows without a wait."""
    cause = _parse_traceparent(traceparent)
    if cause is not None and not cause.trace_flags.sampled:
        yield NonRecordingSpan(cause)
        return
    with _record_errors(_start_span(name, _build_parent_context(cause), kind, attributes, _build_links(cause))) as span:
        yield span


@contextmanager
def start_linked_span(
    traceparent: str, name: str, kind: SpanKind, attributes: SpanAttributes, *, parent: Context | None = None
) -> Generator[Span]:
    """Starts a new trace that is linked to the span that `traceparent` names: for work that follows after a wait."""
    links = _build_links(_parse_traceparent(traceparent))
    with _record_errors(_start_span(name, parent or Context(), kind, attributes, links)) as span:
        yield span


def _start_span(name: str, parent: Context, kind: SpanKind, attributes: SpanAttributes, links: Sequence[Link]) -> Span:
    """Starts a span; a span that records nothing if that fails."""
    with TRACING:
        return get_tracer().start_span(name, parent, kind, attributes, links)
    return INVALID_SPAN


@TRACING
def record_finished_span(
    traceparent: str,
    name: str,
    kind: SpanKind,
    attributes: SpanAttributes,
    *,
    begun: int,
    ended: int,
    error: str | None = None,
) -> None:
    """Records a finished child of the span that `traceparent` names, if that one is sampled.

    `begun` and `ended` are in nanoseconds since 1970.
    """
    cause = _parse_traceparent(traceparent)
    if cause is None or not cause.trace_flags.sampled:
        return
    span = get_tracer().start_span(
        name, _build_parent_context(cause), kind, attributes, _build_links(cause), start_time=begun
    )
    if error is not None:
        mark_failed(span, error)
    span.end(ended)


@TRACING
def mark_failed(span: Span, because: str) -> None:
    """Sets the error status of `span`; `because` is an error type or a fixed text, never a message with values."""
    span.set_attribute(ERROR, because)
    span.set_status(Status(StatusCode.ERROR))


@contextmanager
def _record_errors(span: Span) -> Generator[Span]:
    with trace.use_span(span, end_on_exit=False, record_exception=False, set_status_on_exception=False):
        try:
            yield span
        except Exception as error:
            mark_failed(span, type(error).__name__)
            raise
        finally:
            with TRACING:
                span.end()


def _parse_traceparent(traceparent: str) -> SpanContext | None:
    match = TRACEPARENT.fullmatch(traceparent)
    if match is None:
        return None
    trace_id, span_id, flags = match.groups()
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))


def _build_parent_context(cause: SpanContext | None) -> Context:
    return Context() if cause is None else trace.set_span_in_context(NonRecordingSpan(cause), Context())


def _build_links(cause: SpanContext | None) -> Sequence[Link]:
    return () if cause is None else (Link(cause),)
