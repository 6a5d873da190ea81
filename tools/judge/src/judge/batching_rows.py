"""Checks who was on which Batching List: what is with the stage at the cut-off, and nothing else, once a search."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from judge.events import PackageHistory, RecordedEvent, parse_instant
from judge.list_rules import BATCHING_LIST, BatchingRules
from judge.offer_order import parse_ranking, select_sourcing
from judge.rules import FrameworkRules

MAX_DELAY: Final = timedelta(minutes=1)
"""Latest instant of what is due, after its time; a later list says that it is late."""
_LEAVES: Final = frozenset({"PackagePlaced", "SourcingStopped", "SourcingExhausted", "PackageListed"})


def select_rows(story: PackageHistory, kind: str = BATCHING_LIST) -> list[RecordedEvent]:
    """Select the package's rows on lists of one kind."""
    return [each for each in select_sourcing(story) if each.kind == "ListRowAdded" and each.data["kind"] == kind]


def find_stage(events: PackageHistory) -> RecordedEvent | None:
    """Find the stage that a search is in after these events; None before the first one and after its end."""
    stage: RecordedEvent | None = None
    for event in events:
        if event.kind == "StageEntered":
            stage = event
        if event.kind in _LEAVES:
            stage = None
    return stage


def check_batching_rows(
    story: PackageHistory, rules: FrameworkRules, batching: BatchingRules, now: datetime
) -> Iterator[str]:
    rows = select_rows(story)
    if len(rows) > 1:
        yield f"was on {len(rows)} Batching Lists in one search"
    for row in rows:
        yield from _check_row(row, story, rules, batching)
    if not rows:
        yield from _check_missed(story, rules, batching, now)


def _check_row(
    row: RecordedEvent, story: PackageHistory, rules: FrameworkRules, batching: BatchingRules
) -> Iterator[str]:
    events = select_sourcing(story)
    stage, hours = find_stage(events[: events.index(row)]), rules.present_hours
    due = batching.find_last_cut_off(hours, row.at)
    if stage is None or stage.data["stage"] != batching.taken_from:
        yield f"was put on a Batching List at {row.at.isoformat()}, while it was not with {batching.taken_from}"
        return
    if due is None or events[0].at > due:
        yield f"was put on a Batching List at {row.at.isoformat()}, which is no cut-off that it was there for"
        return
    is_late = row.at - due > MAX_DELAY
    expected = {
        "stage": batching.stage,
        "taken_from": batching.taken_from,
        "day": hours.get_day(due).isoformat(),
        "moved_from": None,
        "late": is_late,
        "providers": list(parse_ranking(stage)),
    }
    for name, value in expected.items():
        if row.data[name] != value:
            yield f"its row on the Batching List has {name} {row.data[name]}, not {value}"
    closes_at = batching.find_closing(hours, row.at)
    if parse_instant(row.data["closes_at"]) != closes_at:
        yield f"its list can be returned until {row.data['closes_at']}, not {closes_at.isoformat()}"
    if parse_instant(row.data["listed_since"]) != row.at:
        yield f"is listed since {row.data['listed_since']}, although it joined the list at {row.at.isoformat()}"


def _check_missed(
    story: PackageHistory, rules: FrameworkRules, batching: BatchingRules, now: datetime
) -> Iterator[str]:
    """Check that a package that was on no list was not with the stage at any cut-off."""
    events = select_sourcing(story)
    if not events:
        return
    for cut_off in batching.list_cut_offs(rules.present_hours, events[0].at, now - MAX_DELAY):
        instants = (cut_off, cut_off + MAX_DELAY)
        stages = [find_stage([each for each in events if each.at <= at]) for at in instants]
        if all(_waits_for_list(stage, batching) for stage in stages):
            yield f"was with {batching.taken_from} at {cut_off.isoformat()}, and on no Batching List"
            return


def _waits_for_list(stage: RecordedEvent | None, batching: BatchingRules) -> bool:
    """Return whether the package is listed; without a provider in the stage there is nobody to whom a list could go."""
    return stage is not None and stage.data["stage"] == batching.taken_from and bool(stage.data["candidates"])
