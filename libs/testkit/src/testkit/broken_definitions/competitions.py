"""Definitions with mini-competitions whose weights, scores, times or reasons contradict each other."""

from typing import Final

from testkit.broken_definitions.case import CEILING, BrokenDefinition, Edit, add_after, add_stage

REASONS: Final = (
    "  withdrawal: [{reason: no-longer-needed, title: No longer needed}]\n",
    "  overrule: [{reason: continuity, title: Continuity}]\n",
    "  competition_end: [{reason: need-changed, title: The need has changed}]\n",
)
TWO_REASONS: Final = add_after(REASONS[0], REASONS[1] + REASONS[2])
SKILLS: Final = "{criterion: skills, title: Skills, weight: 60}"
CARERS: Final = "{criterion: carers, title: Carers, weight: 10}"


def a_competition(
    *, criteria: str = f"{SKILLS}, {CARERS}", price: int = 30, ceilings: str = CEILING, rest: str = ""
) -> str:
    """The text of a competition, its criteria in one line."""
    scored = f"    criteria: [{criteria}]\n    price_weight: {price}\n"
    return f"{_begin_competition(ceilings)}{scored}{rest}"


def name_the_price(rest: str = "") -> str:
    return f"{_begin_competition(CEILING)}    lowest_price: true\n{rest}"


def _begin_competition(ceilings: str) -> str:
    return (
        f"  - stage: bids\n    procedure: mini-competition\n    to: {{tiers: [ tier-1 ]}}\n    ceilings: [{ceilings}]\n"
    )


def _break(text: str, *others: Edit) -> tuple[Edit, ...]:
    return (TWO_REASONS, add_stage(text), *others)


WEIGHTS: Final = {
    "a competition whose weights do not sum up": BrokenDefinition(
        _break(a_competition(price=20)),
        "criteria:",
        "have weights that sum up to 90 with price_weight",
        "write weights that sum up to 100",
    ),
    "a competition without criteria": BrokenDefinition(
        _break(_begin_competition(CEILING)),
        "stage: bids",
        "has no criteria",
        "add them, or write lowest_price: true",
    ),
    "a criterion that is given twice": BrokenDefinition(
        _break(a_competition(criteria=f"{SKILLS}, {SKILLS.replace('60', '10')}")),
        "criteria:",
        "is given twice",
        "keep one of the two",
    ),
    "a criterion without a weight": BrokenDefinition(
        _break(a_competition(criteria="{criterion: skills, title: Skills}")), "criteria:", "is missing", "add it"
    ),
    "a criterion that weighs nothing": BrokenDefinition(
        _break(a_competition(criteria=SKILLS.replace("60", "0"))), "criteria:", "is too small", "write a larger number"
    ),
    "a pass mark above the highest score": BrokenDefinition(
        _break(a_competition(rest="    pass_mark: 6\n")),
        "pass_mark: 6",
        "is above the highest score",
        "lower it, so that a bid can pass",
    ),
    "the lowest price with criteria": BrokenDefinition(
        _break(name_the_price(f"    criteria: [{SKILLS}]\n")),
        "criteria:",
        "are not scored where the lowest price wins",
        "remove them",
    ),
    "the lowest price with a weight": BrokenDefinition(
        _break(name_the_price("    price_weight: 40\n")),
        "price_weight: 40",
        "must be 100 where the lowest price wins",
        "remove it",
    ),
    "the lowest price with a pass mark": BrokenDefinition(
        _break(name_the_price("    pass_mark: 3\n")),
        "pass_mark: 3",
        "passes nothing where the lowest price wins",
        "remove it",
    ),
}

COMPETITIONS: Final = {
    **WEIGHTS,
    "a competition without a ceiling": BrokenDefinition(
        _break(a_competition(ceilings="")), "ceilings:", "is an empty list", "give at least one item"
    ),
    "a competition with a ceiling for another service type": BrokenDefinition(
        _break(a_competition(ceilings=f"{CEILING}, {{service_type: night, rate: 300.00}}")),
        "ceilings:",
        "is not declared",
        "add it to service_types",
    ),
    "a ceiling of a competition that is given twice": BrokenDefinition(
        _break(a_competition(ceilings=f"{CEILING}, {CEILING}")), "ceilings:", "is given twice", "keep one of the two"
    ),
    "a ceiling of a competition below the matrix": BrokenDefinition(
        _break(a_competition(ceilings=CEILING.replace("30.00", "20.00"))),
        "ceilings:",
        "is below the highest rate of the matrix",
        "raise it",
    ),
    "questions that end before bids begin": BrokenDefinition(
        _break(name_the_price("    open_for: {routine: PT4H, urgent: PT2H}\n")),
        "  - stage: bids",
        "leaves no time for questions",
        "make it shorter than open_for",
    ),
    "a length that is neither hours nor whole working days": BrokenDefinition(
        _break(name_the_price("    open_for: {routine: PT36H, urgent: PT2H}\n")),
        "open_for:",
        "is not valid",
        "must be whole minutes of less than a day, such as PT4H, or whole working days",
    ),
    "a competition that nobody is invited to": BrokenDefinition(
        _break(a_competition().replace("[ tier-1 ]", "[]")), "    to:", "asks nobody", "name one or more tiers"
    ),
    "a competition for a tier that is not declared": BrokenDefinition(
        _break(a_competition().replace("[ tier-1 ]", "[ tier-9 ]")),
        "tier-9",
        "is not declared",
        "add it to tiers",
    ),
    "a competition for one tier twice": BrokenDefinition(
        _break(a_competition().replace("[ tier-1 ]", "[ tier-1, tier-1 ]")),
        "tier-1, tier-1",
        "is given twice",
        "keep one of the two",
    ),
    "a competition that no package reaches": BrokenDefinition(
        _break(a_competition(rest="    when: {urgent: true}\n")),
        "stage: bids",
        "no package reaches this stage",
        "widen its conditions",
    ),
    "a competition for a need that is not declared": BrokenDefinition(
        _break(a_competition(rest="    when: {needs: [epilepsy]}\n")),
        "epilepsy",
        "is not declared",
        "add it to needs",
    ),
    "a competition in neighbouring areas that no area has": BrokenDefinition(
        _break(a_competition().replace("[ tier-1 ]", "[ tier-1 ], reach: neighbouring areas")),
        "reach: neighbouring areas",
        "no area has neighbours",
        "add them to areas",
    ),
    "a competition without reasons to overrule it": BrokenDefinition(
        (add_after(REASONS[0], REASONS[2]), add_stage(name_the_price())),
        "stage: bids",
        "needs reasons to overrule its result",
        "add reasons.overrule",
    ),
    "a competition without reasons to end it early": BrokenDefinition(
        (add_after(REASONS[0], REASONS[1]), add_stage(name_the_price())),
        "stage: bids",
        "needs reasons to end it early",
        "add reasons.competition_end",
    ),
}
