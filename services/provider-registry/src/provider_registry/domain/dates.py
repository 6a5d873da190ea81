"""Days: in words, and months later."""

import calendar
from datetime import UTC, date, datetime, time

from contracts.office_time import LONDON


def format_day(day: date) -> str:
    """Formats a day as `3 March 2026`."""
    return f"{day.day} {day:%B %Y}"


def add_months(day: date, months: int) -> date:
    """Returns the same day so many months later, or the month's last day if it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def get_start_of_day(day: date) -> datetime:
    """Returns the instant at which a day begins in the office, in UTC."""
    return datetime.combine(day, time(), LONDON).astimezone(UTC)


def get_day_after(day: date) -> date:
    return date.fromordinal(day.toordinal() + 1)
