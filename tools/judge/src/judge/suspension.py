"""Checks what a Batching List does to offers: none while it is out, then to those who ticked, then the next stage."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from judge.batching_rows import MAX_DELAY, find_stage, select_rows
from judge.events import PackageHistory, RecordedEvent
from judge.list_rules import BatchingRules
from judge.offer_order import LISTED_NO_TICK, TURNS, parse_ranking, select_sourcing
from judge.offers import ENDS
from judge.rules import FrameworkRules
from judge.ticks import ROW_ENDS, compute_ticks, select_after

_ENDS_SUSPENSION: Final = frozenset({*ROW_ENDS, "SuspensionOverridden"})
_GOES_ON: Final = frozenset({"OfferMade", "StageEntered", "PackageListed", "SourcingExhausted"})
_NOT_DUE: Final = frozenset({"SourcingHeld", "SearchPaused", "PackagePlaced", "SourcingStopped"})


def check_suspension(
    story: PackageHistory, rules: FrameworkRules, batching: BatchingRules, *, urgent: bool, now: datetime
) -> Iterator[str]:
    rows = select_rows(story)
    for row in rows:
        events = select_after(story, row)
        yield from _check_urgent(events, now) if urgent else _check_while_out(row, events)
        yield from _check_closing(row, events, story, rules, batching, urgent=urgent, now=now)
    if not urgent:
        yield from _check_waiting(story, rules, batching)


def _check_while_out(row: RecordedEvent, events: Sequence[RecordedEvent]) -> Iterator[str]:
    """Check that a routine package has no new offer and no new stage while the list is out."""
    for event in events:
        if event.kind in _ENDS_SUSPENSION:
            if event.kind == "ListRowRemoved":
                yield f"was taken off the Batching List of {row.data['day']}, although it is not urgent"
            return
        if event.kind in _GOES_ON:
            yield f"{event.kind} at {event.at.isoformat()}, while it is on the Batching List of {row.data['day']}"


def _check_urgent(events: Sequence[RecordedEvent], now: datetime) -> Iterator[str]:
    """Check that the offers of an urgent package go on, and that it leaves the list with the stage."""
    is_out = True
    for position, event in enumerate(events):
        following = events[position + 1 :]
        if event.kind in ROW_ENDS:
            is_out = False
        if event.kind == "StageEntered" and is_out:
            yield "is urgent and went on to the next stage while it stayed on the Batching List"
        if event.kind == "ListRowRemoved" and not any(each.kind in _GOES_ON for each in following[:1]):
            yield "is urgent and was taken off the Batching List, although the stage went on"
        if is_out and event.kind in ENDS - {"OfferAccepted"} and now > event.at + MAX_DELAY:
            kinds = {"ProviderPassedOver", "ListRowRemoved", *_GOES_ON, *_NOT_DUE}
            if not any(each.kind in kinds and each.at <= event.at + MAX_DELAY for each in following):
                yield f"is urgent, and nothing followed the end of its offer at {event.at.isoformat()}"


def _check_closing(
    row: RecordedEvent,
    events: Sequence[RecordedEvent],
    story: PackageHistory,
    rules: FrameworkRules,
    batching: BatchingRules,
    *,
    urgent: bool,
    now: datetime,
) -> Iterator[str]:
    """Check what follows when the list is closed: who did not tick is passed over, those who ticked are asked."""
    position = next((number for number, each in enumerate(events) if each.kind == "InterestClosed"), None)
    closed = None if position is None else events[position]
    after = events if position is None else events[position + 1 :]
    sourcing = select_sourcing(story)
    before = [] if closed is None else sourcing[: sourcing.index(closed)]
    stage = find_stage(before)
    missed = [each for each in after if _is_missed_tick(each)] if closed else []
    stated = [each.data["provider_id"] for each in sourcing if _is_missed_tick(each)]
    ticks = compute_ticks(row, before)
    expected = [] if urgent or stage is None else _list_untried(stage, before, ticks)
    if stated != expected or any(closed is None or each.at != closed.at for each in missed):
        yield f"passed over {stated} for want of a tick, not {expected}"
    if closed is None or urgent:
        return
    entered = next((each for each in after if each.kind in _GOES_ON), None)
    if entered is not None:
        yield from _check_following(entered, ticks, batching)
    if not _has_live_offer(before) and rules.present_hours.is_open(closed.at) and now > closed.at + MAX_DELAY:
        soon = [each.kind for each in after if each.at <= closed.at + MAX_DELAY]
        if not {*soon} & {*_GOES_ON, *_NOT_DUE}:
            yield f"nothing followed when its Batching List was closed at {closed.at.isoformat()}"


def _is_missed_tick(event: RecordedEvent) -> bool:
    return event.kind == "ProviderPassedOver" and LISTED_NO_TICK in event.data["reasons"]


def _list_untried(stage: RecordedEvent, before: PackageHistory, ticks: Sequence[str]) -> list[str]:
    """List the stage's providers that were neither asked nor passed over before the closing, and did not tick."""
    since = before[before.index(stage) :]
    tried = {each.data["provider_id"] for each in since if each.kind in TURNS}
    return [each for each in parse_ranking(stage) if each not in tried and each not in ticks]


def _check_following(entered: RecordedEvent, ticks: Sequence[str], batching: BatchingRules) -> Iterator[str]:
    """Check that those who ticked are asked in their order, and without a tick the stage after the list."""
    stage: str = entered.data["stage"]
    if entered.kind == "OfferMade":
        yield f"{entered.data['provider_id']} was asked by {stage} after the Batching List was closed"
    elif ticks and (stage != batching.stage or list(parse_ranking(entered)) != ticks):
        yield f"{stage} follows its Batching List, although {list(ticks)} ticked it in this order"
    elif not ticks and stage == batching.stage:
        yield f"{stage} follows its Batching List, although nobody ticked it"


def _has_live_offer(events: PackageHistory) -> bool:
    made = {each.data["offer_id"] for each in events if each.kind == "OfferMade"}
    return bool(made - {each.data["offer_id"] for each in events if each.kind in ENDS})


def _check_waiting(story: PackageHistory, rules: FrameworkRules, batching: BatchingRules) -> Iterator[str]:
    """Check that a package that was on no list left the stage after the cut-off of that day, not before it."""
    if select_rows(story):
        return
    events, hours = select_sourcing(story), rules.present_hours
    for position, event in enumerate(events):
        stage = find_stage(events[:position])
        was_with = stage is not None and stage.data["stage"] == batching.taken_from and bool(stage.data["candidates"])
        leaves = event.kind in _GOES_ON - {"OfferMade"}
        if was_with and leaves and event.at <= hours.to_instant(hours.get_day(event.at), batching.cut_off):
            yield f"left {batching.taken_from} at {event.at.isoformat()}, and did not wait for the list of that day"
