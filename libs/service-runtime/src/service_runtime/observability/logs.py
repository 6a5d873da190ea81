"""Structured logs: one JSON line per entry on standard error. Fields never contain personal data."""

import logging
import sys
from typing import Protocol

import structlog


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
    return structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(number),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
    ).bind(service=service)


class _LibraryLines(logging.Handler):
    """Logs entries of libraries with logger name, level and format string, without the arguments."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._log = structlog.wrap_logger(
            structlog.PrintLogger(sys.stderr),
            processors=[structlog.processors.TimeStamper(fmt="iso", utc=True), structlog.processors.JSONRenderer()],
        ).bind(service=service)

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
