"""`calloff trace` and `metrics` of an installation read Tempo and `/metrics`, and draw what the archive's would."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1 import trace_pb2
from typer.testing import Result

from devstack.config import SERVICES
from devstack.home import HOME_VARIABLE, Home
from devstack.names import INSTALLATION_VARIABLE
from devstack.telemetry.archive import TelemetryArchive
from devstack.telemetry.spans import Span, SpanReference
from service_runtime.observability.metrics import Metrics
from service_runtime.observability.registry import render_registry

PACKAGE = "0197a3c0-0000-7000-8000-000000000001"
NINE = 1_772_442_000_000_000_000
REQUEST, EXPIRY = "0a" * 16, "0b" * 16

Run = Callable[..., Result]


class FakeServices(Protocol):
    """The fixture of conftest."""

    url: str
    answers: dict[str, tuple[int, object]]
    headers: list[dict[str, str]]
    requests: list[tuple[str, str]]


def a_span(trace: str, span: str, name: str, *, at: int, **more: object) -> Span:
    fields: dict[str, object] = {"service": "sourcing", "parent_id": None, **more}
    attributes: dict[str, str | int | float | bool] = {"calloff.package_id": PACKAGE, "retries": 2, "urgent": True}
    # Each keyword of `more` is a field of Span with a value of its type.
    return Span(trace, span * 8, name=name, began=NINE + at, ended=NINE + at + 5, attributes=attributes, **fields)  # pyright: ignore[reportArgumentType]


STORY = (
    a_span(REQUEST, "01", "POST /v1/referrals", at=0, service="referral"),
    a_span(REQUEST, "02", "process homecare.packages.v1", at=9, parent_id="01" * 8),
    a_span(EXPIRY, "03", "timer offer expires", at=999, links=(SpanReference(REQUEST, "02" * 8),), error="status 500"),
)


def encode_trace(spans: Sequence[Span]) -> bytes:
    """The bytes of one trace as Tempo answers them: its message equals OTLP's request on the wire."""
    message = ExportTraceServiceRequest()
    for span in spans:
        resource = message.resource_spans.add()
        resource.resource.attributes.add(key="service.name").value.string_value = span.service
        resource.scope_spans.add().spans.append(_convert_span(span))
    return message.SerializeToString()


def _convert_span(span: Span) -> trace_pb2.Span:
    converted = trace_pb2.Span(
        trace_id=bytes.fromhex(span.trace_id),
        span_id=bytes.fromhex(span.span_id),
        parent_span_id=bytes.fromhex(span.parent_id or ""),
        name=span.name,
        start_time_unix_nano=span.began,
        end_time_unix_nano=span.ended,
    )
    for name, value in span.attributes.items():
        kind = {bool: "bool_value", int: "int_value", float: "double_value", str: "string_value"}[type(value)]
        setattr(converted.attributes.add(key=name).value, kind, value)
    for link in span.links:
        converted.links.add(trace_id=bytes.fromhex(link.trace_id), span_id=bytes.fromhex(link.span_id))
    if span.error is not None:
        converted.status.code = trace_pb2.Status.STATUS_CODE_ERROR
        converted.attributes.add(key="error.type").value.string_value = span.error
    return converted


@pytest.fixture
def installation(services: FakeServices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation of the fake services, whose Tempo is there, too."""
    file = tmp_path / "installation.json"
    urls = {service.name: f"{services.url}/{service.name}" for service in SERVICES}
    file.write_text(json.dumps({"urls": urls, "traces_url": f"{services.url}/tempo"}))
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    monkeypatch.setenv(INSTALLATION_VARIABLE, str(file))
    return file


def answer_as_tempo(services: FakeServices) -> None:
    traces = {trace: [span for span in STORY if span.trace_id == trace] for trace in (EXPIRY, REQUEST)}
    found = [
        {"traceID": trace.lstrip("0"), "rootServiceName": "referral", "startTimeUnixNano": "1", "durationMs": 1}
        for trace in traces
    ]
    services.answers["tempo/api/search"] = (200, {"traces": found, "metrics": {"inspectedBytes": "630188"}})
    for trace, spans in traces.items():
        services.answers[f"tempo/api/traces/{trace.lstrip('0')}"] = (200, encode_trace(spans))


def test_a_package_is_drawn_from_tempo_as_from_the_archive(
    installation: Path, services: FakeServices, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_as_tempo(services)
    from_tempo = run("trace", PACKAGE)
    as_json = json.loads(run("trace", PACKAGE, "--json").stdout)
    TelemetryArchive(Home(tmp_path).telemetry_file).store_spans(STORY)
    monkeypatch.delenv(INSTALLATION_VARIABLE)
    assert from_tempo.exit_code == 0
    assert "timer offer expires" in from_tempo.output
    assert from_tempo.output == run("trace", PACKAGE).output
    bursts = json.loads(run("trace", PACKAGE, "--json").stdout)["bursts"]
    assert [each["trace_id"] for each in as_json["bursts"]] == [each["trace_id"] for each in bursts]


def test_tempo_is_asked_for_the_package_of_the_last_week_without_a_token(
    installation: Path, services: FakeServices, run: Run
) -> None:
    answer_as_tempo(services)
    run("trace", PACKAGE)
    search = parse_qs(services.requests[0][1].partition("?")[2])
    assert search["q"] == [f'{{ span.calloff.package_id = "{PACKAGE}" }}']
    assert 0 < int(search["end"][0]) - int(search["start"][0]) <= 168 * 3600
    assert services.headers[1]["Accept"] == "application/protobuf"
    assert not [headers for headers in services.headers if "Authorization" in headers]


def test_a_missing_trace_a_missing_address_and_another_server_are_named(
    installation: Path, services: FakeServices, run: Run
) -> None:
    services.answers["tempo/api/search"] = (200, {"metrics": {}})
    assert "Tempo holds no trace of package" in run("trace", PACKAGE).output
    services.answers["tempo/api/search"] = (200, ["something else"])
    assert "is not the address of Grafana Tempo" in run("trace", PACKAGE).output
    installation.write_text(json.dumps({**json.loads(installation.read_text()), "traces_url": None}))
    assert "the installation file has no traces_url" in run("trace", PACKAGE).output


def test_metrics_are_read_from_each_service_and_the_process_that_answers_is_named(
    installation: Path, services: FakeServices, run: Run
) -> None:
    metrics = Metrics()
    metrics.consumer.handled.labels("calloff.OfferMade.v1").inc(7)
    metrics.consumer.took.observe(0.25)
    metrics.consumer.took.observe(0.75)
    services.answers["sourcing/metrics"] = (200, render_registry(metrics.registry))
    result = run("metrics", "event", "--json")
    found = {sample["name"]: sample for sample in json.loads(result.stdout)}
    assert found["calloff_handled_events_total"]["labels"] == {"type": "calloff.OfferMade.v1"}
    assert found["calloff_handled_events_total"]["value"] == 7
    took = found["calloff_event_handling_seconds"]
    assert (took["value"], took["count"], took["service"]) == (1.0, 2, "sourcing")
    assert "sourcing: process " in result.stderr
    assert "answered; others may run beside it" in result.stderr
    assert "pricing: 404: nothing is here" in result.stderr


def test_what_is_no_metrics_page_is_named(installation: Path, services: FakeServices, run: Run) -> None:
    services.answers["/metrics"] = (200, b"<html>{")
    assert "audit: the text is not in Prometheus' format" in run("metrics").stderr
