"""The life of a framework: its extensions, and when providers may join."""

from datetime import date
from enum import StrEnum

from pydantic import Field

from contracts.framework.words import Title
from contracts.values import Value


class Extension(Value):
    """A step by which the framework may be extended, with notice to its providers by a day."""

    until: date
    notice_by: date | None = None


class JoiningMode(StrEnum):
    """When a provider's place may begin."""

    CLOSED = "closed"
    """At the framework's start; later only by a recorded variation with two people."""
    ROUNDS = "in rounds"
    OPEN = "at any time"


class Round(Value):
    """A round in which providers may apply; places that are won in it begin from a day on."""

    name: Title
    opens: date
    closes: date
    places_from: date


class Suspension(Value):
    """A time in which no application is taken."""

    since: date
    until: date
    because: Title


class Joining(Value):
    """When providers may join."""

    mode: JoiningMode
    rounds: tuple[Round, ...] = ()
    suspended: Suspension | None = None


class Assumption(Value):
    """What the documents leave open, how this definition decides it, and why."""

    setting: Title
    because: str = Field(min_length=1, max_length=500)
