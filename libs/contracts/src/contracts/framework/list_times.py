"""When lists go out and come back."""

from datetime import time
from enum import StrEnum

from pydantic import Field

from contracts.values import LocalTime, StageName, Value, Weekday


class CutOff(Value):
    """When a Batching List goes out, on working days, and from which stage it takes the packages."""

    time: LocalTime = Field(default=time(16), description="the packages that the stage has at this time are listed")
    while_in: StageName = Field(description="the stage whose packages are listed, and whose new offers wait meanwhile")


class ReturnDay(StrEnum):
    """On which day a Batching List comes back."""

    NEXT_WORKING_DAY = "next working day"
    NEXT_CALENDAR_DAY = "next calendar day"


class ReturnedBy(Value):
    """Until when a Batching List can be returned (inclusive)."""

    time: LocalTime = time(10)
    day: ReturnDay = ReturnDay.NEXT_WORKING_DAY


class IssueDays(Value):
    """On which weekdays and when a list of available packages goes out; from a bank holiday it moves to the next
    working day, and two lists that meet are one.
    """

    days: tuple[Weekday, ...] = Field(min_length=1, max_length=7)
    time: LocalTime = time(12)
