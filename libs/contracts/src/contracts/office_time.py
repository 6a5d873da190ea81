"""Office time: the wall clock and calendar day of the council's office, Europe/London."""

from datetime import date, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

LONDON: Final = ZoneInfo("Europe/London")


def to_office_time(at: datetime) -> datetime:
    """Converts an instant to wall time in London."""
    return at.astimezone(LONDON)


def to_office_date(at: datetime, timezone: tzinfo = LONDON) -> date:
    """Returns the calendar day of an instant in the office's time zone."""
    return at.astimezone(timezone).date()
