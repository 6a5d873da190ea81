"""Groups spans into bursts: each trace is one burst, with its spans ordered by parent and time."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from devstack.telemetry.spans import Span


@dataclass(frozen=True)
class BurstRow:
    """A span with its depth in the tree, and its causes in earlier bursts."""

    span: Span
    depth: int
    causes: tuple["Cause", ...] = ()


@dataclass(frozen=True)
class Cause:
    """A span of another trace that this span links to; `burst` and `span` are None where it is not stored any more."""

    trace_id: str
    burst: int | None
    span: Span | None


@dataclass(frozen=True)
class Burst:
    """One trace: a request, event or timer, and all work that followed from it at once."""

    number: int
    trace_id: str
    rows: tuple[BurstRow, ...]

    @property
    def began(self) -> int:
        return min(line.span.began for line in self.rows)

    @property
    def ended(self) -> int:
        return max(line.span.ended for line in self.rows)

    @property
    def failure_count(self) -> int:
        return sum(line.span.error is not None for line in self.rows)


def group_into_bursts(spans: Iterable[Span]) -> list[Burst]:
    """Bursts in the order in which they began, numbered from 1."""
    by_trace: defaultdict[str, list[Span]] = defaultdict(list)
    for span in spans:
        by_trace[span.trace_id].append(span)
    traces = sorted(by_trace.values(), key=lambda trace: min(span.began for span in trace))
    known = {span.span_id: (number, span) for number, trace in enumerate(traces, start=1) for span in trace}
    return [
        Burst(number, trace[0].trace_id, tuple(_arrange_rows(trace, known)))
        for number, trace in enumerate(traces, start=1)
    ]


SpanIndex = dict[str, tuple[int, Span]]


def _arrange_rows(trace: Sequence[Span], known: SpanIndex) -> Iterator[BurstRow]:
    """Depth first, the earliest first; a span whose parent is not stored has depth 0."""
    span_ids = {span.span_id for span in trace}
    children: defaultdict[str | None, list[Span]] = defaultdict(list)
    for span in sorted(trace, key=lambda span: (span.began, span.ended)):
        children[span.parent_id if span.parent_id in span_ids else None].append(span)
    waiting = [(span, 0) for span in reversed(children[None])]
    while waiting:
        span, depth = waiting.pop()
        yield BurstRow(span, depth, tuple(_find_causes(span, known)))
        waiting += [(child, depth + 1) for child in reversed(children[span.span_id])]


def _find_causes(span: Span, known: SpanIndex) -> Iterator[Cause]:
    for link in span.links:
        if link.trace_id != span.trace_id:
            burst, cause = known.get(link.span_id, (None, None))
            yield Cause(link.trace_id, burst, cause)
