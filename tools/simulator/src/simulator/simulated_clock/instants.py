"""Instants and durations as the user types them for `calloff clock`."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from contracts.office_time import LONDON
from devstack.errors import InvalidTime

START: Final = datetime(2026, 3, 2, 8, 0, tzinfo=LONDON)
"""The default start: a Monday, half an hour before brokerage opens."""
_UNITS: Final = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


def parse_instant(text: str) -> datetime:
    """Parse an instant, in London time unless it has a UTC offset. Raises InvalidTime."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidTime("not an instant; write for example 2026-03-02T08:00, in London time") from None
    return (at if at.tzinfo is not None else at.replace(tzinfo=LONDON)).astimezone(UTC)


def parse_duration(text: str) -> timedelta:
    """Parse a duration such as `90s`, `30m`, `8h`, `5d`, `1w` or `1d12h`. Raises InvalidTime."""
    parts = re.findall(r"(\d+)([wdhms])", text)
    if not parts or "".join(f"{number}{unit}" for number, unit in parts) != text:
        raise InvalidTime("not a duration; write for example 30m, 8h, 5d or 1d12h")
    return timedelta(**{_UNITS[unit]: int(number) for number, unit in parts})


def format_london_time(at: datetime) -> str:
    return f"{at.astimezone(LONDON):%A %Y-%m-%d %H:%M:%S %Z}"
