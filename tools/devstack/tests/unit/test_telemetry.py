"""The stack's own OTLP receiver: keeps what services tell, refuses what is none, and never grows beyond its bounds."""

import gzip
import io
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest
from aiohttp.test_utils import BaseTestServer, TestServer
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanKind, Status, StatusCode, set_span_in_context

from devstack.telemetry.archive import TelemetryArchive, load_package_spans, load_samples
from devstack.telemetry.receiver import MAX_BODY_BYTES, PROTOBUF_CONTENT_TYPE, build_receiver_app
from devstack.telemetry.spans import MetricSample, Span

ALL = 1_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "telemetry" / "telemetry.sqlite"


class Receiver:
    def __init__(self, server: BaseTestServer, session: aiohttp.ClientSession) -> None:
        self._server = server
        self._session = session

    async def post(self, path: str, body: bytes, *, kind: str = PROTOBUF_CONTENT_TYPE, **headers: str) -> int:
        sent = {"Content-Type": kind, **headers}
        async with self._session.post(self._server.make_url(path), data=io.BytesIO(body), headers=sent) as answer:
            return answer.status


@pytest.fixture
async def receiver(file: Path) -> AsyncIterator[Receiver]:
    archive = TelemetryArchive(file)
    async with TestServer(build_receiver_app(archive)) as server, aiohttp.ClientSession() as session:
        yield Receiver(server, session)
    archive.close()


