"""One broken definition, and what its author has to be told."""

from dataclasses import dataclass
from typing import Final

Edit = tuple[str, str]
"""A text that stands in the definition exactly once, and what replaces it."""


@dataclass(frozen=True)
class BrokenDefinition:
    """A valid definition with edits, and the one problem that it is refused for.

    `line` is part of the line to which the problem points; `reason` and `remedy` are parts of what it says.
    """

    edits: tuple[Edit, ...]
    line: str
    reason: str
    remedy: str


# Places of the valid definition at which words are added.
BEFORE_AREAS: Final = "areas:\n"
BEFORE_LOTS: Final = "lots:\n"
BEFORE_UNITS: Final = "units:\n"
BEFORE_ROUTES: Final = "routes:\n"
BEFORE_REASONS: Final = "reasons:\n"
BEFORE_PRICES: Final = "prices:\n"
COLCHESTER: Final = "  - {code: E07000071, name: Colchester}\n"
HARLOW: Final = "  - {code: E07000073, name: Harlow}\n"
LOT: Final = "  - {lot: home-care, title: Home care}\n"
PRICE: Final = "    - {service_type: personal-care, unit: hour, rate: 24.10}\n"
PROCEDURE: Final = "    procedure: sequential-offers\n"
TO: Final = "    to: {tiers: [tier-1]}\n"
UNDELIVERABLE: Final = "    undeliverable_after: PT2M\n"
LAST_LINE: Final = "      webhook: PT30M\n"
"""The last line of the last stage."""
CEILING: Final = "{service_type: personal-care, rate: 30.00}"


def add_before(place: str, text: str) -> Edit:
    return place, text + place


def add_after(place: str, text: str) -> Edit:
    return place, place + text


def replace_first_stage(text: str) -> tuple[Edit, ...]:
    """Replaces the only stage of the valid definition."""
    stage = f"  - stage: tier-1\n{PROCEDURE}{TO}{UNDELIVERABLE}    answer_within:\n{LAST_LINE}"
    return ((stage, text),)


def add_stage(text: str) -> Edit:
    """Adds a stage after the only one."""
    return add_after(LAST_LINE, text)


def an_open_list(*, ceilings: str = CEILING, rest: str = "") -> str:
    """The text of an open list, its ceilings in one line."""
    return f"  - stage: open\n    procedure: open-list\n    ceilings: [{ceilings}]\n{rest}"
