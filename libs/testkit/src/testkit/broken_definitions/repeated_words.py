"""Definitions that give a word twice."""

from typing import Final

from testkit.broken_definitions.case import (
    BEFORE_LOTS,
    BEFORE_REASONS,
    BEFORE_ROUTES,
    BEFORE_UNITS,
    HARLOW,
    LOT,
    PRICE,
    TO,
    BrokenDefinition,
    Edit,
    add_after,
    add_before,
    add_stage,
    an_open_list,
)


def _twice(edit: Edit, line: str) -> BrokenDefinition:
    return BrokenDefinition((edit,), line, "is given twice", "keep one of the two")


AN_OVERRIDE: Final = "    - {day: 2026-03-02, closed: true, name: Closed}\n"

REPEATED_WORDS: Final = {
    "an area twice": _twice(add_after(HARLOW, HARLOW.replace("Harlow", "Again")), "Again"),
    "a service type twice": _twice(
        add_before(BEFORE_LOTS, "  - {service_type: personal-care, title: Again}\n"), "Again"
    ),
    "a lot twice": _twice(add_after(LOT, LOT.replace("Home care", "Again")), "Again"),
    "a tier twice": _twice(add_before(BEFORE_UNITS, "  - {tier: tier-1, title: Again}\n"), "Again"),
    "a unit twice": _twice(add_before(BEFORE_ROUTES, "  - {unit: hour, title: Again, kind: hour}\n"), "Again"),
    "a route twice": _twice(add_before("skills:\n", "  - {route: community, title: Again}\n"), "Again"),
    "a skill twice": _twice(add_before("circumstances:\n", "  - {skill: hoist, title: Again}\n"), "Again"),
    "a circumstance twice": _twice(add_before(BEFORE_REASONS, "  - {circumstance: key-safe, title: Again}\n"), "Again"),
    "a circumstance that is a skill": BrokenDefinition(
        (add_before(BEFORE_REASONS, "  - {circumstance: hoist, title: Again}\n"),),
        "circumstance: hoist",
        "is a skill as well",
        "keep it in one of the two lists",
    ),
    "an outward code in two travel bands": _twice(
        add_before(
            BEFORE_REASONS,
            "travel_bands:\n"
            "  - {band: near, title: Near, outward_codes: [CO1]}\n"
            "  - {band: far, title: Far, outward_codes: [CO2, CO1]}\n",
        ),
        "title: Far",
    ),
    "a group of lists twice": _twice(
        add_before(
            BEFORE_REASONS,
            "list_groups:\n  - {group: a, title: A, needs: [hoist]}\n  - {group: a, title: Again}\n",
        ),
        "Again",
    ),
    "a reason twice": _twice(
        (
            "  decline: [{reason: no-capacity, title: No capacity}]\n",
            "  decline:\n    - {reason: full, title: Full}\n    - {reason: full, title: Again}\n",
        ),
        "Again",
    ),
    "a day of the week twice": _twice(add_before('  opens: "08:30"\n', "  days: [MON, TUE, MON]\n"), "days:"),
    "a bank holiday twice": _twice(("[2025-01-01", "[2025-01-01, 2025-01-01"), "bank_holidays"),
    "an override twice": _twice(
        (
            "  overrides: []\n",
            "  overrides:\n" + AN_OVERRIDE + AN_OVERRIDE.replace("Closed", "Again"),
        ),
        "Again",
    ),
    "a price twice": _twice(add_after(PRICE, PRICE.replace("24.10", "25.10")), "25.10"),
    "a stage twice": _twice(
        add_stage("  - stage: tier-1\n    procedure: designated\n    to: {tiers: [tier-1]} # again\n"), "stage: tier-1"
    ),
    "a tier twice in one stage": _twice((TO, TO.replace("tier-1", "tier-1, tier-1")), "[tier-1, tier-1]"),
    "an order twice in one stage": _twice(add_after(TO, "    order: [price, price]\n"), "[price, price]"),
    "a ceiling twice": _twice(
        add_stage(
            an_open_list(
                ceilings="\n      {service_type: personal-care, rate: 30.00},"
                "\n      {service_type: personal-care, rate: 31.00}"
            )
        ),
        "31.00",
    ),
    "an expected area twice": _twice(
        add_after(
            "    title: Tier 1\n",
            "    expectation:\n      share_percent: 5\n      areas:\n"
            "        - {area: E07000071, hours_a_year: 5.00}\n"
            "        - {area: E07000071, hours_a_year: 6.00}\n",
        ),
        "6.00",
    ),
    "an area that is its own neighbour": BrokenDefinition(
        ((HARLOW, "  - code: E07000073\n    name: Harlow\n    neighbours: [E07000071, E07000073]\n"),),
        "neighbours:",
        "is the area itself",
        "remove it",
    ),
}
