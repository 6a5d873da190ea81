"""`calloff trace` draws a package's bursts so that a person sees who waited for whom, however narrow the terminal."""

import json
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from typer.testing import CliRunner, Result

from calloff.commands.__main__ import app
from calloff.commands.output import out
from devstack.home import HOME_VARIABLE, Home
from devstack.telemetry.archive import TelemetryArchive
from devstack.telemetry.bursts import group_into_bursts
from devstack.telemetry.spans import MetricSample, Span, SpanReference
from devstack.telemetry.waterfall import format_duration

MS = 1_000_000
NINE = 1_772_442_000_000 * MS
PACKAGE = UUID("0197a3c0-0000-7000-8000-000000000001")
REQUEST, EXPIRY = "a" * 32, "b" * 32


def a_span(trace: str, name: str, *, at: int, took: int = 1, below: str | None = None, **more: object) -> Span:
    """A span of `PACKAGE` with an id derived from its name; instants in milliseconds after nine."""
    fields: dict[str, object] = {
        "service": "sourcing",
        "attributes": {"calloff.package_id": str(PACKAGE)},
        **more,
    }
    begins = NINE + at * MS
    span_id, parent_id, ends = build_span_id(name), below and build_span_id(below), begins + took * MS
    # Each keyword of `more` is a field of Span with a value of its type.
    return Span(trace, span_id, parent_id, name=name, began=begins, ended=ends, **fields)  # pyright: ignore[reportArgumentType]


def build_span_id(name: str) -> str:
    return name.encode().hex()[:16].ljust(16, "0")


def a_story() -> list[Span]:
    """A referral is offered; half an hour later the offer has expired, and the next webhook fails."""
    offered = {"calloff.package_id": str(PACKAGE), "calloff.event": "calloff.OfferMade.v1"}
    return [
        a_span(REQUEST, "POST /v1/referrals", at=0, took=12, service="referral"),
        a_span(REQUEST, "process homecare.packages.v1", at=14, took=9, below="POST /v1/referrals", attributes=offered),
        a_span(
            EXPIRY,
            "timer offer expires",
            at=1_800_000,
            took=8,
            links=(SpanReference(REQUEST, build_span_id("process homecare.packages.v1")),),
        ),
        a_span(
            EXPIRY,
            "webhook offer.made",
            at=1_800_020,
            took=30,
            below="timer offer expires",
            service="provider-registry",
            error="status 500",
        ),
    ]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    return Home(tmp_path)


@pytest.fixture
def archive(home: Home) -> TelemetryArchive:
    archive = TelemetryArchive(home.telemetry_file)
    archive.store_spans(a_story())
    return archive


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def render_at(width: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(out, "width", width)
    result = run("trace", str(PACKAGE))
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


@pytest.mark.parametrize("width", [80, 120])
def test_each_burst_is_a_waterfall_that_fits(
    archive: TelemetryArchive, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    lines = render_at(width, monkeypatch)
    assert max(map(len, lines)) <= width
    output = "\n".join(lines)
    assert "Burst 1  02 Mar 09:00:00.000, took 23.0 ms" in output
    assert "Burst 2  02 Mar 09:30:00.000, took 50.0 ms, begun 30 m 0 s after burst 1" in output
    assert "failed: status 500" in output
    assert "armed by burst 1: process OfferMade (sourcing)" in output


def test_bars_show_when_in_the_burst_a_span_ran(archive: TelemetryArchive, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [line for line in render_at(120, monkeypatch) if "━" in line]
    request, processed, *_ = [(row.index("━"), row.rindex("━")) for row in rows]
    assert request[0] < request[1] < processed[0] < processed[1]
    assert "  process OfferMade" in rows[1], "what follows stands below its cause, further to the right"


def test_json_output_contains_every_span(archive: TelemetryArchive) -> None:
    output = json.loads(run("trace", str(PACKAGE), "--json").stdout)
    assert [(burst["number"], burst["trace_id"]) for burst in output["bursts"]] == [(1, REQUEST), (2, EXPIRY)]
    (timer, webhook) = output["bursts"][1]["spans"]
    assert (timer["links"][0]["trace_id"], webhook["error"], webhook["depth"]) == (REQUEST, "status 500", 1)


def test_an_unknown_package_is_reported(archive: TelemetryArchive) -> None:
    result = run("trace", str(uuid4()))
    assert result.exit_code == 1
    assert "no trace of package" in result.output


def test_without_stored_traces_the_command_names_the_setting_that_stores_them(home: Home) -> None:
    result = run("trace", str(PACKAGE))
    assert result.exit_code == 1
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in result.output


def test_a_span_without_its_parent_or_link_is_shown() -> None:
    orphan = a_span(REQUEST, "process", at=0, below="not stored", links=(SpanReference("f" * 32, "0" * 16),))
    (burst,) = group_into_bursts([orphan])
    (line,) = burst.rows
    assert (line.depth, line.causes[0].span) == (0, None)


def test_the_newest_numbers_are_a_table(archive: TelemetryArchive) -> None:
    archive.store_samples(
        [
            MetricSample("sourcing", "calloff_held_packages", (), 2),
            MetricSample("sourcing", "calloff_time_to_place_seconds", (), 90.0, 3),
        ]
    )
    assert "3 times, 30 on average" in run("metrics", "place").output
    assert [each["value"] for each in json.loads(run("metrics", "held", "--json").stdout)] == [2]


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0.0 ms"),
        (999_900_000, "999.9 ms"),
        (1_234_000_000, "1.23 s"),
        (125_000_000_000, "2 m 5 s"),
        (3_720_000_000_000, "1 h 2 m"),
        (180_000_000_000_000, "2 d 2 h"),
    ],
)
def test_durations_are_formatted_in_short_form(nanoseconds: int, text: str) -> None:
    assert format_duration(nanoseconds) == text
