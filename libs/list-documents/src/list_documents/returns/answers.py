"""Reads the cells that a provider fills: Yes or No, a rate in pounds, a date. English only, as the lists are."""

import re
import string
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from list_documents.returns.grids import Cell
from list_documents.returns.returned import ProblemKind

LARGEST_RATE: Final = Decimal(10_000)
"""Pounds; the same limit as in the API."""
FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2100

_YES: Final = frozenset({"yes", "y", "x", "true", "1", "✓", "✔", "☑", "✅", "√"})
_NO: Final = frozenset({"no", "n", "false", "0", "✗", "✘", "❌"})
_VARIANT: Final = "\ufe0f"
"""Follows a tick that is shown in colour."""
_LONGEST_ECHO: Final = 40
_PLAIN: Final = re.compile(r"[0-9]{1,10}(\.[0-9]+)?|\.[0-9]+")
_WITH_THOUSANDS: Final = re.compile(r"[0-9]{1,3}(,[0-9]{3}){1,3}(\.[0-9]+)?")
_ISO_DAY: Final = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[T ]00:00(?::00(?:\.0+)?)?)?")
_BRITISH_DAY: Final = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")
"""Two digits for the year are refused: 05/06/07 can be read in three ways."""
_SPELT_DAY: Final = re.compile(
    r"(?:[a-z]+,? )?([0-9]{1,2})(?:st|nd|rd|th)?[ -]([a-z]{3,9})\.?,?[ -]([0-9]{4}|[0-9]{2})"
)
_MONTHS: Final = (
    "january february march april may june july august september october november december".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Fault:
    """A cell that cannot be read: `detail` follows the name of the row in a sentence."""

    kind: ProblemKind
    detail: str


def parse_yes_or_no(cell: Cell) -> bool | Fault | None:
    """Returns None for an empty cell."""
    if isinstance(cell, bool):
        return cell
    text = _to_text(cell).casefold().replace(_VARIANT, "").strip(f"{string.whitespace}.!")
    if not text:
        return None
    if text in _YES or text in _NO:
        return text in _YES
    return Fault(ProblemKind.NEITHER_YES_NOR_NO, f"{_quote(cell)} is neither Yes nor No")


def parse_rate(cell: Cell) -> Decimal | Fault | None:
    """Returns pounds, above zero and with at most two decimal places; None for an empty cell."""
    text = _to_text(cell)
    if not text:
        return None
    number = re.sub(r"\s", "", text).removeprefix("£")
    if isinstance(cell, str | int | float) and not isinstance(cell, bool):
        if number.startswith(("-", "−", "(")):
            return _build_rate_fault(cell, "is below zero")
        if _PLAIN.fullmatch(number) or _WITH_THOUSANDS.fullmatch(number):
            return _check_rate(Decimal(number.replace(",", "")), cell)
        if re.fullmatch(r"[0-9]+", number) or (isinstance(cell, float) and cell > float(LARGEST_RATE)):
            return _build_rate_fault(cell, f"is more than £{LARGEST_RATE:,}")
    return _build_rate_fault(cell, "is not a rate; write pounds and pence, like 21.50")


def _check_rate(rate: Decimal, cell: Cell) -> Decimal | Fault:
    if rate > LARGEST_RATE:
        return _build_rate_fault(cell, f"is more than £{LARGEST_RATE:,}")
    if rate == 0:
        return _build_rate_fault(cell, "is no rate; leave the cell empty if you propose nothing")
    pence = rate.quantize(Decimal("0.01"))
    return pence if pence == rate else _build_rate_fault(cell, "has more than two decimal places")


def _build_rate_fault(cell: Cell, why: str) -> Fault:
    return Fault(ProblemKind.NOT_A_RATE, f"{_quote(cell)} {why}")


def parse_day(cell: Cell) -> date | Fault | None:
    """Returns the day; days in digits are read as in Britain, day before month. None for an empty cell."""
    if isinstance(cell, datetime):
        return _check_year(cell.date(), cell)
    if isinstance(cell, date):
        return _check_year(cell, cell)
    text = " ".join(_to_text(cell).casefold().split())
    if not text:
        return None
    for pattern, build in _DAYS:
        found = pattern.fullmatch(text) if isinstance(cell, str) else None
        day = None if found is None else build(*found.groups())
        if day is not None:
            return _check_year(day, cell)
    return Fault(ProblemKind.NOT_A_DATE, f"{_quote(cell)} is not a date; write it like 1 December 2026")


def _check_year(day: date, cell: Cell) -> date | Fault:
    if FIRST_YEAR <= day.year <= LAST_YEAR:
        return day
    return Fault(ProblemKind.NOT_A_DATE, f"{_quote(cell)} is not between {FIRST_YEAR} and {LAST_YEAR}")


def _build_day(year: str, month: int, day: str) -> date | None:
    try:
        return date(int(year) + (FIRST_YEAR if len(year) == 2 else 0), month, int(day))
    except ValueError:
        return None


def _find_month(name: str) -> int:
    """Returns 0, which is no month, for an unknown name."""
    return next((number for number, month in enumerate(_MONTHS, start=1) if month.startswith(name)), 0)


_DAYS: Final[tuple[tuple[re.Pattern[str], Callable[[str, str, str], date | None]], ...]] = (
    (_ISO_DAY, lambda year, month, day: _build_day(year, int(month), day)),
    (_BRITISH_DAY, lambda day, month, year: _build_day(year, int(month), day)),
    (_SPELT_DAY, lambda day, month, year: _build_day(year, _find_month(month), day)),
)


def _to_text(cell: Cell) -> str:
    """Returns what the spreadsheet program shows: a whole number has no decimal point there."""
    if isinstance(cell, float) and cell.is_integer():
        return f"{cell:.0f}"
    return str(cell).strip()


def _quote(cell: Cell) -> str:
    shown = "".join(each for each in _to_text(cell) if each.isprintable())
    return f"'{shown}'" if len(shown) <= _LONGEST_ECHO else f"'{shown[:_LONGEST_ECHO]}…'"
