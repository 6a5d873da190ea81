"""Declarations of a service's business metrics; `wiring` hands them to the runtime."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from service_runtime.postgres.database import Connection

MINUTE: Final = 60
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
WAIT_BUCKETS: Final = (0.01, 0.1, 1, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 4 * HOUR, DAY, 2 * DAY, 3 * DAY, 7 * DAY)
"""Histogram buckets in seconds for waits that range from milliseconds of processing to days of office work."""


@dataclass(frozen=True)
class HistogramSpec:
    """A histogram. Handlers observe values with `work.observe`; they count when the transaction commits."""

    name: str
    help: str
    buckets: tuple[float, ...]
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class CounterSpec:
    """A counter without the suffix `_total`, which /metrics adds. Handlers add to it with `work.observe`."""

    name: str
    help: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class GaugeSample:
    """One value of a gauge, with the values of the gauge's labels."""

    value: float
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class GaugeSpec:
    """A gauge. `read` queries the database at each scrape and export, so its query must be cheap."""

    name: str
    help: str
    read: Callable[[Connection, datetime], Awaitable[Sequence[GaugeSample]]]
    labels: tuple[str, ...] = ()


ObservedSpec = HistogramSpec | CounterSpec
MetricSpec = ObservedSpec | GaugeSpec


@dataclass(frozen=True)
class Observation:
    """One observed value of a histogram, or what a counter grows by, with the values of its labels."""

    metric: ObservedSpec
    value: float
    labels: tuple[str, ...] = ()
