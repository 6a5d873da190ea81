"""Structured logs: one JSON line per entry on standard error. Fields never contain personal data."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Final, Protocol

import structlog

from service_runtime.observability.guard import LOGGING

MAX_TEXT: Final = 2_000
"""Characters of one field."""


class Logger(Protocol):
    """The logging interface; structlog's bound loggers implement it."""

    def debug(self, event: str, **fields: object) -> None: ...
    def info(self, event: str, **fields: object) -> None: ...
    def warning(self, event: str, **fields: object) -> None: ...
    def error(self, event: str, **fields: object) -> None: ...


def build_logger(service: str, *, level: str) -> Logger:
    """Builds a logger that writes JSON lines with the service's name to standard error.

    Errors of libraries are logged by type only: their messages can contain values (SQL parameters, bodies).
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(
        level=max(number, logging.WARNING), format="%(message)s", handlers=[_LibraryLines(service)], force=True
    )
    written: Logger = structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(number),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _shorten,
            structlog.processors.JSONRenderer(),
        ],
    ).bind(service=service)
    return GuardedLogger(written)


class GuardedLogger:
    """Passes entries on; an entry that cannot be written, because nobody reads them any more, is dropped."""

    def __init__(self, log: Logger) -> None:
        self._log = log

    @LOGGING
    def debug(self, event: str, **fields: object) -> None:
        self._log.debug(event, **fields)

    @LOGGING
    def info(self, event: str, **fields: object) -> None:
        self._log.info(event, **fields)

    @LOGGING
    def warning(self, event: str, **fields: object) -> None:
        self._log.warning(event, **fields)

    @LOGGING
    def error(self, event: str, **fields: object) -> None:
        self._log.error(event, **fields)


def _shorten(_: object, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Shortens text: a key or a type that another system wrote can have any length."""
    for name, value in entry.items():
        if isinstance(value, str) and len(value) > MAX_TEXT:
            entry[name] = f"{value[:MAX_TEXT]}…"
    return entry


class _LibraryLines(logging.Handler):
    """Logs entries of libraries with logger name, level and format string, without the arguments."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._log = structlog.wrap_logger(
            structlog.PrintLogger(sys.stderr),
            processors=[structlog.processors.TimeStamper(fmt="iso", utc=True), structlog.processors.JSONRenderer()],
        ).bind(service=service)

    @LOGGING
    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        # The format string is the library's own text; its arguments are not logged.
        self._log.msg(
            "library message",
            logger=record.name,
            level=record.levelname.lower(),
            message=str(record.msg)[:200],
            error=error,
        )
