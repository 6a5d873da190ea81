"""Definitions with lists that nothing leads to, that go out at the wrong time, or to the wrong providers."""

from typing import Final

from testkit.broken_definitions.case import (
    UNDELIVERABLE,
    BrokenDefinition,
    add_after,
    add_before,
    add_stage,
    an_open_list,
)

SECOND_TIER: Final = add_before("units:\n", "  - {tier: tier-2, title: Tier 2}\n")
ASK_SECOND_TIER: Final = "  - {stage: tier-2, procedure: sequential-offers, to: {tiers: [tier-2]}}\n"


def a_batching_list(*, tier: str = "tier-1", while_in: str = "tier-1", time: str = "16:00", rest: str = "") -> str:
    """The text of a Batching List."""
    return (
        f"  - stage: list\n    procedure: batching-list\n    to:\n      tiers: [{tier}]\n"
        f'    cut_off:\n      time: "{time}"\n      while_in: {while_in}\n{rest}'
    )


LISTS: Final = {
    "a list of a stage that is not just before it": BrokenDefinition(
        (add_stage(a_batching_list(while_in="tier-2")),),
        "      while_in: tier-2",
        "is not the stage of sequential offers just before the list",
        "name that stage",
    ),
    "a list to a tier that the stage before it does not ask": BrokenDefinition(
        (SECOND_TIER, add_stage(a_batching_list(tier="tier-2") + ASK_SECOND_TIER)),
        "      tiers: [tier-2]",
        "are not among the tiers that tier-1 asks",
        "name tiers of that stage",
    ),
    "a list with conditions of its own": BrokenDefinition(
        (add_stage(a_batching_list(rest="    when: {lots: [home-care]}\n")),),
        "    when: {lots: [home-care]}",
        "cannot narrow a list",
        "remove it",
    ),
    "a list that goes out when the brokerage is closed": BrokenDefinition(
        (add_stage(a_batching_list(time="17:00")),),
        '      time: "17:00"',
        "is outside brokerage time",
        "choose a time at which the brokerage is open",
    ),
    "a stage that waits for a list that does not follow": BrokenDefinition(
        (add_after(UNDELIVERABLE, "    exhausted: wait for the batching list\n"),),
        "    exhausted: wait for the batching list",
        "waits for a list",
        "add a stage batching-list just after this one",
    ),
    "available packages that go out when the brokerage is closed": BrokenDefinition(
        (add_stage(an_open_list(rest='    issued:\n      days: [MON]\n      time: "08:00"\n')),),
        '      time: "08:00"',
        "is outside brokerage time",
        "choose a time at which the brokerage is open",
    ),
    "available packages that go out twice on a day": BrokenDefinition(
        (add_stage(an_open_list(rest="    issued:\n      days: [MON, MON]\n")),),
        "      days: [MON, MON]",
        "is given twice",
        "keep one of the two",
    ),
}
