"""Durations of a definition: whole minutes (`PT30M`), whole days (`P7D`), lengths of brokerage time (`PT4H`, `P3D`)."""

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


def _check_brokerage_length(length: timedelta) -> timedelta:
    if length < MINUTE or length % (MINUTE if length < DAY else DAY):
        message = "must be whole minutes of less than a day, such as PT4H, or whole working days, such as P3D"
        raise ValueError(message)
    return length


Minutes = Annotated[timedelta, AfterValidator(_check_whole_minutes)]
"""A duration of one or more whole minutes, written PT30M."""
Days = Annotated[timedelta, AfterValidator(_check_whole_days)]
"""A duration of one or more whole days, written P7D."""
BrokerageLength = Annotated[timedelta, AfterValidator(_check_brokerage_length)]
"""A length of brokerage time: less than a day in whole minutes, written PT4H, or whole working days, written P3D.

A working day is as long as the brokerage is open on one: three of them from 11:00 on Monday end at 11:00 on Thursday.
"""
