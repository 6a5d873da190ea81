"""The timers of lists: the next cut-off, the closing of a Batching List, the next list of available packages."""

from collections.abc import Iterator

from contracts.framework.stages import OpenList
from sourcing.domain.draft import Draft
from sourcing.domain.list_calendar import (
    find_cut_off_from,
    find_list_day_after,
    find_list_day_from,
    find_list_day_until,
)
from sourcing.domain.procedures.batching_list import awaits_cut_off, find_list_of_stage
from sourcing.domain.search import Search, SearchStatus
from sourcing.domain.steps import CancelledTimer, FollowUp, ScheduledTimer, TimerKind


def plan_list_timers(draft: Draft, follow_up: FollowUp) -> Iterator[ScheduledTimer | CancelledTimer]:
    """Yield the timers of lists to schedule and to cancel after a step."""
    if draft.market.definition is None:
        yield from _cancel_at_end(draft)
        return
    yield from _plan_cut_off(draft)
    yield from _plan_closing(draft)
    yield from _plan_next_list(draft, follow_up)


def _cancel_at_end(draft: Draft) -> Iterator[CancelledTimer]:
    """Cancel all timers of lists where the search ends while its definition is not at hand."""
    if draft.before is None or not _can_be_listed(draft.before) or _can_be_listed(draft.search):
        return
    for kind in (TimerKind.LIST_CUT_OFF, TimerKind.LIST_CLOSES, TimerKind.LIST_GOES_OUT):
        yield CancelledTimer(kind, str(draft.search.package_id))


def _can_be_listed(search: Search) -> bool:
    return search.is_open or search.status is SearchStatus.LISTED


def _plan_cut_off(draft: Draft) -> Iterator[ScheduledTimer | CancelledTimer]:
    """Schedule the cut-off of a package that is with the stage; again between offers, should its timer be missing."""
    about, definition = str(draft.search.package_id), draft.definition
    was_awaited = draft.before is not None and awaits_cut_off(definition, draft.before)
    if not awaits_cut_off(definition, draft.search):
        if was_awaited:
            yield CancelledTimer(TimerKind.LIST_CUT_OFF, about)
        return
    listed = find_list_of_stage(definition, draft.search)
    if listed is not None and (draft.search.is_between_offers or not was_awaited):
        due = find_cut_off_from(draft.calendar, listed.cut_off.time, draft.at)
        yield ScheduledTimer(TimerKind.LIST_CUT_OFF, about, due)


def _plan_closing(draft: Draft) -> Iterator[ScheduledTimer | CancelledTimer]:
    about = str(draft.search.package_id)
    was_out, is_out = draft.before is not None and _is_on_list(draft.before), _is_on_list(draft.search)
    if was_out and not is_out:
        yield CancelledTimer(TimerKind.LIST_CLOSES, about)
    elif is_out and not was_out and draft.search.batching is not None:
        yield ScheduledTimer(TimerKind.LIST_CLOSES, about, draft.search.batching.closes_at)


def _is_on_list(search: Search) -> bool:
    return search.is_open and search.batching is not None and search.batching.is_out


def _plan_next_list(draft: Draft, follow_up: FollowUp) -> Iterator[ScheduledTimer | CancelledTimer]:
    about, before = str(draft.search.package_id), draft.before
    was_listed = before is not None and before.status is SearchStatus.LISTED
    is_listed = draft.search.status is SearchStatus.LISTED
    listing = before.listing if before is not None and was_listed else draft.search.listing
    stage = None if listing is None else draft.definition.get_stage(listing.stage)
    if not isinstance(stage, OpenList) or stage.issued is None:
        return
    if was_listed and not is_listed:
        yield CancelledTimer(TimerKind.LIST_GOES_OUT, about)
    elif is_listed and not was_listed:
        following = find_list_day_from(draft.calendar, stage.issued, draft.at)
        yield ScheduledTimer(TimerKind.LIST_GOES_OUT, about, following.at)
    elif is_listed and follow_up is FollowUp.SEND_NEXT_LIST:
        last = find_list_day_until(draft.calendar, stage.issued, draft.at)
        following = find_list_day_after(draft.calendar, stage.issued, last)
        yield ScheduledTimer(TimerKind.LIST_GOES_OUT, about, following.at)
