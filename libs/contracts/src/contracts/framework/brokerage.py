"""Working hours of the council's officers, with their bank holidays."""

from datetime import date, time
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from contracts.framework.words import Title
from contracts.values import LocalTime, Value, Weekday


def _check_timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        message = "no such time zone; write one of the IANA database, such as Europe/London"
        raise ValueError(message) from error
    return name


class BankHolidayOverride(Value):
    """A day that is added to the published bank holidays of England (`closed`) or removed from them."""

    day: date
    closed: bool
    name: Title
    proclaimed_on: date | None = Field(
        default=None,
        description="for a holiday proclaimed after publication: it counts for searches that are running, too",
    )


class BrokerageTime(Value):
    """Working hours of the council's officers. Deadlines of routine packages count only this time."""

    timezone: Annotated[str, AfterValidator(_check_timezone)] = "Europe/London"
    opens: LocalTime = time(8, 30)
    closes: LocalTime = time(17, 0)
    days: tuple[Weekday, ...] = Field(
        default=(Weekday.MON, Weekday.TUE, Weekday.WED, Weekday.THU, Weekday.FRI), min_length=1
    )
    bank_holidays: tuple[date, ...] = Field(description="pinned, so that a replay in ten years counts the same hours")
    overrides: tuple[BankHolidayOverride, ...] = ()

    @model_validator(mode="after")
    def check_opens_before_closes(self) -> Self:
        if self.opens >= self.closes:
            message = "opens must be before closes, both on the same day"
            raise ValueError(message)
        return self
