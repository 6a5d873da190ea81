"""Definitions that use a word they do not declare."""

from typing import Final

from testkit.broken_definitions.case import (
    BEFORE_REASONS,
    BEFORE_UNITS,
    HARLOW,
    LOT,
    PRICE,
    PROCEDURE,
    TO,
    BrokenDefinition,
    Edit,
    add_after,
    add_before,
    add_stage,
    an_open_list,
    replace_first_stage,
)


def _undeclared(edit: Edit, line: str, section: str) -> BrokenDefinition:
    return BrokenDefinition((edit,), line, "is not declared", f"add it to {section}, or correct the word")


def _with_condition(condition: str) -> Edit:
    return add_after(TO, f"    when:\n      {condition}\n")


UNDECLARED_WORDS: Final = {
    "a neighbour that is no area": _undeclared(
        (HARLOW, "  - code: E07000073\n    name: Harlow\n    neighbours: [X1]\n"), "neighbours: [X1]", "areas"
    ),
    "a lot with an unknown area": _undeclared((LOT, LOT.replace("}", ", areas: [X1]}")), "areas: [X1]", "areas"),
    "a lot with an unknown service type": _undeclared(
        (LOT, LOT.replace("}", ", service_types: [night]}")), "[night]", "service_types"
    ),
    "a lot with an unknown route": _undeclared((LOT, LOT.replace("}", ", routes: [fax]}")), "[fax]", "routes"),
    "a tier in an unknown lot": _undeclared(add_before(BEFORE_UNITS, "    lots: [lot-2]\n"), "[lot-2]", "lots"),
    "an entry rule about an unknown skill": _undeclared(
        add_after("      - {rule: turnover, at_least: 290000}\n", "      - {rule: skill, skill: autism}\n"),
        "skill: autism",
        "skills",
    ),
    "an expectation for an unknown area": _undeclared(
        add_after(
            "    title: Tier 1\n",
            "    expectation:\n      share_percent: 5\n      areas:\n        - {area: X1, hours_a_year: 5.00}\n",
        ),
        "area: X1",
        "areas",
    ),
    "a group of lists for an unknown service type": _undeclared(
        add_before(BEFORE_REASONS, "list_groups:\n  - {group: a, title: A, service_types: [night]}\n"),
        "service_types: [night]",
        "service_types",
    ),
    "a group of lists for an unknown need": _undeclared(
        add_before(BEFORE_REASONS, "list_groups:\n  - {group: a, title: A, needs: [hoist, autism]}\n"),
        "needs: [hoist, autism]",
        "skills or circumstances",
    ),
    "a price of an unknown service type": _undeclared(
        add_after(PRICE, PRICE.replace("personal-care", "night")), "service_type: night", "service_types"
    ),
    "a price in an unknown unit": _undeclared((PRICE, PRICE.replace("hour", "day")), "unit: day", "units"),
    "a stage that asks an unknown tier": _undeclared((TO, TO.replace("tier-1", "tier-1, tier-9")), "tier-9", "tiers"),
    "a stage for an unknown lot": _undeclared(_with_condition("lots: [lot-2]"), "lots: [lot-2]", "lots"),
    "a stage for an unknown area": _undeclared(_with_condition("areas: [X1]"), "areas: [X1]", "areas"),
    "a stage for an unknown service type": _undeclared(
        _with_condition("service_types: [night]"), "service_types: [night]", "service_types"
    ),
    "a stage for an unknown route": _undeclared(_with_condition("routes: [fax]"), "routes: [fax]", "routes"),
    "a stage for an unknown need": _undeclared(_with_condition("needs: [autism]"), "needs: [autism]", "needs"),
    "a stage for an unknown travel band": _undeclared(
        _with_condition("travel_bands: [far]"), "travel_bands: [far]", "travel_bands"
    ),
    "a stage that continues packages of an unknown lot": _undeclared(
        (PROCEDURE, "    procedure: designated\n    follows_in: [lot-9]\n"), "follows_in: [lot-9]", "lots"
    ),
    "a ceiling for an unknown service type": _undeclared(
        add_stage(
            an_open_list(
                ceilings="\n      {service_type: personal-care, rate: 30.00},\n      {service_type: night, rate: 1.00}"
            )
        ),
        "service_type: night",
        "service_types",
    ),
    "a stage that asks nobody": BrokenDefinition(
        replace_first_stage("  - stage: nobody\n    procedure: offer-to-all\n    to: {tiers: []}\n"),
        "to: {tiers: []}",
        "asks nobody",
        "name one or more tiers",
    ),
}
