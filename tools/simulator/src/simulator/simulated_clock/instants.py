"""Instants and lengths of time as people type them at `calloff clock`."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from contracts.office_time import LONDON
from devstack.errors import InvalidTime

START: Final = datetime(2026, 3, 2, 8, 0, tzinfo=LONDON)
"""A Monday, half an hour before the brokerage opens."""
_UNITS: Final = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


def the_instant(said: str) -> datetime:
    """`2026-03-02T08:00` in London, or with a zone of its own; in UTC. Raises NotATime."""
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        raise InvalidTime("write an instant such as 2026-03-02T08:00, in London's time") from None
    return (at if at.tzinfo is not None else at.replace(tzinfo=LONDON)).astimezone(UTC)


def the_length(said: str) -> timedelta:
    """`90s`, `30m`, `8h`, `5d`, `1w`, or several in that manner: `1d12h`. Raises NotATime."""
    parts = re.findall(r"(\d+)([wdhms])", said)
    if not parts or "".join(f"{number}{unit}" for number, unit in parts) != said:
        raise InvalidTime("write a length of time such as 30m, 8h, 5d or 1d12h")
    return timedelta(**{_UNITS[unit]: int(number) for number, unit in parts})


def in_london(at: datetime) -> str:
    return f"{at.astimezone(LONDON):%A %Y-%m-%d %H:%M:%S %Z}"
