"""Checks the ticks on a Batching List: those in time count, each other one is on record with the true reason."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from judge.batching_rows import MAX_DELAY, select_rows
from judge.events import PackageHistory, RecordedEvent, parse_instant
from judge.offer_order import select_sourcing
from judge.rules import Json

_LATE: Final = "the list is closed"
_NOT_A_RECIPIENT: Final = "not a provider to which the list of this area goes"
_PLACED: Final = "the package is placed"
_WITHDRAWN: Final = "the package is withdrawn"
_OFF_THE_LIST: Final = "the package is not on the list any more"
ROW_ENDS: Final = {
    "PackagePlaced": _PLACED,
    "SourcingStopped": _WITHDRAWN,
    "ListRowRemoved": _OFF_THE_LIST,
    "InterestClosed": _LATE,
}
"""What ends a row, and why a tick after it is not used."""


def check_ticks(story: PackageHistory, now: datetime) -> Iterator[str]:
    """Check the ticks of each list, and that the list is closed for the package in time."""
    for row in select_rows(story):
        yield from _check_row(row, select_after(story, row), now)


def select_after(story: PackageHistory, row: RecordedEvent) -> list[RecordedEvent]:
    """Select sourcing's events after a row was added."""
    events = select_sourcing(story)
    return events[events.index(row) + 1 :]


def compute_ticks(row: RecordedEvent, events: PackageHistory) -> list[str]:
    """Compute who ticked the row, in the order of the row's providers."""
    ticked = set[str]()
    for event in events:
        if event.data.get("list_id") == row.data["list_id"] and event.kind in {
            "InterestRegistered",
            "InterestWithdrawn",
        }:
            change = ticked.add if event.kind == "InterestRegistered" else ticked.discard
            change(event.data["provider_id"])
    return [each for each in row.data["providers"] if each in ticked]


def _check_row(row: RecordedEvent, events: Sequence[RecordedEvent], now: datetime) -> Iterator[str]:
    closes_at, ended = parse_instant(row.data["closes_at"]), list[str]()
    for position, event in enumerate(events):
        about_row: bool = event.data.get("list_id") == row.data["list_id"]
        if about_row and event.kind in {"InterestRegistered", "InterestWithdrawn", "InterestNotUsed"}:
            yield from _check_tick(event, row.data, [*ended, *([_LATE] if event.at > closes_at else [])])
        if about_row and event.kind == "InterestClosed":
            yield from _check_closing(event, row, events[:position], ended)
        if event.kind in ROW_ENDS:
            ended.append(ROW_ENDS[event.kind])
    if not ended and now > closes_at + MAX_DELAY:
        yield f"its Batching List was not closed at {closes_at.isoformat()}"


def _check_tick(event: RecordedEvent, row: Json, reasons: Sequence[str]) -> Iterator[str]:
    provider = event.data["provider_id"]
    reasons = [*reasons, *([] if provider in row["providers"] else [_NOT_A_RECIPIENT])]
    if event.kind == "InterestNotUsed" and event.data["reason"] not in reasons:
        yield f"the tick of {provider} was not used because {event.data['reason']}, which is not so"
    if event.kind != "InterestNotUsed" and reasons:
        yield f"the tick of {provider} at {event.at.isoformat()} counts, although {reasons[-1]}"


def _check_closing(
    event: RecordedEvent, row: RecordedEvent, before: PackageHistory, ended: Sequence[str]
) -> Iterator[str]:
    closes_at = parse_instant(row.data["closes_at"])
    if ended:
        yield f"its Batching List was closed for it, although {ended[-1]}"
    if not closes_at <= event.at <= closes_at + MAX_DELAY:
        yield f"its Batching List was closed at {event.at.isoformat()}, not at {closes_at.isoformat()}"
    expected = compute_ticks(row, before)
    if list(event.data["providers"]) != expected:
        yield f"its Batching List was closed with the ticks of {list(event.data['providers'])}, not {expected}"
