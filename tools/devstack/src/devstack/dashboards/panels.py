"""What a dashboard consists of: rows of panels, each with its queries, unit, meaning and section of the runbook."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Unit(StrEnum):
    """Units by Grafana's names."""

    COUNT = "short"
    PER_MINUTE = "cpm"
    PER_SECOND = "cps"
    SECONDS = "s"
    SHARE = "percentunit"
    BYTES = "bytes"
    CORES = "none"


class Kind(StrEnum):
    """How a panel shows its queries."""

    LINES = "lines"
    STACKED = "stacked"
    NUMBER = "number"


@dataclass(frozen=True)
class Query:
    """A PromQL expression, and what its series are called; a name may contain labels, as `{{stage}}`."""

    expression: str
    legend: str


@dataclass(frozen=True)
class Panel:
    """One panel. `meaning` says what is shown and what to do; `section` is a heading of docs/operations.md."""

    title: str
    unit: Unit
    queries: Sequence[Query]
    meaning: str
    section: str = "what-is-measured"
    kind: Kind = Kind.LINES
    width: int = 8
    """Of 24 columns."""


@dataclass(frozen=True)
class Traces:
    """A table of the traces that a TraceQL query finds."""

    title: str
    traceql: str
    meaning: str


@dataclass(frozen=True)
class Row:
    """Panels under one heading."""

    title: str
    panels: Sequence[Panel | Traces]


class Variable(StrEnum):
    """What a reader of a dashboard can choose."""

    SERVICE = "service"
    INSTANCE = "instance"
    COUNCIL = "council"
    PACKAGE = "package"


@dataclass(frozen=True)
class Dashboard:
    """One dashboard; `uid` is its address in Grafana and never changes."""

    uid: str
    title: str
    about: str
    variables: Sequence[Variable]
    rows: Sequence[Row]
