"""Sections of a definition that contradict each other are reported at the wrong word."""

import pytest

from contracts.definition_problems import DefinitionRefused
from contracts.definitions import read_definition
from testkit.definition_text import SOURCE, change_text, list_problems, write_definition

GOOD = write_definition()
TYPES = "  - {service_type: personal-care, title: Personal care}\n"
LINE = "    - {service_type: personal-care, unit: hour, rate: 24.10}\n"
LIST = "  - {stage: open, procedure: open-list, ceilings: [{service_type: personal-care, rate: 30.00}]}\n"
STAGES = "sourcing:\n"
TO = "    to: {tiers: [tier-1]}\n"
ENTRY = "      - {rule: turnover, at_least: 290000}\n"
LOT = "title: Home care}"
UNDECLARED = "is not declared"
BAND = "  - {{band: {0}, title: A, outward_codes: [{1}]}}\n"
ANOTHER_STAGE = "  - {stage: tier-1, procedure: designated, to: {tiers: [tier-1]}}\n"
HOURS = "{area: E07000071, hours_a_year: 5.00}"
ROUND = "{name: R, opens: 2026-01-01, closes: 2026-02-01, places_from: 2026-03-01}"

UNDECLARED_WORDS = {
    "a neighbour": ("name: Harlow}", "name: Harlow, neighbours: [X1]}", 10, "areas[1].neighbours[0]"),
    "an area of a lot": (LOT, "title: Home care, areas: [E07000071, X1]}", 14, "lots[0].areas[1]"),
    "a service type of a lot": (LOT, "title: L, service_types: [night]}", 14, "lots[0].service_types[0]"),
    "a route of a lot": (LOT, "title: Home care, routes: [crisis]}", 14, "lots[0].routes[0]"),
    "a lot of a tier": ("title: Tier 1\n", "title: Tier 1\n    lots: [lot-2]\n", 18, "tiers[0].lots[0]"),
    "a skill of an entry rule": (
        ENTRY,
        f"{ENTRY}      - rule: skill\n        skill: autism\n",
        22,
        "tiers[0].entry[2].skill",
    ),
    "a circumstance as the skill of an entry rule": (
        ENTRY,
        f"{ENTRY}      - {{rule: skill, skill: key-safe}}\n",
        21,
        "tiers[0].entry[2].skill",
    ),
    "an area of an expectation": (
        "title: Tier 1\n",
        "title: Tier 1\n    expectation: {share_percent: 5, areas: [{area: X1, hours_a_year: 5.00}]}\n",
        18,
        "tiers[0].expectation.areas[0].area",
    ),
    "a service type of a group of lists": (
        "reasons:\n",
        "list_groups: [{group: g, title: G, service_types: [night]}]\nreasons:\n",
        29,
        "list_groups[0].service_types[0]",
    ),
    "a need of a group of lists": (
        "reasons:\n",
        "list_groups: [{group: g, title: G, needs: [key-safe, hoist, autism]}]\nreasons:\n",
        29,
        "list_groups[0].needs[2]",
    ),
    "a service type of a price": (LINE, LINE + LINE.replace("personal-care", "night"), 42, "matrix[1].service_type"),
    "a unit of a price": ("unit: hour, rate", "unit: week, rate", 41, "prices.matrix[0].unit"),
    "a tier of a stage": (TO, "    to: {tiers: [tier-1, tier-2]}\n", 45, "sourcing[0].to.tiers[1]"),
    "a lot of a condition": (TO, f"{TO}    when: {{lots: [lot-2]}}\n", 46, "sourcing[0].when.lots[0]"),
    "an area of a condition": (TO, f"{TO}    when: {{areas: [X1]}}\n", 46, "sourcing[0].when.areas[0]"),
    "a service type of a condition": (
        TO,
        f"{TO}    when: {{service_types: [night]}}\n",
        46,
        "sourcing[0].when.service_types[0]",
    ),
    "a route of a condition": (TO, f"{TO}    when: {{routes: [crisis]}}\n", 46, "sourcing[0].when.routes[0]"),
    "a need of a condition": (TO, f"{TO}    when: {{needs: [autism]}}\n", 46, "sourcing[0].when.needs[0]"),
    "a travel band of a condition": (TO, f"{TO}    when: {{travel_bands: [far]}}\n", 46, "when.travel_bands[0]"),
    "a service type of a ceiling": (
        STAGES,
        STAGES + LIST.replace("30.00}]", "30.00}, {service_type: night, rate: 1.00}], when: {urgent: true}"),
        43,
        "sourcing[0].ceilings[1].service_type",
    ),
}


