"""Durations of a definition: whole minutes (`PT30M`) and whole days (`P7D`)."""

from datetime import timedelta
from typing import Annotated, Final

from pydantic import AfterValidator

MINUTE: Final = timedelta(minutes=1)
DAY: Final = timedelta(days=1)


def _check_whole_minutes(length: timedelta) -> timedelta:
    if length < MINUTE or length % MINUTE:
        message = "must be one or more whole minutes, such as PT30M"
        raise ValueError(message)
    return length


def _check_whole_days(length: timedelta) -> timedelta:
    if length < DAY or length % DAY:
        message = "must be one or more whole days, such as P7D"
        raise ValueError(message)
    return length


Minutes = Annotated[timedelta, AfterValidator(_check_whole_minutes)]
"""A duration of one or more whole minutes, written PT30M."""
Days = Annotated[timedelta, AfterValidator(_check_whole_days)]
"""A duration of one or more whole days, written P7D."""
