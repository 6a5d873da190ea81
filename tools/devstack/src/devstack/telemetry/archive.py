"""Where spans and numbers are kept: one SQLite file, which another terminal can read while it is written to.

It is bounded: the oldest spans go first, and of each number only the newest value stays.
"""

import json
import sqlite3
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, Final

from devstack.telemetry.spans import Number, Span, SpanName

MOST_SPANS: Final = 100_000
"""Some hundred megabytes."""
MOST_NUMBERS: Final = 5_000
KEPT_FOR: Final = 7 * 24 * 3600.0
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
_KEEP_SPAN: Final = """
INSERT INTO spans (trace_id, span_id, package_id, received_at, began, span) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO NOTHING
"""
_KEEP_NUMBER: Final = """
INSERT INTO numbers (service, name, labels, value, count, received_at) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET value = excluded.value, count = excluded.count, received_at = excluded.received_at
"""
_OF_PACKAGE: Final = """
SELECT span FROM spans
WHERE trace_id IN (SELECT trace_id FROM spans WHERE package_id = ?) ORDER BY began, position LIMIT ?
"""
_NUMBERS: Final = "SELECT service, name, labels, value, count FROM numbers ORDER BY name, service, labels"
_TOO_MANY: Final = "DELETE FROM spans WHERE position <= (SELECT max(position) FROM spans) - ?"
_TOO_OLD: Final = """
DELETE FROM spans
WHERE received_at < ? AND position IN (SELECT position FROM spans ORDER BY position LIMIT 10000)
"""
_STALE_NUMBERS: Final = """
DELETE FROM numbers WHERE received_at < ? OR rowid NOT IN (
    SELECT rowid FROM numbers ORDER BY received_at DESC LIMIT ?)
"""


class Archive:
    """Written by one process, whatever its threads; read by anybody."""

    def __init__(self, file: Path, *, most_spans: int = MOST_SPANS, kept_for: float = KEPT_FOR) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(file, check_same_thread=False)
        self._connection.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; {_TABLES}")
        self._writing = Lock()
        self._most_spans = most_spans
        self._kept_for = kept_for
        self._since_sweep = _SWEEP_AFTER

    def keep(self, spans: Sequence[Span]) -> None:
        """A span that comes twice is kept once."""
        now = time.time()
        rows = [(each.trace_id, each.span_id, each.package_id, now, each.began, _written(each)) for each in spans]
        with self._writing, self._connection:
            self._connection.executemany(_KEEP_SPAN, rows)
            self._since_sweep += len(spans)
            if self._since_sweep >= _SWEEP_AFTER:
                self._sweep(now)

    def note(self, numbers: Iterable[Number]) -> None:
        now = time.time()
        rows = [(each.service, each.name, json.dumps(each.labels), each.value, each.count, now) for each in numbers]
        with self._writing, self._connection:
            self._connection.executemany(_KEEP_NUMBER, rows)

    def _sweep(self, now: float) -> None:
        self._connection.execute(_TOO_MANY, (self._most_spans,))
        self._connection.execute(_TOO_OLD, (now - self._kept_for,))
        self._connection.execute(_STALE_NUMBERS, (now - self._kept_for, MOST_NUMBERS))
        self._since_sweep = 0

    def close(self) -> None:
        self._connection.close()


def spans_about(file: Path, package_id: str, *, most: int) -> list[Span]:
    """Every span of every trace that has to do with the package, at most so many, the earliest first."""
    with _reading(file) as connection:
        return [_read(row[0]) for row in connection.execute(_OF_PACKAGE, (package_id, most))]


def numbers_of(file: Path) -> list[Number]:
    """The newest value of each series."""
    with _reading(file) as connection:
        return [
            Number(service, name, tuple((label, text) for label, text in json.loads(labels)), value, count)
            for service, name, labels, value, count in connection.execute(_NUMBERS)
        ]


@contextmanager
def _reading(file: Path) -> Generator[sqlite3.Connection]:
    connection = sqlite3.connect(file)
    try:
        connection.execute("PRAGMA query_only = ON")
        yield connection
    finally:
        connection.close()


def _written(span: Span) -> str:
    links = [(each.trace_id, each.span_id) for each in span.links]
    return json.dumps({**{name: getattr(span, name) for name in _PLAIN}, "attributes": span.attributes, "links": links})


def _read(written: str) -> Span:
    said: dict[str, Any] = json.loads(written)  # as `_written` makes it
    links = tuple(SpanName(*each) for each in said.pop("links"))
    return Span(**said, links=links)


_PLAIN: Final = ("trace_id", "span_id", "parent_id", "service", "name", "began", "ended", "error")