@pytest.mark.parametrize("case", UNDECLARED_WORDS)
def test_a_word_that_is_not_declared_is_reported_at_the_word(case: str) -> None:
    before, after, line, path = UNDECLARED_WORDS[case]
    (problem,) = list_problems(change_text(GOOD, (before, after)))
    assert (problem.line, UNDECLARED in problem.reason) == (line, True), problem
    assert problem.path.endswith(path)


REPEATED_WORDS = {
    "an area": ("E07000073", "E07000071", "areas[1].code"),
    "a service type": (TYPES, TYPES + TYPES, "service_types[1].service_type"),
    "a lot": (
        "  - {lot: home-care, title: Home care}\n",
        "  - {lot: l, title: A}\n  - {lot: l, title: B}\n",
        "lots[1].lot",
    ),
    "a tier": ("units:\n", "  - {tier: tier-1, title: Another}\nunits:\n", "tiers[1].tier"),
    "a unit": ("routes:\n", "  - {unit: hour, title: h, kind: night}\nroutes:\n", "units[1].unit"),
    "a route": ("skills:\n", "  - {route: community, title: C}\nskills:\n", "routes[1].route"),
    "a skill": ("circumstances:\n", "  - {skill: hoist, title: H}\ncircumstances:\n", "skills[1].skill"),
    "a circumstance": (
        "reasons:\n",
        "  - {circumstance: key-safe, title: K}\nreasons:\n",
        "circumstances[1].circumstance",
    ),
    "a skill among the circumstances": (
        "circumstance: key-safe",
        "circumstance: hoist",
        "circumstances[0].circumstance",
    ),
    "a travel band": (
        "reasons:\n",
        "travel_bands: [{band: b, title: A}, {band: b, title: B}]\nreasons:\n",
        "travel_bands[1].band",
    ),
    "an outward code of two travel bands": (
        "reasons:\n",
        f"travel_bands:\n{BAND.format('a', 'CO1')}{BAND.format('b', 'CO2, CO1')}reasons:\n",
        "travel_bands[1].outward_codes[1]",
    ),
    "a group of lists": (
        "reasons:\n",
        "list_groups: [{group: g, title: A}, {group: g, title: B}]\nreasons:\n",
        "list_groups[1].group",
    ),
    "a reason for a decline": (
        "title: No capacity}]",
        "title: No capacity}, {reason: no-capacity, title: Full}]",
        "reasons.decline[1].reason",
    ),
    "a variation": (
        "brokerage:\n",
        "  variation: [{reason: v, title: A}, {reason: v, title: B}]\nbrokerage:\n",
        "reasons.variation[1].reason",
    ),
    "a day of the week": ("brokerage:\n", "brokerage:\n  days: [MON, TUE, MON]\n", "brokerage.days[2]"),
    "a bank holiday": ("[2025-01-01", "[2025-01-01, 2025-01-01", "brokerage.bank_holidays[1]"),
    "a price": (LINE, LINE + LINE, "prices.matrix[1].service_type"),
    "a stage": (STAGES, STAGES + ANOTHER_STAGE, "sourcing[1].stage"),
    "a tier of a stage": (TO, "    to: {tiers: [tier-1, tier-1]}\n", "sourcing[0].to.tiers[1]"),
    "an order of a stage": (TO, f"{TO}    order: [price, price]\n", "sourcing[0].order[1]"),
    "a ceiling": (
        "      webhook: PT30M\n",
        "      webhook: PT30M\n" + LIST.replace("30.00}", "30.00}, {service_type: personal-care, rate: 31.00}"),
        "sourcing[1].ceilings[1].service_type",
    ),
    "an area of an expectation": (
        "title: Tier 1\n",
        f"title: Tier 1\n    expectation: {{share_percent: 5, areas: [{HOURS}, {HOURS}]}}\n",
        "tiers[0].expectation.areas[1].area",
    ),
}


