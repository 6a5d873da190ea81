"""Spans and metric samples as the archive stores them."""

from dataclasses import dataclass, field
from typing import Final

Attributes = dict[str, str | int | float | bool]

PACKAGE: Final = "calloff.package_id"
EVENT: Final = "calloff.event"


@dataclass(frozen=True)
class SpanReference:
    """A span of another trace, by its ids."""

    trace_id: str
    span_id: str


@dataclass(frozen=True)
class Span:
    """One operation. `began` and `ended` are in nanoseconds since 1970."""

    trace_id: str
    span_id: str
    parent_id: str | None
    service: str
    name: str
    began: int
    ended: int
    error: str | None = None
    attributes: Attributes = field(default_factory=dict[str, str | int | float | bool])
    links: tuple[SpanReference, ...] = ()

    @property
    def package_id(self) -> str | None:
        package_id = self.attributes.get(PACKAGE)
        return package_id if isinstance(package_id, str) else None

    @property
    def took(self) -> int:
        return max(0, self.ended - self.began)

    @property
    def title(self) -> str:
        """The name; for a message with its event type instead of the topic."""
        event = self.attributes.get(EVENT)
        if not isinstance(event, str):
            return self.name
        return f"{self.name.partition(' ')[0]} {event.removeprefix('calloff.').rpartition('.')[0]}"


@dataclass(frozen=True)
class MetricSample:
    """The newest value of one time series; for a histogram `value` is the sum and `count` the number."""

    service: str
    name: str
    labels: tuple[tuple[str, str], ...]
    value: float
    count: int | None = None
