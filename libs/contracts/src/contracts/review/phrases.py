"""Phrases of which the sentences about a definition are made: counts, lengths of time, days and ceilings."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from contracts.framework.definition import FrameworkDefinition
from contracts.framework.durations import DAY
from contracts.framework.stages import Ceiling
from contracts.framework.titles import Titles


def format_minutes(length: timedelta) -> str:
    """`30 minutes`, `2 hours`."""
    minutes = length // timedelta(minutes=1)
    return format_count(minutes, "minute") if minutes % 60 else format_count(minutes // 60, "hour")


def format_brokerage_length(length: timedelta) -> str:
    """`4 hours of brokerage time`, `3 working days`."""
    if length < DAY:
        return f"{format_minutes(length)} of brokerage time"
    return format_count(length // DAY, "working day")


def format_count(number: int, what: str) -> str:
    """`1 hour`, `2 hours`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def format_day(day: date) -> str:
    """`9 November 2025`."""
    return f"{day.day} {day:%B %Y}"


def join_words(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`; `nobody` for no word."""
    if len(words) < 2:
        return words[0] if words else "nobody"
    return f"{', '.join(words[:-1])} and {words[-1]}"


def name_ceilings(definition: FrameworkDefinition, ceilings: Iterable[Ceiling]) -> str:
    """`£29.00 for Personal care and £240.00 for Night awake`."""
    titles = Titles(definition)
    return join_words([f"£{each.rate:,} for {titles.get_service_type(each.service_type)}" for each in ceilings])
