"""Traces: one causal burst a trace, its context carried through outbox, Kafka and timers.

Spans are made for decisions and I/O only, and every span about a package carries `calloff.package_id`. What fails is
told by its type alone: messages of errors can carry values. A span that nobody keeps costs next to nothing.
"""

import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Final
from uuid import UUID

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, Sampler, SamplingResult, TraceIdRatioBased
from opentelemetry.trace import (
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

from contracts.catalogue import PACKAGES

PACKAGE: Final = "calloff.package_id"
SUBJECT: Final = "calloff.subject"
ERROR: Final = "error.type"
SpanAttributes = Mapping[str, AttributeValue]

_TRACEPARENT: Final = re.compile("[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_BATCH: Final = 128
"""Spans to an export: encoding them holds everything else up for a moment."""
_EVERY_MS: Final = 2_000


def build_tracer_provider(service: str, *, otlp_endpoint: str, sample_ratio: float) -> TracerProvider:
    """A tracer provider for one process, whose spans leave by OTLP/HTTP."""
    provider = TracerProvider(
        resource=build_resource(service), sampler=ParentBased(RootOrLinkedSampler(sample_ratio)), shutdown_on_exit=False
    )
    exporter = OTLPSpanExporter(endpoint=f"{otlp_endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(
        BatchSpanProcessor(exporter, max_export_batch_size=_BATCH, schedule_delay_millis=_EVERY_MS)
    )
    return provider


def build_resource(service: str) -> Resource:
    """Which process tells."""
    return Resource.create({"service.name": service, "service.namespace": "calloff"})


class RootOrLinkedSampler(Sampler):
    """A share of the traces that begin here; what was armed by one that is kept is kept too."""

    def __init__(self, ratio: float) -> None:
        self._share = TraceIdRatioBased(ratio)
        self._all = TraceIdRatioBased(1.0)

    def should_sample(  # noqa: PLR0917  the SDK calls it by position
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
        chosen = self._all if is_linked else self._share
        return chosen.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)

    def get_description(self) -> str:
        return f"BegunOrLinked{{{self._share.rate}}}"


@cache
def get_tracer() -> Tracer:
    """The tracer of whichever provider the process sets, before or after; asking for one anew each time is dear."""
    return trace.get_tracer("calloff")


def format_traceparent(span: Span) -> str:
    """W3C trace context of `span`; empty where nothing is traced."""
    context = span.get_span_context()
    if not context.is_valid:
        return ""
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


def is_sampled(traceparent: str) -> bool:
    """Whether the span that `traceparent` names is recorded, and what follows from it is to be."""
    return traceparent[-1:] in {"1", "3"}


def build_subject_attributes(topic: str, key: str) -> dict[str, AttributeValue]:
    """What a span about the stream of `key` carries: the package, or else the stream's name."""
    return {PACKAGE: key} if topic == PACKAGES else {SUBJECT: f"{topic}/{key}"}


def set_package(package_id: UUID) -> None:
    """The request in hand is about this package; for routes whose path does not say so."""
    trace.get_current_span().set_attribute(PACKAGE, str(package_id))


@contextmanager
def start_child_span(traceparent: str, name: str, kind: SpanKind, attributes: SpanAttributes) -> Generator[Span]:
    """What follows from the span that `traceparent` names without waiting: its child, linked to it as well."""
    cause = _parse_traceparent(traceparent)
    if cause is not None and not cause.trace_flags.sampled:
        yield NonRecordingSpan(cause)
        return
    with _record_errors(
        get_tracer().start_span(name, _build_parent_context(cause), kind, attributes, _build_links(cause))
    ) as span:
        yield span


@contextmanager
def start_linked_span(
    traceparent: str, name: str, kind: SpanKind, attributes: SpanAttributes, *, parent: Context | None = None
) -> Generator[Span]:
    """What happens after a wait: a trace of its own, linked to the span that brought it about."""
    links = _build_links(_parse_traceparent(traceparent))
    with _record_errors(get_tracer().start_span(name, parent or Context(), kind, attributes, links)) as span:
        yield span


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
    """What followed from `traceparent` and is over: from `begun` to `ended`, in nanoseconds since 1970."""
    cause = _parse_traceparent(traceparent)
    if cause is None or not cause.trace_flags.sampled:
        return
    span = get_tracer().start_span(
        name, _build_parent_context(cause), kind, attributes, _build_links(cause), start_time=begun
    )
    if error is not None:
        mark_failed(span, error)
    span.end(ended)


def mark_failed(span: Span, because: str) -> None:
    """Says on `span` that what it covers failed, in closed words."""
    span.set_attribute(ERROR, because)
    span.set_status(Status(StatusCode.ERROR))


@contextmanager
def _record_errors(span: Span) -> Generator[Span]:
    with trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        try:
            yield span
        except Exception as error:
            mark_failed(span, type(error).__name__)
            raise


def _parse_traceparent(traceparent: str) -> SpanContext | None:
    found = _TRACEPARENT.fullmatch(traceparent)
    if found is None:
        return None
    trace_id, span_id, flags = found.groups()
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))


def _build_parent_context(cause: SpanContext | None) -> Context:
    return Context() if cause is None else trace.set_span_in_context(NonRecordingSpan(cause), Context())


def _build_links(cause: SpanContext | None) -> Sequence[Link]:
    return () if cause is None else (Link(cause),)
