"""Sentences about lists: when they go out and come back, and what that means for offers."""

from collections.abc import Iterable
from typing import Final

from contracts.framework.list_times import IssueDays, ReturnDay
from contracts.framework.stages import BatchingList
from contracts.values import Weekday

_DAYS: Final = {
    Weekday.MON: "Monday",
    Weekday.TUE: "Tuesday",
    Weekday.WED: "Wednesday",
    Weekday.THU: "Thursday",
    Weekday.FRI: "Friday",
    Weekday.SAT: "Saturday",
    Weekday.SUN: "Sunday",
}


def describe_batching_list(stage: BatchingList, recipients: str) -> Iterable[str]:
    """Describes the list from its cut-off to the offers that follow it."""
    cut_off, returned_by = stage.cut_off, stage.returned_by
    yield (
        f"at {cut_off.time:%H:%M} of a working day the packages that are still with stage {cut_off.while_in} go on a "
        f"list to {recipients}, who tick what interests them"
    )
    yield "while the list is out, no new offers are made of its packages, unless they are urgent"
    day = "working day" if returned_by.day is ReturnDay.NEXT_WORKING_DAY else "day"
    yield (
        f"it is returned by {returned_by.time:%H:%M} of the next {day}; then those who ticked are offered the package "
        f"one at a time, in their order in stage {cut_off.while_in}"
    )


def describe_issue_days(issued: IssueDays) -> str:
    """Describes when lists of available packages go out."""
    days = " and ".join(_DAYS[day] for day in issued.days)
    return (
        f"lists go out on {days} at {issued.time:%H:%M}, from a bank holiday moved to the next working day; the "
        "package can be proposed for from the first list on"
    )
