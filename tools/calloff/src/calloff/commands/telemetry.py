"""`calloff trace` and `metrics`: the spans of a package as waterfalls, and the newest metrics of each service."""

import json
from dataclasses import asdict
from typing import Annotated, Final
from uuid import UUID

import typer

from calloff.commands.output import JsonOption, out, print_error, print_json
from calloff.commands.tables import print_table
from contracts.errors import CallOffError
from devstack.errors import NoTraceFound
from devstack.home import Home, find_home
from devstack.telemetry.archive import load_package_spans, load_samples
from devstack.telemetry.bursts import Burst, group_into_bursts
from devstack.telemetry.spans import MetricSample
from devstack.telemetry.waterfall import render_bursts

MAX_SPANS: Final = 2_000
MIN_WIDTH: Final = 72


def show_trace(package_id: UUID, *, as_json: JsonOption = False) -> None:
    """Draw the spans of a package: one waterfall a burst of work, with durations and errors."""
    try:
        bursts = _load_bursts(find_home(), str(package_id))
    except CallOffError as error:
        print_error(error)
        raise typer.Exit(1) from None
    if as_json:
        print_json(json.dumps({"package_id": str(package_id), "bursts": [_to_json(burst) for burst in bursts]}))
        return
    for line in render_bursts(bursts, width=max(out.width, MIN_WIDTH)):
        out.print(line, crop=False, soft_wrap=True)


def _load_bursts(home: Home, package_id: str) -> list[Burst]:
    """Raises NoTraceFound, with the likeliest reason."""
    if not home.telemetry_file.exists():
        raise NoTraceFound(
            f"{home.folder} holds no telemetry: `make run` stores it there, unless OTEL_EXPORTER_OTLP_ENDPOINT names "
            "another receiver"
        )
    spans = load_package_spans(home.telemetry_file, package_id, limit=MAX_SPANS)
    if not spans:
        raise NoTraceFound(
            f"{home.folder} holds no trace of package {package_id}; spans arrive after some seconds and are deleted "
            "after a week, so try again shortly or check the id"
        )
    return group_into_bursts(spans)


def _to_json(burst: Burst) -> dict[str, object]:
    return {
        "number": burst.number,
        "trace_id": burst.trace_id,
        "began_ns": burst.began,
        "took_ns": burst.ended - burst.began,
        "spans": [{**asdict(row.span), "depth": row.depth} for row in burst.rows],
    }


def list_metrics(
    text: Annotated[str, typer.Argument(help="Only metrics with this text in their names.")] = "",
    *,
    as_json: JsonOption = False,
) -> None:
    """List the newest value of each metric that the services have exported."""
    home = find_home()
    samples = load_samples(home.telemetry_file) if home.telemetry_file.exists() else []
    selected = [sample for sample in samples if text in sample.name]
    if as_json:
        print_json(json.dumps([{**asdict(sample), "labels": dict(sample.labels)} for sample in selected]))
        return
    rows = [
        (sample.name.removeprefix("calloff_"), sample.service, _format_labels(sample), _format_value(sample))
        for sample in selected
    ]
    print_table(("metric", "service", "labels", "value"), rows, empty="No service has exported such a metric here yet.")


def _format_labels(sample: MetricSample) -> str:
    return ", ".join(value for _, value in sample.labels)


def _format_value(sample: MetricSample) -> str:
    if sample.count is None:
        return f"{sample.value:g}"
    mean = sample.value / sample.count if sample.count else 0
    return f"{sample.count} times, {mean:.3g} on average"
