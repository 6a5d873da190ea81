"""Renders bursts as waterfalls in the terminal: service, operation, start, duration, bar and errors."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from rich.text import Text

from contracts.office_time import to_office_time
from devstack.telemetry.bursts import Burst, BurstRow, Cause

_MS: Final = 1_000_000
_SECOND: Final = 1_000 * _MS
_DURATION_WIDTH: Final = 9
"""Cells of a start offset and of a duration."""
_MIN_BAR: Final = 10
_MAX_BAR: Final = 60
_ELLIPSIS: Final = "…"


@dataclass(frozen=True)
class ColumnWidths:
    """The width of each column in cells; one space separates columns."""

    service: int
    title: int
    bar: int

    @classmethod
    def from_bursts(cls, bursts: Sequence[Burst], *, width: int) -> "ColumnWidths":
        """Full titles where they fit, and the rest for the bars; equal for all bursts."""
        lines = [line for burst in bursts for line in burst.rows]
        service = max(len(line.span.service) for line in lines)
        left = width - service - 2 * _DURATION_WIDTH - 4
        title = min(max(len(_indent_title(line)) for line in lines), left - _MIN_BAR)
        return cls(service, title, min(_MAX_BAR, left - title))


def render_bursts(bursts: Sequence[Burst], *, width: int) -> Iterator[Text]:
    """All bursts of a package, line by line; no line is wider than `width`."""
    before: Burst | None = None
    columns = ColumnWidths.from_bursts(bursts, width=width)
    for burst in bursts:
        yield Text()
        yield from _render_heading(burst, before)
        for line in burst.rows:
            yield _render_row(line, burst, columns)
            yield from _render_notes(line, columns, width)
        before = burst


def _render_heading(burst: Burst, before: Burst | None) -> Iterator[Text]:
    at = to_office_time(datetime.fromtimestamp(burst.began / _SECOND, UTC))
    heading = Text(f"Burst {burst.number}", style="bold")
    heading.append(
        f"  {at:%d %b %H:%M:%S}.{at.microsecond // 1000:03}, took {format_duration(burst.ended - burst.began)}"
    )
    if before is not None:
        heading.append(f", begun {format_duration(burst.began - before.began)} after burst {before.number}")
    yield heading
    summary = Text(f"trace {burst.trace_id}, {len(burst.rows)} spans", style="dim")
    if burst.failure_count:
        summary.append(f", {burst.failure_count} failed", style="not dim bold red")
    yield summary


def _render_row(line: BurstRow, burst: Burst, columns: ColumnWidths) -> Text:
    span = line.span
    style = "red" if span.error is not None else ""
    row = Text()
    row.append(f"{span.service:{columns.service}} ", style="cyan")
    row.append(f"{_truncate(_indent_title(line), columns.title):{columns.title}} ", style=style)
    row.append(f"{'+' + format_duration(span.began - burst.began):>{_DURATION_WIDTH}} ", style="dim")
    row.append(f"{format_duration(span.took):>{_DURATION_WIDTH}} ", style=style)
    return row.append_text(_render_bar(line, burst, columns.bar))


def _render_notes(line: BurstRow, columns: ColumnWidths, width: int) -> Iterator[Text]:
    indent = " " * (columns.service + 1 + 2 * line.depth + 2)
    if line.span.error is not None:
        yield Text(_truncate(f"{indent}failed: {line.span.error}", width), style="bold red")
    for cause in line.causes:
        yield Text(_truncate(f"{indent}{_describe_cause(line, cause)}", width), style="yellow")


def _indent_title(line: BurstRow) -> str:
    return "  " * line.depth + line.span.title


def _describe_cause(line: BurstRow, cause: Cause) -> str:
    how = "armed by" if line.span.name.startswith("timer ") else "follows"
    if cause.span is None:
        return f"{how} trace {cause.trace_id}, which is not stored any more"
    return f"{how} burst {cause.burst}: {cause.span.title} ({cause.span.service})"


def _truncate(text: str, cells: int) -> str:
    return text if len(text) <= cells else text[: cells - 1] + _ELLIPSIS


def _render_bar(line: BurstRow, burst: Burst, cells: int) -> Text:
    whole = max(1, burst.ended - burst.began)
    begins = min(cells - 1, (line.span.began - burst.began) * cells // whole)
    ends = max(begins + 1, min(cells, -(-(line.span.ended - burst.began) * cells // whole)))
    style = "red" if line.span.error is not None else "green"
    return Text(" " * begins + "━" * (ends - begins), style=style)


def format_duration(nanoseconds: int) -> str:
    """A duration in at most two units: `12.3 ms`, `4.50 s`, `2 m 5 s`, `1 h 2 m`, `2 d 2 h`."""
    if nanoseconds < _SECOND:
        return f"{nanoseconds / _MS:.1f} ms"
    seconds = nanoseconds / _SECOND
    if seconds < 60:
        return f"{seconds:.2f} s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 24:
        return f"{hours // 24} d {hours % 24} h"
    return f"{hours} h {minutes} m" if hours else f"{minutes} m {seconds} s"
