"""Definitions with stages that nobody reaches, packages without a road, and orders that do not decide."""

from typing import Final

from testkit.broken_definitions.case import (
    BEFORE_REASONS,
    BEFORE_UNITS,
    COLCHESTER,
    HARLOW,
    LOT,
    PROCEDURE,
    TO,
    UNDELIVERABLE,
    BrokenDefinition,
    add_after,
    add_before,
    add_stage,
    an_open_list,
)

SECOND_LOT: Final = "  - {lot: extra-care, title: Extra care}\n"
SECOND_TIER: Final = "  - {tier: tier-2, title: Tier 2}\n"
ASK_NEIGHBOURS: Final = (TO, "    to:\n      tiers: [tier-1]\n      reach: neighbouring areas\n")
BY_PRICE: Final = "    order: [price]\n"
A_DESIGNATION: Final = "  - stage: last\n    procedure: designated\n    to: {tiers: [tier-1]}\n"

ROADS: Final = {
    "a stage after one at which the road ends": BrokenDefinition(
        (add_after(UNDELIVERABLE, "    exhausted: stop\n"), add_stage(A_DESIGNATION)),
        "stage: last",
        "no package reaches this stage",
        "let the stages before it go on",
    ),
    "a stage for urgent packages where no route is urgent": BrokenDefinition(
        (add_stage(A_DESIGNATION + "    when: {urgent: true}\n"),),
        "stage: last",
        "no package reaches this stage",
        "widen its conditions",
    ),
    "a stage after an open list for all packages": BrokenDefinition(
        (add_before("  - stage: tier-1\n", an_open_list()),),
        "stage: open",
        "nothing can follow an open list",
        "make it the last stage",
    ),
    "an open list for nobody": BrokenDefinition(
        (add_stage(an_open_list(rest="    members: false\n    spot: false\n")),),
        "stage: open",
        "is open to nobody",
        "set members or spot to true",
    ),
    "a stage that asks a tier of another lot": BrokenDefinition(
        (
            add_after(LOT, SECOND_LOT),
            add_before(BEFORE_UNITS, "  - {tier: tier-2, title: Tier 2, lots: [extra-care]}\n"),
            add_stage(
                "  - stage: wrong\n    procedure: designated\n"
                "    when: {lots: [home-care]}\n    to: {tiers: [tier-2]}\n"
                "  - {stage: right, procedure: designated, when: {lots: [extra-care]}, to: {tiers: [ tier-2 ]}}\n"
            ),
        ),
        "    to: {tiers: [tier-2]}",
        "asks tiers that do not exist in the lots whose packages reach it",
        "name a tier of the lot",
    ),
    "packages of a lot that nobody is asked for": BrokenDefinition(
        (add_after(LOT, SECOND_LOT), add_after(UNDELIVERABLE, "    when: {lots: [home-care]}\n")),
        "sourcing:",
        "no stage asks anybody for personal-care of lot extra-care in Colchester, Harlow (route community)",
        "add a stage, or take these packages out of the lot",
    ),
    "a stage that only continues other packages": BrokenDefinition(
        (
            (PROCEDURE, "    procedure: designated\n    follows_in: [home-care]\n"),
            (TO, "    to: {tiers: []}\n"),
            add_stage("  - {stage: other, procedure: designated, to: {tiers: [tier-1]}, when: {areas: [E07000071]}}\n"),
        ),
        "sourcing:",
        "no stage asks anybody for personal-care of lot home-care in Harlow",
        "add a stage",
    ),
    "an area without neighbours where only neighbours are asked": BrokenDefinition(
        (
            (COLCHESTER, "  - {code: E07000071, name: Colchester, neighbours: [E07000073]}\n"),
            ASK_NEIGHBOURS,
            add_after(UNDELIVERABLE, BY_PRICE),
        ),
        "sourcing:",
        "no stage asks anybody for personal-care of lot home-care in Harlow",
        "add a stage",
    ),
    "neighbours that no area has": BrokenDefinition(
        (
            ASK_NEIGHBOURS,
            add_after(UNDELIVERABLE, BY_PRICE),
            add_stage("  - {stage: own, procedure: designated, to: {tiers: [tier-1]}}\n"),
        ),
        "reach: neighbouring areas",
        "no area has neighbours",
        "add them to areas, or ask the area's own providers",
    ),
    "a tier that no stage asks": BrokenDefinition(
        (add_before(BEFORE_UNITS, SECOND_TIER),),
        "tier: tier-2",
        "no stage asks this tier",
        "name it in a stage, or remove it",
    ),
    "a tier that is asked in lots in which it does not exist": BrokenDefinition(
        (
            add_after(LOT, SECOND_LOT),
            add_before(BEFORE_UNITS, "  - {tier: tier-2, title: Tier 2, lots: [extra-care]}\n"),
            add_stage(
                "  - {stage: second, procedure: designated, to: {tiers: [tier-1, tier-2]}, when: {lots: [home-care]}}\n"
            ),
        ),
        "tier: tier-2",
        "no stage asks this tier in a lot in which it exists",
        "name it in a stage, or remove it",
    ),
    "a lot whose only area is outside": BrokenDefinition(
        (
            (HARLOW, "  - {code: E07000073, name: Harlow, outside: served by another framework}\n"),
            add_after(LOT, "  - {lot: extra-care, title: Extra care, areas: [E07000073]}\n"),
        ),
        "lot: extra-care",
        "serves no package",
        "give it an area that is not outside",
    ),
    "more kinds of packages than can be followed": BrokenDefinition(
        (
            add_before(
                "service_types:\n",
                "".join(f"  - {{code: X{number}, name: Area {number}}}\n" for number in range(450)),
            ),
            add_before("skills:\n", "".join(f"  - {{route: r{number}, title: R}}\n" for number in range(450))),
        ),
        "lots:",
        "lead to 203,852 kinds of packages",
        "write at most 200,000 for 1 stage",
    ),
}

ORDERS: Final = {
    "an order after a draw": BrokenDefinition(
        (add_after(UNDELIVERABLE, "    order: [draw, price]\n"),),
        "order: [draw, price]",
        "a draw leaves no tie",
        "write draw last",
    ),
    "the ranked list of a neighbouring area": BrokenDefinition(
        (
            (COLCHESTER, "  - {code: E07000071, name: Colchester, neighbours: [E07000073]}\n"),
            (HARLOW, "  - {code: E07000073, name: Harlow, neighbours: [E07000071]}\n"),
            ASK_NEIGHBOURS,
            add_after(UNDELIVERABLE, "    order: [ranked-list]\n"),
        ),
        "order: [ranked-list]",
        "a ranked list has the providers of one area",
        "order them by number, price, rotation or draw",
    ),
    "a group of lists after one for all packages": BrokenDefinition(
        (
            add_before(
                BEFORE_REASONS,
                "list_groups:\n  - {group: all, title: All}\n  - {group: hoists, title: Hoists, needs: [hoist]}\n",
            ),
        ),
        "group: hoists",
        "no package gets to this group, because all above matches all packages",
        "write all last",
    ),
    "groups of lists that no stage uses": BrokenDefinition(
        (
            add_before(BEFORE_REASONS, "list_groups:\n  - {group: all, title: All}\n"),
            add_after(UNDELIVERABLE, "    order: [rotation]\n"),
        ),
        "group: all",
        "no stage asks in the order of a ranked list",
        "remove the groups",
    ),
}
