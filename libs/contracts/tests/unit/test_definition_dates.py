"""Dates of a definition in the wrong order are reported."""

import pytest

from testkit.definition_text import change_text, list_problems, write_definition

GOOD = write_definition()
ROUND = "{name: R, opens: 2026-01-01, closes: 2026-02-01, places_from: 2026-03-01}"
ONE_DAY = "{name: R, opens: 2026-01-01, closes: 2026-01-01, places_from: 2026-01-01}"
NOTICE = "extensions: [{until: 2027-11-08, notice_by: 2026-05-08}]"

DATES = {
    "in force before the framework": ("in_force_from: 2025-11-08", "in_force_from"),
    "in force after the framework": ("in_force_from: 2026-11-09", "in_force_from"),
    "an extension that does not extend": ("extensions: [{until: 2026-11-08}]", "extensions[0].until"),
    "notice after the extension": (
        "extensions: [{until: 2027-11-08, notice_by: 2027-11-08}]",
        "extensions[0].notice_by",
    ),
    "a round that closes before it opens": (
        f"joining: {{mode: in rounds, rounds: [{ROUND.replace('2026-01-01', '2026-02-02')}]}}",
        "joining.rounds[0]",
    ),
    "places that begin before their round closes": (
        f"joining: {{mode: in rounds, rounds: [{ROUND.replace('2026-03-01', '2026-01-31')}]}}",
        "joining.rounds[0]",
    ),
    "a suspension that ends before it begins": (
        "joining: {mode: at any time, suspended: {since: 2026-02-01, until: 2026-01-31, because: full}}",
        "joining.suspended.until",
    ),
}


@pytest.mark.parametrize("case", DATES)
def test_dates_in_the_wrong_order_are_reported(case: str) -> None:
    section, path = DATES[case]
    (problem,) = list_problems(change_text(GOOD, ("areas:\n", f"{section}\nareas:\n")))
    assert problem.path == path


def test_dates_in_the_right_order_are_accepted() -> None:
    text = change_text(
        GOOD,
        (
            "areas:\n",
            f"in_force_from: 2026-01-01\n{NOTICE}\njoining: {{mode: in rounds, rounds: [{ONE_DAY}]}}\nareas:\n",
        ),
    )
    assert list_problems(text) == ()
