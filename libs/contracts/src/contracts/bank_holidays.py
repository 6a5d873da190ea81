"""Checks a definition's calendar: the bank holidays of England for every year in which a search can count time.

Published days are known for a few years ahead; the rules behind them (Easter, first Monday of May) give every year.
The pinned days equal the computed ones. A council's own differences, and days proclaimed later, are overrides.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

import holidays

from contracts.contradictions import Contradiction
from contracts.framework.brokerage import BrokerageTime
from contracts.framework.definition import FrameworkDefinition

MAX_CLOSED_DAYS: Final = 30
"""Days in a row on which the brokerage can be closed; a longer closure is a mistake in the calendar."""
AFTER_END: Final = timedelta(days=31)
"""How long after `runs_until` a search that started on the last day counts time."""
_PINNED: Final = ("brokerage", "bank_holidays")
_SATURDAY: Final = 5


@lru_cache(maxsize=256)
def compute_bank_holidays(year: int) -> Mapping[date, str]:
    """Returns the bank holidays of England in `year` that fall on Monday to Friday, substitute days included."""
    computed = holidays.country_holidays("GB", subdiv="ENG", years=year)
    return {day: computed[day] for day in sorted(computed) if day.weekday() < _SATURDAY}


def list_bank_holidays(years: Iterable[int]) -> tuple[date, ...]:
    """Returns the bank holidays of England in `years`, in order."""
    return tuple(day for year in years for day in compute_bank_holidays(year))


def list_years(definition: FrameworkDefinition) -> range:
    """Returns the years whose bank holidays the definition needs, from its first day to the end of its last search."""
    return range(definition.runs_from.year, find_last_day(definition).year + 1)


def find_last_day(definition: FrameworkDefinition) -> date:
    """Returns the last day on which a search of the framework counts time."""
    return date.fromordinal(min(definition.runs_until.toordinal() + AFTER_END.days, date.max.toordinal()))


def find_end_of_calendar(definition: FrameworkDefinition) -> date | None:
    """Returns the last day before the first year without pinned days, or None if the framework ends before."""
    covered = find_last_covered_year(definition)
    if covered is None:
        covered = definition.runs_from.year - 1
    return None if covered >= find_last_day(definition).year else date(max(covered, date.min.year), 12, 31)


def find_last_covered_year(definition: FrameworkDefinition) -> int | None:
    """Returns the last year before the first one without a pinned day; None if the first year has none.

    Computes no bank holidays, because metrics are read with it: a published definition has all days of a year, or none.
    """
    pinned = {day.year for day in definition.brokerage.bank_holidays}
    covered = None
    for year in range(definition.runs_from.year, max(pinned, default=0) + 1):
        if year not in pinned:
            break
        covered = year
    return covered


def find_calendar_contradictions(definition: FrameworkDefinition) -> Iterator[Contradiction]:
    """Yields what is wrong with the calendar of a definition that is about to be published."""
    yield from _find_missing_days(definition)
    yield from _find_foreign_days(definition.brokerage)
    yield from _find_late_proclamations(definition.brokerage)
    closed_from = _find_long_closure(definition)
    if closed_from is not None:
        yield Contradiction(
            ("brokerage",),
            f"does not open for more than {MAX_CLOSED_DAYS} days from {closed_from.isoformat()}; "
            "correct days, bank_holidays and overrides",
        )


def _find_missing_days(definition: FrameworkDefinition) -> Iterator[Contradiction]:
    known = _list_decided_days(definition.brokerage)
    gaps = {year: days for year in list_years(definition) if (days := _list_missing(year, known))}
    if not gaps:
        return
    first = min(gaps)
    needed = f"the framework counts time until {find_last_day(definition).isoformat()}"
    others = f"; the same for {', '.join(str(year) for year in gaps if year != first)}" if len(gaps) > 1 else ""
    days = ", ".join(f"{day.isoformat()} ({compute_bank_holidays(first)[day]})" for day in gaps[first])
    yield Contradiction(_PINNED, f"lacks bank holidays of {first}, and {needed}; add {days}{others}")


def _find_foreign_days(brokerage: BrokerageTime) -> Iterator[Contradiction]:
    for position, day in enumerate(brokerage.bank_holidays):
        if day.weekday() < _SATURDAY and day not in compute_bank_holidays(day.year):
            reason = f"{day.isoformat()} is not a bank holiday of England"
            remedy = (
                "remove it; write a day proclaimed later, or a closure of your own, as an override with closed: true"
            )
            yield Contradiction((*_PINNED, position), f"{reason}; {remedy}")


def _find_late_proclamations(brokerage: BrokerageTime) -> Iterator[Contradiction]:
    """Yields overrides that would change the hours of a day that has begun."""
    for position, override in enumerate(brokerage.overrides):
        if override.proclaimed_on is not None and override.proclaimed_on >= override.day:
            place = ("brokerage", "overrides", position, "proclaimed_on")
            yield Contradiction(place, "is not before the day itself; write the day on which it was proclaimed")


def _list_decided_days(brokerage: BrokerageTime) -> frozenset[date]:
    """Returns the days that are pinned, or that an override closes or opens."""
    return frozenset((*brokerage.bank_holidays, *(override.day for override in brokerage.overrides)))


def _list_missing(year: int, known: Collection[date]) -> tuple[date, ...]:
    return tuple(day for day in compute_bank_holidays(year) if day not in known)


def _find_long_closure(definition: FrameworkDefinition) -> date | None:
    """Returns the first day of a closure that is longer than MAX_CLOSED_DAYS, or None."""
    brokerage = definition.brokerage
    decided = dict.fromkeys(brokerage.bank_holidays, True) | {each.day: each.closed for each in brokerage.overrides}
    weekdays = {weekday.number for weekday in brokerage.days}
    closed_days = 0
    for number in range(definition.runs_from.toordinal(), find_last_day(definition).toordinal() + 1):
        day = date.fromordinal(number)
        is_open = day.weekday() in weekdays and not decided.get(day, False)
        closed_days = 0 if is_open else closed_days + 1
        if closed_days > MAX_CLOSED_DAYS:
            return date.fromordinal(number - MAX_CLOSED_DAYS)
    return None
