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
    """One of `PACKAGE`'s, called and known by its name; instants in milliseconds after nine."""
    given: dict[str, object] = {
        "service": "sourcing",
        "attributes": {"calloff.package_id": str(PACKAGE)},
        **more,
    }
    begun = NINE + at * MS
    # What a test changes of a span is a span's own business.
    return Span(trace, named(name), below and named(below), name=name, began=begun, ended=begun + took * MS, **given)  # pyright: ignore[reportArgumentType]


def named(name: str) -> str:
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
            links=(SpanReference(REQUEST, named("process homecare.packages.v1")),),
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
def kept(home: Home) -> TelemetryArchive:
    archive = TelemetryArchive(home.telemetry_file)
    archive.store_spans(a_story())
    return archive


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def lines_at(width: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(out, "width", width)
    result = run("trace", str(PACKAGE))
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


@pytest.mark.parametrize("width", [80, 120])
def test_each_burst_is_a_waterfall_that_fits(
    kept: TelemetryArchive, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    lines = lines_at(width, monkeypatch)
    assert max(map(len, lines)) <= width
    told = "\n".join(lines)
    assert "Burst 1  02 Mar 09:00:00.000, took 23.0 ms" in told
    assert "Burst 2  02 Mar 09:30:00.000, took 50.0 ms, begun 30 m 0 s after burst 1" in told
    assert "failed: status 500" in told
    assert "armed by burst 1: process OfferMade (sourcing)" in told


def test_bars_stand_where_in_the_burst_the_work_was(kept: TelemetryArchive, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [line for line in lines_at(120, monkeypatch) if "━" in line]
    request, processed, *_ = [(row.index("━"), row.rindex("━")) for row in rows]
    assert request[0] < request[1] < processed[0] < processed[1]
    assert "  process OfferMade" in rows[1], "what follows stands below its cause, further to the right"


def test_with_json_everything_is_told(kept: TelemetryArchive) -> None:
    told = json.loads(run("trace", str(PACKAGE), "--json").stdout)
    assert [(burst["number"], burst["trace_id"]) for burst in told["bursts"]] == [(1, REQUEST), (2, EXPIRY)]
    (timer, webhook) = told["bursts"][1]["spans"]
    assert (timer["links"][0]["trace_id"], webhook["error"], webhook["depth"]) == (REQUEST, "status 500", 1)


def test_a_package_that_nobody_knows_is_told_so(kept: TelemetryArchive) -> None:
    result = run("trace", str(uuid4()))
    assert result.exit_code == 1
    assert "no trace of package" in result.output


def test_where_no_traces_are_kept_it_says_what_keeps_them(home: Home) -> None:
    result = run("trace", str(PACKAGE))
    assert result.exit_code == 1
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in result.output


def test_what_lost_its_parent_or_its_cause_is_shown_all_the_same() -> None:
    orphan = a_span(REQUEST, "process", at=0, below="never kept", links=(SpanReference("f" * 32, "0" * 16),))
    (burst,) = group_into_bursts([orphan])
    (line,) = burst.rows
    assert (line.depth, line.causes[0].span) == (0, None)


def test_the_newest_numbers_are_a_table(kept: TelemetryArchive) -> None:
    kept.store_samples(
        [
            MetricSample("sourcing", "calloff_held_packages", (), 2),
            MetricSample("sourcing", "calloff_time_to_place_seconds", (), 90.0, 3),
        ]
    )
    assert "3 times, 30 on average" in run("metrics", "place").output
    assert [each["value"] for each in json.loads(run("metrics", "held", "--json").stdout)] == [2]


@pytest.mark.parametrize(
    ("nanoseconds", "said"),
    [
        (0, "0.0 ms"),
        (999_900_000, "999.9 ms"),
        (1_234_000_000, "1.23 s"),
        (125_000_000_000, "2 m 5 s"),
        (3_720_000_000_000, "1 h 2 m"),
        (180_000_000_000_000, "2 d 2 h"),
    ],
)
def test_lengths_of_time_are_short(nanoseconds: int, said: str) -> None:
    assert format_duration(nanoseconds) == said
