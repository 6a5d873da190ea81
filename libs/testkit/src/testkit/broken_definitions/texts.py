"""Texts that YAML 1.1 would read otherwise, values beyond the limits, and gaps in the calendar."""

from itertools import islice, product
from string import ascii_uppercase, digits
from typing import Final

from contracts.definition_limits import MAX_ITEMS
from contracts.definition_loader import MAX_BYTES, MAX_DEPTH, MAX_NODES
from testkit.broken_definitions.case import (
    BEFORE_AREAS,
    BEFORE_REASONS,
    LAST_LINE,
    UNDELIVERABLE,
    BrokenDefinition,
    add_before,
)

TITLE: Final = "title: An example\n"
_CODES: Final = ("".join(code) for code in product(ascii_uppercase, ascii_uppercase, digits))


def _change(before: str, after: str, line: str, reason: str, remedy: str) -> BrokenDefinition:
    return BrokenDefinition(((before, after),), line, reason, remedy)


YAML: Final = {
    "a time after ten without quotes": _change(
        '"17:00"', "17:00", "closes: 17:00", "YAML counts 17:00 in sixties", 'in quotes, such as "17:00"'
    ),
    "a time before ten without quotes": _change(
        '"08:30"', "08:30", "opens: 08:30", "a time of day without quotes", 'put it in quotes, such as "17:00"'
    ),
    "a number with a leading zero": _change(
        "version: 1", "version: 010", "version: 010", "reads 010 as eight", "without a leading zero"
    ),
    "the word on": _change(
        "invented: true", "invented: on", "invented: on", "reads on, off, yes and no", "write true or false"
    ),
    "the word no as a title": _change(
        "name: Harlow", "name: no", "name: no", "reads on, off, yes and no", "put it in quotes"
    ),
    "not a number": _change("24.10", ".nan", ".nan", "a number of a special form", "in plain digits, such as 24.10"),
    "a key twice": _change(
        TITLE, TITLE + TITLE.replace("An", "Another"), "Another", "given twice in one section", "keep one"
    ),
    "an alias": _change(
        "decline: [{reason: no-capacity, title: No capacity}]\n",
        "decline: &all [{reason: full, title: Full}]\n  variation: *all\n",
        "decline: &all",
        "an alias (*) repeats another part",
        "write the part out in both places",
    ),
    "a list as a key": _change(TITLE, TITLE + "[a]: b\n", "[a]: b", "a key is a list", "write a plain word as the key"),
    "a character that cannot be shown": _change(
        TITLE, 'title: "An\\u0007example"\n', "title:", "has a character that cannot be shown", "remove it"
    ),
    "a character that YAML does not allow": _change(
        TITLE, "title: An\x07example\n", "title:", "a character that YAML does not allow", "save the file as UTF-8"
    ),
    "a tab": _change("  invented: true", "\tinvented: true", "invented: true", "this is not YAML", "no tabs"),
    "a bracket left open": _change(
        "title: Hoist}", "title: Hoist", "circumstances:", "this is not YAML", "look at the indentation"
    ),
    "two documents": _change(TITLE, TITLE + "---\n", "---", "this is not YAML", "look at the indentation"),
}

SCHEMA: Final = {
    "a key that is not known": _change(
        "  overrides: []\n", "  overides: []\n", "overides", "is not a key of this section", "did you mean overrides?"
    ),
    "a key of another section": _change(
        TITLE, TITLE + "timezone: Europe/London\n", "timezone", "is not a key of this section", "move it to the section"
    ),
    "a missing key": _change(TITLE, "", "framework: an-example", "is missing", "add it to this section"),
    "a missing procedure": _change(
        "    procedure: sequential-offers\n", "", "stage: tier-1", "names no procedure", "one of batching-list"
    ),
    "a procedure that does not exist": _change(
        "sequential-offers", "raffle", "raffle", "is not one of the allowed values", "'offer-to-all'"
    ),
    "a rating that CQC does not give": _change(
        "at_least: Good", "at_least: Fine", "Fine", "is not one of the allowed values", "'Outstanding'"
    ),
    "a key with a capital letter": _change(
        "skill: hoist", "skill: Hoist", "skill: Hoist", "does not match the required pattern", "[a-z0-9]"
    ),
    "a date in another order": _change(
        "2026-11-08", "08/11/2026", "runs_until", "is not a date", "year, month and day, such as 2025-11-09"
    ),
    "half a penny": _change("24.10", "24.105", "24.105", "is not an amount in pounds", "at most two decimal places"),
    "a time zone that does not exist": _change(
        '  opens: "08:30"\n', '  timezone: Atlantis\n  opens: "08:30"\n', "Atlantis", "is not valid", "Europe/London"
    ),
    "an empty list": _change(
        "lots:\n  - {lot: home-care, title: Home care}\n", "lots: []\n", "lots: []", "is an empty list", "at least one"
    ),
}

