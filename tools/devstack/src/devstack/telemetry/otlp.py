"""Reads OTLP's protobuf messages, and takes from them what is kept. What is too long for anybody to read is cut."""

from collections.abc import Iterable, Iterator
from typing import Final

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1 import trace_pb2

from devstack.telemetry.spans import Attributes, Number, Span, SpanName

LONGEST: Final = 500
"""Characters of a name or a value."""
MOST_ATTRIBUTES: Final = 40
MOST_LINKS: Final = 20
_FAILED: Final = trace_pb2.Status.STATUS_CODE_ERROR


class Malformed(ValueError):
    """No message of OTLP's."""


def spans_in(body: bytes) -> list[Span]:
    """Raises Malformed. What has no proper ids or instants is left out."""
    request = ExportTraceServiceRequest()
    _parse(request, body)
    return [
        _span(span, _service(several.resource))
        for several in request.resource_spans
        for scope in several.scope_spans
        for span in scope.spans
        if len(span.trace_id) == 16 and len(span.span_id) == 8 and 0 < span.start_time_unix_nano < 2**63
    ]


def numbers_in(body: bytes) -> list[Number]:
    """Raises Malformed."""
    request = ExportMetricsServiceRequest()
    _parse(request, body)
    return [
        number
        for several in request.resource_metrics
        for scope in several.scope_metrics
        for metric in scope.metrics
        for number in _numbers(metric, _service(several.resource))
    ]


def _parse(request: ExportTraceServiceRequest | ExportMetricsServiceRequest, body: bytes) -> None:
    try:
        request.ParseFromString(body)
    except DecodeError as error:
        message = "this is no message of OTLP's"
        raise Malformed(message) from error


def _service(resource: Resource) -> str:
    return str(_attributes(resource.attributes).get("service.name", "unknown"))


def _span(span: trace_pb2.Span, service: str) -> Span:
    attributes = _attributes(span.attributes)
    failed = span.status.code == _FAILED
    return Span(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex() or None,
        service=service,
        name=span.name[:LONGEST],
        began=span.start_time_unix_nano,
        ended=min(span.end_time_unix_nano, 2**63 - 1),
        error=str(attributes.get("error.type", "failed")) if failed else None,
        attributes=attributes,
        links=tuple(SpanName(link.trace_id.hex(), link.span_id.hex()) for link in span.links[:MOST_LINKS]),
    )


def _attributes(said: Iterable[KeyValue]) -> Attributes:
    several = list(said)[:MOST_ATTRIBUTES]
    return {each.key[:LONGEST]: _value(each.value) for each in several}


def _value(value: AnyValue) -> str | int | float | bool:
    """Lists and maps are not kept: none of ours has any."""
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value[:LONGEST]
        case "bool_value":
            return value.bool_value
        case "int_value":
            return value.int_value
        case "double_value":
            return value.double_value
        case _:
            return ""


def _numbers(metric: Metric, service: str) -> Iterator[Number]:
    name = metric.name[:LONGEST]
    for point in (*metric.gauge.data_points, *metric.sum.data_points):
        value = point.as_double if point.WhichOneof("value") == "as_double" else float(point.as_int)
        yield Number(service, name, _labels(point.attributes), value)
    for each in metric.histogram.data_points:
        yield Number(service, name, _labels(each.attributes), each.sum, each.count)


def _labels(said: Iterable[KeyValue]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, str(value)) for name, value in _attributes(said).items()))