@pytest.mark.parametrize("case", REPEATED_WORDS)
def test_a_word_that_is_given_twice_is_reported_at_the_second_one(case: str) -> None:
    before, after, path = REPEATED_WORDS[case]
    problems = list_problems(change_text(GOOD, (before, after)))
    assert path in [problem.path for problem in problems]
    assert any("given twice" in problem.reason or "is a skill" in problem.reason for problem in problems)


PRICES = "  price_list: invented-1\n"
GAPS = {
    "a service type without a price": (
        TYPES,
        f"{TYPES}  - {{service_type: night, title: N}}\n",
        "service_types[1]",
        "has no price in E07000071, E07000073",
    ),
    "a price in one band only": (
        LINE,
        LINE.replace("unit:", "band: rural, unit:"),
        "prices.matrix[0].band",
        "is the price band of no area",
    ),
    "a highest rate where the framework sets the rates": (
        "rate: 24.10}",
        "rate: 24.10, highest: 30.00}",
        "prices.matrix[0].highest",
        "remove it",
    ),
    "no highest rate where providers name their own": (
        PRICES,
        f"{PRICES}  rates_set_by: provider\n",
        "prices.matrix[0].highest",
        "is missing",
    ),
    "an open list without a ceiling for a service type": (
        STAGES,
        STAGES + LIST.replace("personal-care", "night"),
        "sourcing[0].ceilings",
        "lacks personal-care",
    ),
    "a stage after an open list for all packages": (STAGES, STAGES + LIST, "sourcing[0]", "nothing can follow"),
    "a round of a closed framework": (
        "areas:\n",
        f"joining: {{mode: closed, rounds: [{ROUND}]}}\nareas:\n",
        "joining.rounds",
        "opens again",
    ),
    "an area that is its own neighbour": (
        "name: Harlow}",
        "name: Harlow, neighbours: [E07000071, E07000073]}",
        "areas[1].neighbours[1]",
        "the area itself",
    ),
}


@pytest.mark.parametrize("case", GAPS)
def test_a_gap_is_reported_with_its_remedy(case: str) -> None:
    before, after, path, text = GAPS[case]
    problems = list_problems(change_text(GOOD, (before, after)))
    assert any(problem.path == path and text in str(problem) for problem in problems), problems


def test_a_price_is_needed_only_where_a_lot_has_the_service_type() -> None:
    lots = "{lot: home-care, title: Home care, service_types: [personal-care], areas: [E07000071]}"
    text = change_text(
        GOOD,
        ("{lot: home-care, title: Home care}", lots),
        (TYPES, f"{TYPES}  - {{service_type: night, title: Night}}\n"),
        ("name: Colchester}", "name: Colchester, price_band: urban}"),
        ("{service_type: personal-care, unit", "{service_type: personal-care, band: urban, unit"),
    )
    assert list_problems(text) == ()


def test_a_price_of_one_band_leaves_a_gap_in_the_other_areas() -> None:
    text = change_text(
        GOOD,
        ("name: Colchester}", "name: Colchester, price_band: urban}"),
        ("{service_type: personal-care, unit", "{service_type: personal-care, band: urban, unit"),
    )
    (problem,) = list_problems(text)
    assert "has no price in E07000073" in problem.reason


def test_an_area_outside_the_framework_needs_no_price() -> None:
    text = change_text(
        GOOD,
        ("name: Colchester}", "name: Colchester, price_band: urban}"),
        ("name: Harlow}", "name: Harlow, outside: not part of the framework}"),
        ("{service_type: personal-care, unit", "{service_type: personal-care, band: urban, unit"),
    )
    assert list_problems(text) == ()


def test_the_pointer_leads_to_the_word() -> None:
    text = change_text(GOOD, (ENTRY, f"{ENTRY}      - {{rule: skill, skill: autism}}\n"))
    with pytest.raises(DefinitionRefused) as refused:
        read_definition(text, source=SOURCE)
    assert [field.pointer for field in refused.value.fields] == ["#/tiers/0/entry/2/skill"]


def test_a_key_that_is_named_like_its_rule_is_found() -> None:
    text = change_text(GOOD, (ENTRY, f"{ENTRY}      - rule: skill\n        skill: Two Words\n"))
    (problem,) = list_problems(text)
    assert (problem.line, problem.path) == (22, "tiers[0].entry[2].skill")
