"""Definitions with prices and times that contradict each other."""

from typing import Final

from testkit.broken_definitions.case import (
    BEFORE_AREAS,
    BEFORE_LOTS,
    COLCHESTER,
    LAST_LINE,
    PRICE,
    UNDELIVERABLE,
    BrokenDefinition,
    add_after,
    add_before,
    add_stage,
    an_open_list,
    replace_first_stage,
)

BY_PROVIDER: Final = add_after("  price_list: invented-1\n", "  rates_set_by: provider\n")
BY_SELECTION: Final = add_after("  price_list: invented-1\n", "  rates_set_by: selection\n")
A_ROUND: Final = "{name: R, opens: 2026-01-05, closes: 2026-02-02, places_from: 2026-03-02}"

PRICES: Final = {
    "a service type without a price": BrokenDefinition(
        (add_before(BEFORE_LOTS, "  - {service_type: night, title: Night}\n"),),
        "service_type: night",
        "has no price in E07000071, E07000073",
        "add a line for it to prices.matrix",
    ),
    "a price in a band of no area": BrokenDefinition(
        (add_after(PRICE, PRICE.replace("unit", "band: rural, unit")),),
        "band: rural",
        "is the price band of no area",
        "add it to an area",
    ),
    "providers' own rates without a highest one": BrokenDefinition(
        (BY_PROVIDER,), "rate: 24.10", "is missing", "add the highest rate that a provider may name"
    ),
    "a highest rate where providers name none": BrokenDefinition(
        ((PRICE, PRICE.replace("24.10", "24.10, highest: 30.00")),),
        "highest: 30.00",
        "is for rates that providers name",
        "remove it",
    ),
    "a highest rate below the lowest": BrokenDefinition(
        (BY_PROVIDER, (PRICE, PRICE.replace("24.10", "24.10, highest: 20.00"))),
        "highest: 20.00",
        "is not valid",
        "highest must not be below rate",
    ),
    "rates that do not rise": BrokenDefinition(
        (BY_SELECTION, (PRICE, PRICE.replace("24.10", "24.10, further_rates: [25.00, 24.90]"))),
        "[25.00, 24.90]",
        "rate 3 (24.90) is not above rate 2 (25.00)",
        "write the rates in rising order",
    ),
    "further rates that nobody selects": BrokenDefinition(
        ((PRICE, PRICE.replace("24.10", "24.10, further_rates: [25.00]")),),
        "[25.00]",
        "nobody selects among them",
        "write rates_set_by: selection",
    ),
    "a ceiling below the matrix": BrokenDefinition(
        (add_stage(an_open_list(ceilings="{service_type: personal-care, rate: 24.00}")),),
        "rate: 24.00",
        "is below the highest rate of the matrix (24.10)",
        "raise it",
    ),
    "a ceiling for a service type with two lines": BrokenDefinition(
        (add_after(PRICE, PRICE.replace("unit", "item: fee, unit")), add_stage(an_open_list())),
        "ceilings:",
        "has several price lines, and a proposal or bid names one rate",
        "leave it out of the list",
    ),
    "an open list without a ceiling": BrokenDefinition(
        (
            add_before(BEFORE_LOTS, "  - {service_type: night, title: Night}\n"),
            add_after(PRICE, PRICE.replace("personal-care", "night")),
            add_stage(an_open_list()),
        ),
        "ceilings:",
        "lacks night",
        "add a line for each",
    ),
}