def some_spans(package: str) -> Sequence[ReadableSpan]:
    """A request, what followed from it and failed, and what came of it later."""
    exporter, provider = InMemorySpanExporter(), TracerProvider(resource=Resource({"service.name": "sourcing"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer, attributes = provider.get_tracer("test"), {"calloff.package_id": package}
    request = tracer.start_span("POST /v1/offers/{offer_id}/decline", kind=SpanKind.SERVER, attributes=attributes)
    failed = tracer.start_span("webhook offer.made", set_span_in_context(request), attributes=attributes)
    failed.set_attribute("error.type", "status 500")
    failed.set_status(Status(StatusCode.ERROR))
    failed.end()
    request.end()
    tracer.start_span("timer offer expires", links=[Link(request.get_span_context())], attributes=attributes).end()
    provider.shutdown()
    return exporter.get_finished_spans()


def encode(spans: Sequence[ReadableSpan]) -> bytes:
    return encode_spans(spans).SerializeToString()


async def test_exported_spans_are_stored_and_found_by_package(receiver: Receiver, file: Path) -> None:
    package = str(uuid4())
    assert await receiver.post("/v1/traces", encode(some_spans(package))) == 200
    request, failed, timer = load_package_spans(file, package, limit=ALL)
    assert (request.service, request.name, request.parent_id) == (
        "sourcing",
        "POST /v1/offers/{offer_id}/decline",
        None,
    )
    assert (failed.parent_id, failed.error, failed.trace_id) == (request.span_id, "status 500", request.trace_id)
    assert [(link.trace_id, link.span_id) for link in timer.links] == [(request.trace_id, request.span_id)]
    assert request.ended >= failed.ended > 0
    assert load_package_spans(file, str(uuid4()), limit=ALL) == []


async def test_a_repeated_span_is_stored_once(receiver: Receiver, file: Path) -> None:
    package = str(uuid4())
    body = encode(some_spans(package))
    assert [await receiver.post("/v1/traces", body) for _ in range(2)] == [200, 200]
    assert len(load_package_spans(file, package, limit=ALL)) == 3


async def test_packed_bodies_are_read(receiver: Receiver, file: Path) -> None:
    package = str(uuid4())
    packed = gzip.compress(encode(some_spans(package)))
    assert await receiver.post("/v1/traces", packed, **{"Content-Encoding": "gzip"}) == 200
    assert len(load_package_spans(file, package, limit=ALL)) == 3


@pytest.mark.parametrize("path", ["/v1/traces", "/v1/metrics"])
async def test_a_request_that_is_not_otlp_is_refused(receiver: Receiver, path: str) -> None:
    assert await receiver.post(path, b"\xff\xff\xff not a message") == 400
    assert await receiver.post(path, b"{}", kind="application/json") == 415
    assert await receiver.post(path, b"x" * (MAX_BODY_BYTES + 1)) == 413
    bomb = gzip.compress(b"\x00" * (MAX_BODY_BYTES + 1))
    assert await receiver.post(path, bomb, **{"Content-Encoding": "gzip"}) == 413


async def test_a_body_that_does_not_match_its_content_encoding_is_refused(receiver: Receiver) -> None:
    assert await receiver.post("/v1/traces", b"no gzip", **{"Content-Encoding": "gzip"}) == 400


async def test_an_empty_export_is_accepted(receiver: Receiver) -> None:
    assert await receiver.post("/v1/traces", b"") == 200


async def test_spans_with_invalid_ids_are_dropped_and_long_values_are_truncated(receiver: Receiver, file: Path) -> None:
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    spans.add(trace_id=b"short", span_id=b"s", name="odd", start_time_unix_nano=1)
    good = spans.add(trace_id=b"t" * 16, span_id=b"s" * 8, name="n" * 9_999, start_time_unix_nano=1)
    good.attributes.add(key="calloff.package_id").value.string_value = "p"
    good.attributes.add(key="long").value.string_value = "v" * 9_999
    good.attributes.add(key="list").value.array_value.values.add().string_value = "one"
    assert await receiver.post("/v1/traces", request.SerializeToString()) == 200
    (span,) = load_package_spans(file, "p", limit=ALL)
    assert (len(span.name), len(str(span.attributes["long"])), span.attributes["list"]) == (500, 500, "")
    assert span.service == "unknown"


async def test_only_the_newest_value_of_each_metric_is_stored(receiver: Receiver, file: Path) -> None:
    for value in (3.0, 5.0):
        request = ExportMetricsServiceRequest()
        several = request.resource_metrics.add()
        several.resource.attributes.add(key="service.name").value.string_value = "audit"
        metrics = several.scope_metrics.add().metrics
        point = metrics.add(name="calloff_consumer_lag").gauge.data_points.add(as_double=value)
        point.attributes.add(key="topic").value.string_value = "homecare.packages.v1"
        metrics.add(name="calloff_event_handling_seconds").histogram.data_points.add(count=2, sum=value)
        assert await receiver.post("/v1/metrics", request.SerializeToString()) == 200
    assert load_samples(file) == [
        MetricSample("audit", "calloff_consumer_lag", (("topic", "homecare.packages.v1"),), 5.0),
        MetricSample("audit", "calloff_event_handling_seconds", (), 5.0, 2),
    ]


def a_span(number: int) -> Span:
    return Span(f"{number:032x}", f"{number:016x}", None, "s", "n", 1, 2, attributes={"calloff.package_id": "p"})


def test_the_oldest_spans_are_deleted_first(file: Path) -> None:
    archive = TelemetryArchive(file, max_spans=3_000)
    for begin in range(0, 10_000, 1_000):
        archive.store_spans([a_span(number) for number in range(begin, begin + 1_000)])
    archive.close()
    numbers = [int(span.span_id, 16) for span in load_package_spans(file, "p", limit=100_000)]
    assert len(numbers) <= 5_000
    assert max(numbers) == 9_999


def test_spans_beyond_the_retention_period_are_deleted(file: Path) -> None:
    archive = TelemetryArchive(file, retention_seconds=0.05)
    archive.store_spans([a_span(1)])
    time.sleep(0.1)
    archive.store_spans([a_span(number) for number in range(2, 2_002)])
    archive.close()
    numbers = {int(span.span_id, 16) for span in load_package_spans(file, "p", limit=100_000)}
    assert 1 not in numbers
    assert len(numbers) == 2_000


def test_stored_spans_survive_a_crash(file: Path) -> None:
    crashed = TelemetryArchive(file)
    crashed.store_spans([a_span(1)])
    again = TelemetryArchive(file)
    again.store_spans([a_span(2)])
    assert len(load_package_spans(file, "p", limit=ALL)) == 2
    again.close()
    crashed.close()
