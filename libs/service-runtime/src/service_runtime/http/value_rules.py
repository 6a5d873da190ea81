"""Rules for values of request bodies that are not text: no value is converted from another type.

JSON has no dates, identifiers or decimals, so these are text in one form. A number is never a date, text is never a
number, and yes or no is true or false.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Final
from uuid import UUID

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LOCAL_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?")
_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_AMOUNT: Final = re.compile(r"[0-9]{1,10}(\.[0-9]{1,2})?")


@dataclass(frozen=True)
class DateRule:
    """Accepts a date as YYYY-MM-DD from `first` to `last`; the ends of the calendar are out of every range."""

    first: date
    last: date

    def __call__(self, value: object) -> date:
        if not isinstance(value, str) or not _DATE.fullmatch(value.strip()):
            message = "must be a date in quotation marks, written as YYYY-MM-DD, such as 2026-03-31"
            raise ValueError(message)
        try:
            day = date.fromisoformat(value.strip())
        except ValueError:
            message = "is not a day of the calendar; check month and day"
            raise ValueError(message) from None
        if not self.first <= day <= self.last:
            message = f"must be from {self.first} to {self.last}; check the year"
            raise ValueError(message)
        return day


def parse_instant(value: object) -> datetime:
    """Accepts an instant in ISO 8601 with its offset from UTC, in the years 2000 to 2199."""
    try:
        instant = datetime.fromisoformat(value.strip()) if isinstance(value, str) else None
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None or not 2000 <= instant.year <= 2199:
        message = "must be an instant in quotation marks with its offset from UTC, such as 2026-03-02T09:00:00Z"
        raise ValueError(message)
    return instant


def parse_local_time(value: object) -> time:
    if not isinstance(value, str) or not _LOCAL_TIME.fullmatch(value.strip()):
        message = "must be local time of day in quotation marks, written as HH:MM without an offset, such as 07:30"
        raise ValueError(message)
    return time.fromisoformat(value.strip())


def parse_uuid(value: object) -> UUID:
    """Accepts the one usual form with four hyphens, without braces and without `urn:uuid:`."""
    if not isinstance(value, str) or not _UUID.fullmatch(value.strip()):
        message = "must be a UUID in quotation marks, such as 0197a3c0-0000-7000-8000-000000000000"
        raise ValueError(message)
    return UUID(value.strip())


def parse_amount(value: object) -> Decimal:
    """Accepts a JSON number or its digits in quotation marks, up to ten digits before the point and two after it."""
    text = value.strip() if isinstance(value, str) else _format_number(value)
    if not _AMOUNT.fullmatch(text):
        message = "must be a number such as 24.10: at most two decimals, no sign, no exponent, no separators"
        raise ValueError(message)
    return Decimal(text)


def check_whole_number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        message = "must be a whole number without quotation marks or decimals"
        raise ValueError(message)  # noqa: TRY004  pydantic reports ValueError as a wrong field
    return value


def check_yes_or_no(value: object) -> bool:
    if not isinstance(value, bool):
        message = "must be true or false, without quotation marks"
        raise ValueError(message)  # noqa: TRY004  pydantic reports ValueError as a wrong field
    return value


def _format_number(value: object) -> str:
    """Returns the digits of a number, and no text for anything else or for a number of more than 64 bits."""
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) >= 1 << 63:
        return ""
    return repr(value)