TIMES: Final = {
    "an offer that ends before its fallback": BrokenDefinition(
        ((UNDELIVERABLE, UNDELIVERABLE.replace("PT2M", "PT30M")),),
        "undeliverable_after: PT30M",
        "is not shorter than the time to answer (30 minutes)",
        "so that the fallback channel has time left",
    ),
    "a deadline that ends before the fallback": BrokenDefinition(
        replace_first_stage(
            "  - stage: all\n    procedure: offer-to-all\n    to: {tiers: [tier-1]}\n"
            "    undeliverable_after: PT20M\n    deadline: {routine: PT2H, urgent: PT10M}\n"
        ),
        "undeliverable_after: PT20M",
        "is not shorter than the time to answer (10 minutes)",
        "shorten it",
    ),
    "an end before the beginning": BrokenDefinition(
        (("runs_until: 2026-11-08", "runs_until: 2025-11-08"),),
        "runs_until",
        "must not be before runs_from",
        "change one of the two",
    ),
    "a version in force before its framework": BrokenDefinition(
        (add_before(BEFORE_AREAS, "in_force_from: 2025-11-08\n"),),
        "in_force_from",
        "must be a day on which the framework runs",
        "change one of the two",
    ),
    "an extension that does not extend": BrokenDefinition(
        (add_before(BEFORE_AREAS, "extensions:\n  - {until: 2026-11-08}\n"),),
        "until: 2026-11-08",
        "must be after runs_until",
        "change one of the two",
    ),
    "notice of an extension on its last day": BrokenDefinition(
        (add_before(BEFORE_AREAS, "extensions:\n  - {until: 2027-11-08, notice_by: 2027-11-08}\n"),),
        "notice_by",
        "must be before the day of the extension",
        "change one of the two",
    ),
    "places that begin before their round closes": BrokenDefinition(
        (
            add_before(
                BEFORE_AREAS,
                f"joining:\n  mode: in rounds\n  rounds:\n    - {A_ROUND.replace('2026-03-02', '2026-02-01')}\n",
            ),
        ),
        "places_from: 2026-02-01",
        "must open, then close, before its places begin",
        "change one of the two",
    ),
    "a round of a closed framework": BrokenDefinition(
        (add_before(BEFORE_AREAS, f"joining:\n  mode: closed\n  rounds: [{A_ROUND}]\n"),),
        "rounds:",
        "are for a framework that opens again",
        "remove them, or change mode",
    ),
    "a suspension that ends before it begins": BrokenDefinition(
        (
            add_before(
                BEFORE_AREAS,
                "joining:\n  mode: at any time\n  suspended: {since: 2026-02-02, until: 2026-01-05, because: full}\n",
            ),
        ),
        "suspended:",
        "must not be before since",
        "change one of the two",
    ),
    "a framework in rounds without a round": BrokenDefinition(
        (add_before(BEFORE_AREAS, "joining:\n  mode: in rounds\n"),),
        "joining:",
        "nobody can join",
        "add a round, or choose another mode",
    ),
    "rounds of a framework that is open at any time": BrokenDefinition(
        (add_before(BEFORE_AREAS, f"joining:\n  mode: at any time\n  rounds: [{A_ROUND}]\n"),),
        "rounds:",
        "has rounds in another mode",
        "write mode: in rounds",
    ),
    "a round after the end": BrokenDefinition(
        (
            add_before(
                BEFORE_AREAS,
                f"joining:\n  mode: in rounds\n  rounds:\n    - {A_ROUND.replace('2026-03-02', '2026-11-09')}\n",
            ),
        ),
        "2026-11-09",
        "begins after the framework ends",
        "correct its days",
    ),
    "a round while applications are suspended": BrokenDefinition(
        (
            add_before(
                BEFORE_AREAS,
                f"joining:\n  mode: in rounds\n  rounds:\n    - {A_ROUND}\n"
                "  suspended: {since: 2026-02-02, until: 2026-02-28, because: full}\n",
            ),
        ),
        "name: R",
        "takes applications while they are suspended",
        "move the round, or end the suspension",
    ),
    "a rating that is none": BrokenDefinition(
        (("at_least: Good", "at_least: not rated"),),
        "at_least: not rated",
        "is no rating",
        "name one of the four, or remove the rule",
    ),
    "two rules about one rating": BrokenDefinition(
        (
            add_after(
                "      - {rule: overall-rating, at_least: Good}\n",
                "      - {rule: overall-rating, at_least: Requires improvement}\n",
            ),
        ),
        "at_least: Requires improvement",
        "is the second rule about the same in this tier",
        "keep the stricter one",
    ),
    "a rating held until a day, and for no months": BrokenDefinition(
        (("at_least: Good}", "at_least: Good, held_until: 2025-03-31}"),),
        "held_until",
        "ends no months",
        "add held_for_months",
    ),
    "closing before opening": BrokenDefinition(
        (('closes: "17:00"', 'closes: "08:00"'),), "brokerage:", "is not valid", "opens must be before closes"
    ),
    "minutes with seconds": BrokenDefinition(
        ((LAST_LINE, LAST_LINE.replace("PT30M", "PT90S")),), "PT90S", "is not valid", "one or more whole minutes"
    ),
    "an area outside without a reason": BrokenDefinition(
        ((COLCHESTER, '  - {code: E07000071, name: Colchester, outside: ""}\n'),),
        "outside:",
        "has the wrong length",
        "neither empty nor longer than a line or two",
    ),
}