LIMITS: Final = {
    "a number beyond all counting": _change(
        "version: 1", "version: 2000000", "version: 2000000", "is too large", "a number of at most 1,000,000"
    ),
    "an amount beyond all money": _change(
        "24.10", "9999999999.00", "9999999999.00", "is too large", "at most 1,000,000,000 pounds"
    ),
    "a duration beyond all waiting": BrokenDefinition(
        (
            (UNDELIVERABLE, UNDELIVERABLE.replace("PT2M", "P367D")),
            (LAST_LINE, LAST_LINE.replace("PT30M", "P300D")),
        ),
        "P367D",
        "is too long",
        "a duration of at most 366 days",
    ),
    "a day of another century": _change(
        "runs_from: 2025-11-09", "runs_from: 1999-12-31", "runs_from", "is not a date of this century", "2000-01-01"
    ),
    "a list beyond all reading": BrokenDefinition(
        (
            add_before(
                BEFORE_REASONS,
                "travel_bands:\n  - band: far\n    title: Far\n"
                f"    outward_codes: [{', '.join(islice(_CODES, MAX_ITEMS + 1))}]\n",
            ),
        ),
        "outward_codes",
        f"has {MAX_ITEMS + 1} items",
        f"write at most {MAX_ITEMS}",
    ),
    "a very long text": _change(
        "source: invented for tests", f"source: {'x' * 501}", "source", "has the wrong length", "nor longer than"
    ),
    "deep nesting": _change(
        TITLE, f"title: {'[' * MAX_DEPTH}\n", "title:", "is nested too deeply", "follow an existing definition's shape"
    ),
    "more values than a definition has": _change(
        TITLE, f"title: [{'a, ' * MAX_NODES}a]\n", "title:", f"has more than {MAX_NODES} values", "a shorter definition"
    ),
    "more bytes than a definition has": BrokenDefinition(
        (add_before(BEFORE_AREAS, f"# {'x' * MAX_BYTES}\n"),),
        "framework: an-example",
        "is larger than a definition may be",
        "write a shorter definition",
    ),
}

CALENDAR: Final = {
    "a year without bank holidays": _change(
        "runs_until: 2026-11-08",
        "runs_until: 2027-11-08",
        "bank_holidays",
        "lacks bank holidays of 2027, and the framework counts time until 2027-12-09",
        "add 2027-01-01 (New Year's Day)",
    ),
    "the month after the end without bank holidays": _change(
        "runs_until: 2026-11-08", "runs_until: 2026-12-08", "bank_holidays", "lacks bank holidays of 2027", "2027-01-01"
    ),
    "a bank holiday left out": _change("2026-12-25, ", "", "bank_holidays", "of 2026", "2026-12-25 (Christmas Day)"),
    "a day that is no bank holiday": _change(
        "[2025-01-01",
        "[2026-03-02, 2025-01-01",
        "bank_holidays",
        "2026-03-02 is not a bank holiday of England",
        "as an override with closed: true",
    ),
    "a holiday proclaimed on its day": _change(
        "overrides: []",
        "overrides: [{day: 2026-09-21, closed: true, name: Funeral, proclaimed_on: 2026-09-21}]",
        "proclaimed_on",
        "is not before the day itself",
        "write the day on which it was proclaimed",
    ),
    "an office that is closed for five weeks": BrokenDefinition(
        (
            (
                "  overrides: []\n",
                "  overrides:\n"
                + "".join(
                    f"    - {{day: 2026-{month}-{day:02}, closed: true, name: Closed}}\n"
                    for month, days in (("02", range(1, 29)), ("03", range(1, 10)))
                    for day in days
                ),
            ),
        ),
        "brokerage:",
        "does not open for more than 30 days from 2026-01-31",
        "correct days, bank_holidays and overrides",
    ),
}
