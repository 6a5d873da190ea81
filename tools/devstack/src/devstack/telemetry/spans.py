"""A span as it is kept: one piece of work, which one caused it, and which package it was about."""

from dataclasses import dataclass, field
from typing import Final

Attributes = dict[str, str | int | float | bool]

PACKAGE: Final = "calloff.package_id"
EVENT: Final = "calloff.event"


@dataclass(frozen=True)
class SpanName:
    """Which span of which trace."""

    trace_id: str
    span_id: str


@dataclass(frozen=True)
class Span:
    """Instants are in nanoseconds since 1970."""

    trace_id: str
    span_id: str
    parent_id: str | None
    service: str
    name: str
    began: int
    ended: int
    error: str | None = None
    attributes: Attributes = field(default_factory=dict[str, str | int | float | bool])
    links: tuple[SpanName, ...] = ()

    @property
    def package_id(self) -> str | None:
        said = self.attributes.get(PACKAGE)
        return said if isinstance(said, str) else None

    @property
    def took(self) -> int:
        return max(0, self.ended - self.began)

    @property
    def title(self) -> str:
        """Its name; for a message the event that it says, in the place of the topic."""
        event = self.attributes.get(EVENT)
        if not isinstance(event, str):
            return self.name
        return f"{self.name.partition(' ')[0]} {event.removeprefix('calloff.').rpartition('.')[0]}"


@dataclass(frozen=True)
class Number:
    """The newest value of one series; `count` is that of a histogram, whose `value` is its sum."""

    service: str
    name: str
    labels: tuple[tuple[str, str], ...]
    value: float
    count: int | None = None
