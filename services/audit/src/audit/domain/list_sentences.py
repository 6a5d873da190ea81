"""The sentences of events about lists: rows, ticks, and the closing of a Batching List."""

from typing import Final

from audit.domain.names import Names, format_instant, join_phrases
from audit.domain.narration import Narration
from contracts.events.lists import (
    InterestClosed,
    InterestNotUsed,
    InterestRegistered,
    InterestWithdrawn,
    ListKind,
    ListRowAdded,
    ListRowRemoved,
)


def _narrate_row_added(event: ListRowAdded, _: Names) -> str:
    day = f"{event.day.day} {event.day:%B %Y}"
    moved = "" if event.moved_from is None else f", moved from {event.moved_from.day} {event.moved_from:%B}"
    late = ", late after an outage" if event.late else ""
    if event.kind is ListKind.AVAILABLE_PACKAGES:
        return f"The package is on the list of available packages of {day}{moved}{late}"
    until = "" if event.closes_at is None else f"; it can be ticked until {format_instant(event.closes_at)}"
    return f"The package is on the Batching List of {day}{late}{until}"


def _narrate_interest_closed(event: InterestClosed, names: Names) -> str:
    if not event.providers:
        return "The Batching List is closed: nobody ticked the package"
    ticked = join_phrases(names.find_name(provider) for provider in event.providers)
    return f"The Batching List is closed: {ticked} ticked the package"


LIST_NARRATIONS: Final = (
    Narration(ListRowAdded, _narrate_row_added),
    Narration(ListRowRemoved, lambda event, _: f"The package is off the Batching List: {event.reason.value}"),
    Narration(InterestRegistered, lambda event, names: f"{names.find_name(event.provider_id)} ticked the package"),
    Narration(InterestWithdrawn, lambda event, names: f"{names.find_name(event.provider_id)} took its tick back"),
    Narration(
        InterestNotUsed,
        lambda event, names: f"A tick of {names.find_name(event.provider_id)} is not used: {event.reason.value}",
    ),
    Narration(InterestClosed, _narrate_interest_closed),
)
