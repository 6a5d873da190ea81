"""Days as the office counts them, where an instant is near midnight."""

from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

OFFICE: Final = "Europe/London"


def local_day(at: datetime, timezone: str = OFFICE) -> date:
    """The day that `at` falls on by the wall clock there."""
    return at.astimezone(ZoneInfo(timezone)).date()
