"""What a definition says about its lists, and the days and instants at which they go out and come back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from judge.calendar import DAYS, BrokerageHours
from judge.rules import FrameworkRules, Json

BATCHING_LIST: Final = "batching-list"
_ONE_DAY: Final = timedelta(days=1)
_CUT_OFF, _RETURNED_BY, _ISSUED_AT = "16:00", "10:00", "12:00"
"""What a definition that says nothing means."""
_LONGEST_MOVE: Final = 10
"""Days by which bank holidays can move a list."""


@dataclass(frozen=True)
class BatchingRules:
    """A Batching List: which stage's packages it takes, when it goes out and comes back, and to which tiers it goes."""

    stage: str
    taken_from: str
    cut_off: time
    returned_by: time
    by_calendar_day: bool
    tiers: Sequence[str]

    def list_cut_offs(self, hours: BrokerageHours, since: datetime, until: datetime) -> Iterator[datetime]:
        """List the cut-offs of working days, both limits included."""
        day = hours.get_day(since)
        while day <= hours.get_day(until):
            at = hours.to_instant(day, self.cut_off)
            if hours.is_working_day(day) and since <= at <= until:
                yield at
            day += _ONE_DAY

    def find_last_cut_off(self, hours: BrokerageHours, at: datetime) -> datetime | None:
        """Find the last cut-off until `at`, itself included; None if there was none for weeks."""
        return max(self.list_cut_offs(hours, at - timedelta(days=_LONGEST_MOVE), at), default=None)

    def find_closing(self, hours: BrokerageHours, issued_at: datetime) -> datetime:
        following = hours.get_day(issued_at) + _ONE_DAY
        return hours.to_instant(
            following if self.by_calendar_day else hours.find_working_day(following), self.returned_by
        )


def read_batching_list(rules: FrameworkRules) -> BatchingRules | None:
    """Read the Batching List of a definition; None where it has none."""
    stages: Sequence[Json] = rules.definition["sourcing"]
    stage = next((each for each in stages if each["procedure"] == BATCHING_LIST), None)
    if stage is None:
        return None
    returned_by: Json = stage.get("returned_by", {})
    return BatchingRules(
        stage=stage["stage"],
        taken_from=stage["cut_off"]["while_in"],
        cut_off=time.fromisoformat(stage["cut_off"].get("time", _CUT_OFF)),
        returned_by=time.fromisoformat(returned_by.get("time", _RETURNED_BY)),
        by_calendar_day=returned_by.get("day") == "next calendar day",
        tiers=tuple(stage["to"]["tiers"]),
    )


@dataclass(frozen=True)
class Issue:
    """One dated list of available packages."""

    day: date
    at: datetime
    moved_from: date | None


@dataclass(frozen=True)
class DatedListRules:
    """The weekdays and the time at which lists of available packages go out."""

    stage: str
    weekdays: frozenset[int]
    time: time

    def list_issues(self, hours: BrokerageHours, since: datetime, until: datetime) -> Iterator[Issue]:
        """List the lists that go out from `since` to `until`, both included; two that meet on a day are one."""
        day, found = hours.get_day(since) - _LONGEST_MOVE * _ONE_DAY, dict[date, Issue]()
        while day <= hours.get_day(until):
            if day.weekday() in self.weekdays:
                moved_to = hours.find_working_day(day)
                at = hours.to_instant(moved_to, self.time)
                if since <= at <= until and moved_to not in found:
                    found[moved_to] = Issue(moved_to, at, None if moved_to == day else day)
            day += _ONE_DAY
        yield from found.values()

    def find_next_issue(self, hours: BrokerageHours, since: datetime) -> Issue:
        """Find the first list from `since` on, itself included."""
        return next(self.list_issues(hours, since, since + timedelta(days=2 * _LONGEST_MOVE)))

    def find_issue_after(self, hours: BrokerageHours, day: str) -> Issue:
        """Find the list after that of a day."""
        return self.find_next_issue(hours, hours.to_instant(date.fromisoformat(day) + _ONE_DAY, time.min))

    def find_last_issue(self, hours: BrokerageHours, until: datetime) -> Issue | None:
        """Find the last list until `until`, itself included."""
        found = list(self.list_issues(hours, until - timedelta(days=2 * _LONGEST_MOVE), until))
        return found[-1] if found else None


def read_dated_list(rules: FrameworkRules, stage: str) -> DatedListRules | None:
    """Read on which days the lists of an open list go out; None where its packages are open at once."""
    issued: Json | None = rules.get_stage(stage).get("issued")
    if issued is None:
        return None
    weekdays = frozenset(DAYS.index(each) for each in issued["days"])
    return DatedListRules(stage, weekdays, time.fromisoformat(issued.get("time", _ISSUED_AT)))
