"""Applies events about lists to the search: rows, ticks, and the closing of a Batching List."""

from dataclasses import replace

from contracts.events.lists import (
    InterestClosed,
    InterestNotUsed,
    InterestRefusal,
    InterestRegistered,
    InterestWithdrawn,
    ListKind,
    ListRowAdded,
    ListRowRemoved,
)
from sourcing.domain.batching_entry import BatchingEntry, EntryStatus
from sourcing.domain.search import Search, SearchStatus

EntryEvent = ListRowRemoved | InterestRegistered | InterestWithdrawn | InterestNotUsed | InterestClosed
ListEvent = ListRowAdded | EntryEvent


def apply_list_event(search: Search, event: ListEvent) -> Search:
    """Return the search after an event about a list."""
    if not isinstance(event, ListRowAdded):
        entry = search.batching
        return search if entry is None else replace(search, batching=_apply_entry_event(entry, event))
    if event.kind is ListKind.AVAILABLE_PACKAGES:
        listing = search.listing
        if listing is None:
            return search
        return replace(search, listing=replace(listing, advert=event.advert, list_id=event.list_id))
    return _begin_entry(search, event)


def _begin_entry(search: Search, event: ListRowAdded) -> Search:
    """Put the package on the Batching List; what a routine package was held for is looked at when the list closes."""
    assert event.closes_at is not None, "a Batching List closes"
    assert event.taken_from is not None, "a Batching List takes its packages from a stage"
    entry = BatchingEntry(
        list_id=event.list_id,
        list_stage=event.stage,
        stage=event.taken_from,
        reference=event.advert.reference,
        closes_at=event.closes_at,
        providers=event.providers,
    )
    if search.is_urgent:
        return replace(search, batching=entry)
    return replace(search, status=SearchStatus.RUNNING, missing=(), batching=entry)


def _apply_entry_event(entry: BatchingEntry, event: EntryEvent) -> BatchingEntry:
    match event:
        case ListRowRemoved():
            return replace(entry, status=EntryStatus.REMOVED)
        case InterestRegistered():
            return replace(entry, ticks=(*entry.ticks, event.provider_id))
        case InterestWithdrawn():
            return replace(entry, ticks=tuple(each for each in entry.ticks if each != event.provider_id))
        case InterestNotUsed(reason=InterestRefusal.LATE):
            return replace(entry, late_ticks=(*entry.late_ticks, event.provider_id))
        case InterestNotUsed():
            return entry
        case InterestClosed():
            return replace(entry, status=EntryStatus.CLOSED)
