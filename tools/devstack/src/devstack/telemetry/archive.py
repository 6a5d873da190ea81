"""Stores spans and metrics in one SQLite file, which other processes can read at the same time.

The size is bounded: the oldest spans are deleted first, and of each time series only the newest value is stored.
"""

import json
import sqlite3
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, Final

from devstack.telemetry.spans import MetricSample, Span, SpanReference

MAX_SPANS: Final = 100_000
"""Some hundred megabytes of spans."""
MAX_SAMPLES: Final = 5_000
RETENTION_SECONDS: Final = 7 * 24 * 3600.0
"""Seconds."""
_SWEEP_AFTER: Final = 2_000
"""Spans between two sweeps."""

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS spans (
    position INTEGER PRIMARY KEY,
    trace_id TEXT NOT NULL,
    span_id TEXT NOT NULL,
    package_id TEXT,
    received_at REAL NOT NULL,
    began INTEGER NOT NULL,
    span TEXT NOT NULL,
    UNIQUE (trace_id, span_id)
);
CREATE INDEX IF NOT EXISTS spans_of_a_package ON spans (package_id) WHERE package_id IS NOT NULL;
CREATE TABLE IF NOT EXISTS numbers (
    service TEXT NOT NULL,
    name TEXT NOT NULL,
    labels TEXT NOT NULL,
    value REAL,
    count INTEGER,
    received_at REAL NOT NULL,
    PRIMARY KEY (service, name, labels)
);
"""
_INSERT_SPAN: Final = """
INSERT INTO spans (trace_id, span_id, package_id, received_at, began, span) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO NOTHING
"""
_UPSERT_SAMPLE: Final = """
INSERT INTO numbers (service, name, labels, value, count, received_at) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET value = excluded.value, count = excluded.count, received_at = excluded.received_at
"""
_SELECT_PACKAGE_SPANS: Final = """
SELECT span FROM spans
WHERE trace_id IN (SELECT trace_id FROM spans WHERE package_id = ?) ORDER BY began, position LIMIT ?
"""
_SELECT_SAMPLES: Final = "SELECT service, name, labels, value, count FROM numbers ORDER BY name, service, labels"
_DELETE_EXCESS_SPANS: Final = "DELETE FROM spans WHERE position <= (SELECT max(position) FROM spans) - ?"
_DELETE_EXPIRED_SPANS: Final = """
DELETE FROM spans
WHERE received_at < ? AND position IN (SELECT position FROM spans ORDER BY position LIMIT 10000)
"""
_DELETE_STALE_SAMPLES: Final = """
DELETE FROM numbers WHERE received_at < ? OR rowid NOT IN (
    SELECT rowid FROM numbers ORDER BY received_at DESC LIMIT ?)
"""


class TelemetryArchive:
    """Writes the file; one process at a time, any thread of it."""

    def __init__(self, file: Path, *, max_spans: int = MAX_SPANS, retention_seconds: float = RETENTION_SECONDS) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(file, check_same_thread=False)
        self._connection.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; {_TABLES}")
        self._write_lock = Lock()
        self._max_spans = max_spans
        self._retention_seconds = retention_seconds
        self._since_sweep = _SWEEP_AFTER

    def store_spans(self, spans: Sequence[Span]) -> None:
        """Stores spans; ignores a span that is stored already."""
        now = time.time()
        rows = [(each.trace_id, each.span_id, each.package_id, now, each.began, _encode_span(each)) for each in spans]
        with self._write_lock, self._connection:
            self._connection.executemany(_INSERT_SPAN, rows)
            self._since_sweep += len(spans)
            if self._since_sweep >= _SWEEP_AFTER:
                self._sweep(now)

    def store_samples(self, numbers: Iterable[MetricSample]) -> None:
        now = time.time()
        rows = [(each.service, each.name, json.dumps(each.labels), each.value, each.count, now) for each in numbers]
        with self._write_lock, self._connection:
            self._connection.executemany(_UPSERT_SAMPLE, rows)

    def _sweep(self, now: float) -> None:
        self._connection.execute(_DELETE_EXCESS_SPANS, (self._max_spans,))
        self._connection.execute(_DELETE_EXPIRED_SPANS, (now - self._retention_seconds,))
        self._connection.execute(_DELETE_STALE_SAMPLES, (now - self._retention_seconds, MAX_SAMPLES))
        self._since_sweep = 0

    def close(self) -> None:
        self._connection.close()


def load_package_spans(file: Path, package_id: str, *, limit: int) -> list[Span]:
    """All spans of all traces in which the package occurs: the earliest first, at most `limit`."""
    with _open_read_only(file) as connection:
        return [_decode_span(row[0]) for row in connection.execute(_SELECT_PACKAGE_SPANS, (package_id, limit))]


def load_samples(file: Path) -> list[MetricSample]:
    """The newest value of each time series."""
    with _open_read_only(file) as connection:
        return [
            MetricSample(service, name, tuple((label, text) for label, text in json.loads(labels)), value, count)
            for service, name, labels, value, count in connection.execute(_SELECT_SAMPLES)
        ]


@contextmanager
def _open_read_only(file: Path) -> Generator[sqlite3.Connection]:
    connection = sqlite3.connect(file)
    try:
        connection.execute("PRAGMA query_only = ON")
        yield connection
    finally:
        connection.close()


def _encode_span(span: Span) -> str:
    links = [(each.trace_id, each.span_id) for each in span.links]
    return json.dumps(
        {**{name: getattr(span, name) for name in _SCALAR_FIELDS}, "attributes": span.attributes, "links": links}
    )


def _decode_span(text: str) -> Span:
    document: dict[str, Any] = json.loads(text)  # the format of _encode_span
    links = tuple(SpanReference(*each) for each in document.pop("links"))
    return Span(**document, links=links)


_SCALAR_FIELDS: Final = ("trace_id", "span_id", "parent_id", "service", "name", "began", "ended", "error")
