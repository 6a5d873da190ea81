"""Logs: facts as fields, one JSON line each, once, at the edge. Nothing personal is ever a field."""

import logging
import sys
from typing import Protocol

import structlog


class Logger(Protocol):
    """What is logged with; structlog's bound logger is one."""

    def debug(self, event: str, **fields: object) -> None: ...
    def info(self, event: str, **fields: object) -> None: ...
    def warning(self, event: str, **fields: object) -> None: ...
    def error(self, event: str, **fields: object) -> None: ...


def build_logger(service: str, *, level: str) -> Logger:
    """A logger that writes JSON lines to standard error, every line with the service's name.

    Errors of libraries are reported by their type alone: their messages can carry values (SQL parameters, bodies).
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
    """What libraries log, reduced to logger, level and the constant part of the message."""

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
