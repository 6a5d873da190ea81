"""Spans put together again: each trace is one burst, its spans in the order of cause and time."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from devstack.telemetry.spans import Span


@dataclass(frozen=True)
class Line:
    """A span in its place: how deep it is, and whether what caused it came in a burst before."""

    span: Span
    depth: int
    caused_by: tuple["Cause", ...] = ()


@dataclass(frozen=True)
class Cause:
    """A span of another trace that brought this one about, some time before; none of it is known where it is gone."""

    trace_id: str
    burst: int | None
    span: Span | None


@dataclass(frozen=True)
class Burst:
    """Everything that followed from one thing without waiting."""

    number: int
    trace_id: str
    lines: tuple[Line, ...]

    @property
    def began(self) -> int:
        return min(line.span.began for line in self.lines)

    @property
    def ended(self) -> int:
        return max(line.span.ended for line in self.lines)

    @property
    def failed(self) -> int:
        return sum(line.span.error is not None for line in self.lines)


def bursts_of(spans: Iterable[Span]) -> list[Burst]:
    """In the order in which they began, numbered from 1."""
    by_trace: defaultdict[str, list[Span]] = defaultdict(list)
    for span in spans:
        by_trace[span.trace_id].append(span)
    traces = sorted(by_trace.values(), key=lambda trace: min(span.began for span in trace))
    known = {span.span_id: (number, span) for number, trace in enumerate(traces, start=1) for span in trace}
    return [
        Burst(number, trace[0].trace_id, tuple(_lines(trace, known))) for number, trace in enumerate(traces, start=1)
    ]


Known = dict[str, tuple[int, Span]]


def _lines(trace: Sequence[Span], known: Known) -> Iterator[Line]:
    """Depth first, the earliest first; what lost its parent stands at the left."""
    there = {span.span_id for span in trace}
    below: defaultdict[str | None, list[Span]] = defaultdict(list)
    for span in sorted(trace, key=lambda span: (span.began, span.ended)):
        below[span.parent_id if span.parent_id in there else None].append(span)
    waiting = [(span, 0) for span in reversed(below[None])]
    while waiting:
        span, depth = waiting.pop()
        yield Line(span, depth, tuple(_causes(span, known)))
        waiting += [(child, depth + 1) for child in reversed(below[span.span_id])]


def _causes(span: Span, known: Known) -> Iterator[Cause]:
    for link in span.links:
        if link.trace_id != span.trace_id:
            burst, cause = known.get(link.span_id, (None, None))
            yield Cause(link.trace_id, burst, cause)
