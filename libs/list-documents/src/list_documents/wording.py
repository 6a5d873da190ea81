"""The sentences of a list: its title, how to return it and by when. Times are those of the clock in London."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Final

from contracts.events.lists import ListKind
from contracts.office_time import to_office_date, to_office_time
from list_documents.document import ListDocument

_NAMES: Final[Mapping[ListKind, str]] = {
    ListKind.BATCHING_LIST: "Batching List",
    ListKind.AVAILABLE_PACKAGES: "Available Packages list",
}


def format_title(kind: ListKind, issued_at: datetime) -> str:
    """Returns `Batching List of Mon 5 Jan 2026`."""
    return f"{_NAMES[kind]} of {format_day(to_office_date(issued_at))}"


def format_day(day: date) -> str:
    """Returns `Mon 5 Jan 2026`; with the weekday in front, a spreadsheet leaves it as it is."""
    return f"{day:%a} {day.day} {day:%b} {day.year:04}"


def format_long_day(day: date) -> str:
    return f"{day:%A} {day.day} {day:%B} {day.year:04}"


def format_instant(at: datetime) -> str:
    """Returns `10:00 on Tuesday 6 January 2026 (UK time)`; seconds are shown where there are any."""
    local = to_office_time(at)
    clock = f"{local:%H:%M:%S}" if local.second or local.microsecond else f"{local:%H:%M}"
    return f"{clock} on {format_long_day(local.date())} (UK time)"


def list_sentences(document: ListDocument, *, in_file: bool) -> Iterator[str]:
    """Yields what the recipient has to know; `in_file` where it answers in a file and sends that back."""
    yield from _list_instructions(document, in_file=in_file)
    if document.moved_from is not None:
        yield (
            f"This list moved from {format_long_day(document.moved_from)}, a bank holiday, "
            f"to {format_long_day(to_office_date(document.issued_at))}."
        )
    if document.recipient_areas and document.asks_for_rates:
        yield f"Packages in the areas that you serve stand first: {', '.join(document.recipient_areas)}."
    if document.next_list_on is not None:
        yield f"The next list is due on {format_long_day(document.next_list_on)}."


def _list_instructions(document: ListDocument, *, in_file: bool) -> Iterator[str]:
    send = "save the file and send it back" if in_file else "send the page"
    until = "" if document.closes_at is None else f" by {format_instant(document.closes_at)}"
    if document.asks_for_rates:
        yield f"To take a package, give the rate that you propose for it, then {send}{until}."
        yield (
            "You may add other ways to deliver and the day on which you can start. "
            "Your newest proposal for a package replaces your older one."
        )
    else:
        yield f"Answer Yes for each package that interests you, then {send}{until}."
        yield "Yes is not yet an acceptance: an offer with its price and terms follows, in the order of rank."
