"""Parses OTLP's protobuf messages into spans and metric samples. Long names and values are truncated."""

from collections.abc import Iterable, Iterator
from typing import Final

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1 import trace_pb2

from devstack.telemetry.spans import Attributes, MetricSample, Span, SpanReference

MAX_TEXT_LENGTH: Final = 500
"""Characters of a name or a value."""
MAX_ATTRIBUTES: Final = 40
MAX_LINKS: Final = 20
_FAILED: Final = trace_pb2.Status.STATUS_CODE_ERROR


class InvalidOtlpMessage(ValueError):
    """The body is not a valid OTLP message."""


def parse_spans(body: bytes) -> list[Span]:
    """Skips spans without valid ids and instants. Raises InvalidOtlpMessage."""
    request = ExportTraceServiceRequest()
    _parse_message(request, body)
    return [
        _convert_span(span, _get_service_name(several.resource))
        for several in request.resource_spans
        for scope in several.scope_spans
        for span in scope.spans
        if len(span.trace_id) == 16 and len(span.span_id) == 8 and 0 < span.start_time_unix_nano < 2**63
    ]


def parse_samples(body: bytes) -> list[MetricSample]:
    """Raises InvalidOtlpMessage."""
    request = ExportMetricsServiceRequest()
    _parse_message(request, body)
    return [
        number
        for several in request.resource_metrics
        for scope in several.scope_metrics
        for metric in scope.metrics
        for number in _convert_metric(metric, _get_service_name(several.resource))
    ]


def _parse_message(request: ExportTraceServiceRequest | ExportMetricsServiceRequest, body: bytes) -> None:
    try:
        request.ParseFromString(body)
    except DecodeError as error:
        message = "the body is not a valid OTLP message"
        raise InvalidOtlpMessage(message) from error


def _get_service_name(resource: Resource) -> str:
    return str(_convert_attributes(resource.attributes).get("service.name", "unknown"))


def _convert_span(span: trace_pb2.Span, service: str) -> Span:
    attributes = _convert_attributes(span.attributes)
    failed = span.status.code == _FAILED
    return Span(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex() or None,
        service=service,
        name=span.name[:MAX_TEXT_LENGTH],
        began=span.start_time_unix_nano,
        ended=min(span.end_time_unix_nano, 2**63 - 1),
        error=str(attributes.get("error.type", "failed")) if failed else None,
        attributes=attributes,
        links=tuple(SpanReference(link.trace_id.hex(), link.span_id.hex()) for link in span.links[:MAX_LINKS]),
    )


def _convert_attributes(entries: Iterable[KeyValue]) -> Attributes:
    several = list(entries)[:MAX_ATTRIBUTES]
    return {each.key[:MAX_TEXT_LENGTH]: _convert_value(each.value) for each in several}


def _convert_value(value: AnyValue) -> str | int | float | bool:
    """Lists and maps become an empty text: no service of the stack exports any."""
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value[:MAX_TEXT_LENGTH]
        case "bool_value":
            return value.bool_value
        case "int_value":
            return value.int_value
        case "double_value":
            return value.double_value
        case _:
            return ""


def _convert_metric(metric: Metric, service: str) -> Iterator[MetricSample]:
    name = metric.name[:MAX_TEXT_LENGTH]
    for point in (*metric.gauge.data_points, *metric.sum.data_points):
        value = point.as_double if point.WhichOneof("value") == "as_double" else float(point.as_int)
        yield MetricSample(service, name, _convert_labels(point.attributes), value)
    for each in metric.histogram.data_points:
        yield MetricSample(service, name, _convert_labels(each.attributes), each.sum, each.count)


def _convert_labels(entries: Iterable[KeyValue]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, str(value)) for name, value in _convert_attributes(entries).items()))
