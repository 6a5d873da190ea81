"""What a service measures of its own business: the lines of the table that its `wiring` gives the runtime."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from service_runtime.postgres.database import Connection

MINUTE: Final = 60
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
WAIT_BUCKETS: Final = (0.01, 0.1, 1, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 4 * HOUR, DAY, 2 * DAY, 3 * DAY, 7 * DAY)
"""Seconds: from what a machine takes to what an office does."""


@dataclass(frozen=True)
class HistogramSpec:
    """Something that happens and has a size: a handler gives it to `work.measure`, and it counts with the commit."""

    name: str
    about: str
    buckets: tuple[float, ...]


@dataclass(frozen=True)
class GaugeSample:
    """One number of how things stand, with the values of the standing's labels."""

    value: float
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class GaugeSpec:
    """How things stand at present: `read` asks the database, cheaply, each time that somebody looks."""

    name: str
    about: str
    read: Callable[[Connection, datetime], Awaitable[Sequence[GaugeSample]]]
    labels: tuple[str, ...] = ()


MetricSpec = HistogramSpec | GaugeSpec


@dataclass(frozen=True)
class Observation:
    """One size of something that has happened."""

    what: HistogramSpec
    value: float
