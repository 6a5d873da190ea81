"""Guard: a failure of tracing, metrics or logging is counted, and never changes the outcome of the work it describes.

The functions through which work reaches telemetry are guarded, so that their callers need not expect errors.
"""

from contextlib import ContextDecorator
from types import TracebackType
from typing import Final

from prometheus_client import Counter

FAILURES: Final = Counter(
    "calloff_telemetry_failures",
    "Failures of tracing, metrics, logging or their export, by part and error type; work is not affected",
    ["part", "error"],
    registry=None,
)
"""Counts for the process. Every `Metrics` serves it."""


class TelemetryGuard(ContextDecorator):
    """A context manager, or a decorator of functions without result, that counts and drops every error."""

    def __init__(self, part: str) -> None:
        self._part = part

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        """Drops errors; lets cancellation and the end of the process through."""
        if not isinstance(error, Exception):
            return False
        FAILURES.labels(self._part, type(error).__name__).inc()
        return True


TRACING: Final = TelemetryGuard("tracing")
METRICS: Final = TelemetryGuard("metrics")
LOGGING: Final = TelemetryGuard("logging")
EXPORT: Final = TelemetryGuard("export")
