"""`calloff trace` and `metrics`: the spans of a package as waterfalls, and the newest metrics of each service.

On the embedded stack they read its archive, also after its end; for another installation, Tempo and the services.
"""

import json
from dataclasses import asdict
from typing import Annotated, Final
from uuid import UUID

import typer

from calloff.commands.output import JsonOption, err, out, print_json, run_command
from calloff.commands.tables import print_table
from calloff.connection import connect_to_stack
from calloff.installation import find_installation
from calloff.remote_telemetry import fetch_metrics, fetch_package_spans
from devstack.errors import NoTraceFound
from devstack.home import Home, find_home
from devstack.telemetry.archive import load_package_spans, load_samples
from devstack.telemetry.bursts import Burst, group_into_bursts
from devstack.telemetry.spans import MetricSample, Span
from devstack.telemetry.waterfall import render_bursts

MAX_SPANS: Final = 2_000
MIN_WIDTH: Final = 72


def show_trace(package_id: UUID, *, as_json: JsonOption = False) -> None:
    """Draw the spans of a package: one waterfall a burst of work, with durations and errors."""
    bursts = group_into_bursts(run_command(_load_spans(str(package_id))))
    if as_json:
        print_json(json.dumps({"package_id": str(package_id), "bursts": [_to_json(burst) for burst in bursts]}))
        return
    for line in render_bursts(bursts, width=max(out.width, MIN_WIDTH)):
        out.print(line, crop=False, soft_wrap=True)


async def _load_spans(package_id: str) -> list[Span]:
    """Raises NoTraceFound, with the likeliest reason."""
    if find_installation() is None:
        return _load_archived_spans(find_home(), package_id)
    async with connect_to_stack() as connection:
        spans = await fetch_package_spans(connection, package_id, limit=MAX_SPANS)
    if not spans:
        raise NoTraceFound(
            f"Tempo holds no trace of package {package_id} from the last week; spans arrive after some seconds, and "
            "the services' CALLOFF_TRACE_SAMPLE_RATIO may leave traces out"
        )
    return spans


def _load_archived_spans(home: Home, package_id: str) -> list[Span]:
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
    return spans


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
    selected = [sample for sample in run_command(_load_samples()) if text in sample.name]
    if as_json:
        print_json(json.dumps([{**asdict(sample), "labels": dict(sample.labels)} for sample in selected]))
        return
    rows = [
        (sample.name.removeprefix("calloff_"), sample.service, _format_labels(sample), _format_value(sample))
        for sample in selected
    ]
    print_table(("metric", "service", "labels", "value"), rows, empty="No service has exported such a metric here yet.")


async def _load_samples() -> list[MetricSample]:
    if find_installation() is None:
        archive = find_home().telemetry_file
        return load_samples(archive) if archive.exists() else []
    async with connect_to_stack() as connection:
        answers = await fetch_metrics(connection)
    for service, answer in answers.items():
        text = answer if isinstance(answer, str) else f"process {answer.process} answered; others may run beside it"
        err.print(f"{service}: {text}", markup=False, highlight=False, soft_wrap=True)
    samples = [sample for answer in answers.values() if not isinstance(answer, str) for sample in answer.samples]
    return sorted(samples, key=lambda sample: (sample.name, sample.service, sample.labels))


def _format_labels(sample: MetricSample) -> str:
    return ", ".join(value for _, value in sample.labels)


def _format_value(sample: MetricSample) -> str:
    if sample.count is None:
        return f"{sample.value:g}"
    mean = sample.value / sample.count if sample.count else 0
    return f"{sample.count} times, {mean:.3g} on average"
