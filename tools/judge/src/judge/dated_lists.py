"""Checks a package that waits for lists of available packages: it is on each until placed, and open from the first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from judge.batching_rows import MAX_DELAY, select_rows
from judge.calendar import BrokerageHours
from judge.events import PackageHistory, RecordedEvent, parse_instant
from judge.list_rules import DatedListRules, read_dated_list
from judge.offer_order import select_sourcing
from judge.rules import FrameworkRules

AVAILABLE_PACKAGES: Final = "available-packages"
_NOT_OPEN_YET: Final = "the package is on no list yet"
_ENDS: Final = frozenset({"PackagePlaced", "SourcingStopped"})


def check_dated_lists(story: PackageHistory, rules: FrameworkRules, now: datetime) -> Iterator[str]:
    rows, events = select_rows(story, AVAILABLE_PACKAGES), select_sourcing(story)
    listed = next((each for each in events if each.kind == "PackageListed"), None)
    dated = None if listed is None else read_dated_list(rules, listed.data["stage"])
    if listed is None or dated is None:
        yield from (f"was put on the list of {each.data['day']}, although it is not open to all" for each in rows)
        return
    yield from _OpenPackage(listed, rows, events, dated, rules.present_hours).check(now)
    yield from _check_proposals(rows, events)


@dataclass(frozen=True)
class _OpenPackage:
    """A package that goes on dated lists, with sourcing's events."""

    listed: RecordedEvent
    rows: Sequence[RecordedEvent]
    events: PackageHistory
    dated: DatedListRules
    hours: BrokerageHours

    def check(self, now: datetime) -> Iterator[str]:
        first, stated = self.dated.find_next_issue(self.hours, self.listed.at).at, self.listed.data["opens_at"]
        if stated is None or parse_instant(stated) != first:
            yield f"is open to proposals from {stated}, not from the list of {first.isoformat()}"
        yield from self._check_missed(now)
        for row in self.rows:
            yield from self._check_row(row)

    def _check_missed(self, now: datetime) -> Iterator[str]:
        """Check that it was on every list before its end; one that was missed in an outage is made up for."""
        ended = next((each.at for each in self.events if each.kind in _ENDS), now)
        days = {each.data["day"] for each in self.rows}
        for issue in self.dated.list_issues(self.hours, self.listed.at, now - MAX_DELAY):
            is_made_up = any(each.data["late"] and each.at > issue.at for each in self.rows)
            if issue.at + MAX_DELAY < ended and issue.day.isoformat() not in days and not is_made_up:
                yield f"is open to all, and was not on the list of {issue.day.isoformat()}"

    def _check_row(self, row: RecordedEvent) -> Iterator[str]:
        issue, before = self.dated.find_last_issue(self.hours, row.at), self.events[: self.events.index(row)]
        if self.listed not in before or any(each.kind in _ENDS for each in before):
            yield f"was put on the list of {row.data['day']} while it was not open to all"
        if issue is None or issue.at < self.listed.at:
            yield f"was put on a list at {row.at.isoformat()}, when none goes out for it"
            return
        expected = {
            "stage": self.dated.stage,
            "day": issue.day.isoformat(),
            "moved_from": None if issue.moved_from is None else issue.moved_from.isoformat(),
            "late": row.at - issue.at > MAX_DELAY,
            "closes_at": None,
        }
        for name, value in expected.items():
            if row.data[name] != value:
                yield f"its row on the list of available packages has {name} {row.data[name]}, not {value}"
        if parse_instant(row.data["listed_since"]) != self.listed.at:
            yield f"is listed since {row.data['listed_since']}, not since {self.listed.at.isoformat()}"
        if any(each.data["day"] == row.data["day"] for each in self.rows if each is not row):
            yield f"is twice on the list of {row.data['day']}"


def _check_proposals(rows: Sequence[RecordedEvent], events: PackageHistory) -> Iterator[str]:
    """Check that proposals count from the first list's issue on, and not before it."""
    opened = events.index(rows[0]) if rows else len(events)
    for position, event in enumerate(events):
        if event.kind == "ProposalReceived" and position < opened:
            yield f"the proposal of {event.data['provider_id']} counts, although the package was on no list yet"
        is_early = event.kind == "ProposalRefused" and _NOT_OPEN_YET in event.data["reasons"]
        if is_early and position > opened:
            yield f"a proposal was refused at {event.at.isoformat()} as too early, although the package was on a list"
