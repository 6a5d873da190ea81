"""Bursts as waterfalls in the terminal: who did what, when, for how long, and what failed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from rich.text import Text

from devstack.telemetry.bursts import Burst, Cause, Line

_OFFICE: Final = ZoneInfo("Europe/London")
_MS: Final = 1_000_000
_SECOND: Final = 1_000 * _MS
_NUMBER: Final = 9
"""Cells of an offset and of a length of time."""
_LEAST_BAR: Final = 10
_MOST_BAR: Final = 60
_CUT: Final = "…"


@dataclass(frozen=True)
class Columns:
    """How many cells each column has; a space stands between two of them."""

    service: int
    title: int
    bar: int

    @classmethod
    def of(cls, bursts: Sequence[Burst], *, width: int) -> "Columns":
        """Titles whole where they fit, and whatever is left for the bars; the same for all bursts."""
        lines = [line for burst in bursts for line in burst.lines]
        service = max(len(line.span.service) for line in lines)
        left = width - service - 2 * _NUMBER - 4
        title = min(max(len(_title(line)) for line in lines), left - _LEAST_BAR)
        return cls(service, title, min(_MOST_BAR, left - title))


def drawn(bursts: Sequence[Burst], *, width: int) -> Iterator[Text]:
    """All bursts of a package, line by line, none wider than `width`."""
    before: Burst | None = None
    columns = Columns.of(bursts, width=width)
    for burst in bursts:
        yield Text()
        yield from _heading(burst, before)
        for line in burst.lines:
            yield _row(line, burst, columns)
            yield from _notes(line, columns, width)
        before = burst


def _heading(burst: Burst, before: Burst | None) -> Iterator[Text]:
    at = datetime.fromtimestamp(burst.began / _SECOND, UTC).astimezone(_OFFICE)
    heading = Text(f"Burst {burst.number}", style="bold")
    heading.append(f"  {at:%d %b %H:%M:%S}.{at.microsecond // 1000:03}, took {length(burst.ended - burst.began)}")
    if before is not None:
        heading.append(f", begun {length(burst.began - before.began)} after burst {before.number}")
    yield heading
    summary = Text(f"trace {burst.trace_id}, {len(burst.lines)} spans", style="dim")
    if burst.failed:
        summary.append(f", {burst.failed} failed", style="not dim bold red")
    yield summary


def _row(line: Line, burst: Burst, columns: Columns) -> Text:
    span = line.span
    style = "red" if span.error is not None else ""
    row = Text()
    row.append(f"{span.service:{columns.service}} ", style="cyan")
    row.append(f"{_fitted(_title(line), columns.title):{columns.title}} ", style=style)
    row.append(f"{'+' + length(span.began - burst.began):>{_NUMBER}} ", style="dim")
    row.append(f"{length(span.took):>{_NUMBER}} ", style=style)
    return row.append_text(_bar(line, burst, columns.bar))


def _notes(line: Line, columns: Columns, width: int) -> Iterator[Text]:
    indent = " " * (columns.service + 1 + 2 * line.depth + 2)
    if line.span.error is not None:
        yield Text(_fitted(f"{indent}failed: {line.span.error}", width), style="bold red")
    for cause in line.caused_by:
        yield Text(_fitted(f"{indent}{_told(line, cause)}", width), style="yellow")


def _title(line: Line) -> str:
    return "  " * line.depth + line.span.title


def _told(line: Line, cause: Cause) -> str:
    how = "armed by" if line.span.name.startswith("timer ") else "follows"
    if cause.span is None:
        return f"{how} trace {cause.trace_id}, which is not kept"
    return f"{how} burst {cause.burst}: {cause.span.title} ({cause.span.service})"


def _fitted(text: str, cells: int) -> str:
    return text if len(text) <= cells else text[: cells - 1] + _CUT


def _bar(line: Line, burst: Burst, cells: int) -> Text:
    whole = max(1, burst.ended - burst.began)
    begins = min(cells - 1, (line.span.began - burst.began) * cells // whole)
    ends = max(begins + 1, min(cells, -(-(line.span.ended - burst.began) * cells // whole)))
    style = "red" if line.span.error is not None else "green"
    return Text(" " * begins + "━" * (ends - begins), style=style)


def length(nanoseconds: int) -> str:
    """As short as one can say it."""
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
