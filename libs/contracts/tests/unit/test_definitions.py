"""Every wrong line of a definition is reported with its remedy."""

from datetime import date, time, timedelta
from decimal import Decimal

import pytest

from contracts.definition_problems import DefinitionRefused
from contracts.definitions import read_definition
from contracts.example_words import Tiers
from contracts.framework.stages import SequentialOffers
from testkit.definition_text import SOURCE, change_text, list_problems, write_definition

CLOSES, WITHIN, ZONE = "brokerage.closes", "sourcing[0].answer_within", "brokerage.timezone"
WEBHOOK, TYPES = "sourcing[0].answer_within.webhook", "\n  - {service_type: personal-care, title: Personal care}\n"
GOOD = write_definition()


def test_a_definition_is_read_as_it_is_written() -> None:
    definition = read_definition(GOOD, source=SOURCE)
    assert definition.prices.matrix[0].rate == Decimal("24.10")
    assert definition.runs_from == date(2025, 11, 9)
    assert definition.brokerage.closes == time(17, 0)
    first = definition.get_offering_stage("tier-1")
    assert isinstance(first, SequentialOffers)
    assert first.to.tiers == (Tiers.ONE,)
    assert first.answer_within.webhook == timedelta(minutes=30)


WRONG = {
    "a key that is not known": ("council: amberside", "counsil: amberside", 3, "counsil", "did you mean council?"),
    "a key that is missing": ("title: An example\n", "", 1, "title", "is missing"),
    "a key that is missing in a section": ("  price_list: invented-1\n", "", 37, "prices.price_list", "is missing"),
    "a key that is given twice": ("version: 1\n", "version: 1\nversion: 2\n", 3, "version", "given twice"),
    "a time without quotes after ten": ('"17:00"', "17:00", 34, CLOSES, 'in quotes, such as "17:00"'),
    "a time without quotes before ten": ('"08:30"', "08:30", 33, "brokerage.opens", "a time of day without quotes"),
    "a number where a time stands": ('"08:30"', "830", 33, "brokerage.opens", '"08:30"'),
    "a time with an offset": ('"08:30"', '"08:30Z"', 33, "brokerage.opens", "without an offset"),
    "the word on": ("invented: true", "invented: on", 38, "prices.invented", "reads on, off, yes and no"),
    "the word no as a name": ("name: Harlow", "name: no", 10, "areas[1].name", "put it in quotes"),
    "the word true in quotes": ("invented: true", 'invented: "true"', 38, "prices.invented", "without quotes"),
    "a number of base eight": ("version: 1", "version: 010", 2, "version", "reads 010 as eight"),
    "a number that is counted in sixties": ("version: 1", "version: 1:30", 2, "version", "counts 17:00 in sixties"),
    "a number where text stands": ("title: An example", "title: 2025", 4, "title", "in quotes"),
    "a date the English way": ("2026-11-08", "08/11/2031", 7, "runs_until", "such as 2025-11-09"),
    "a day that is not in the calendar": ("[2025-01-01", "[2025-02-30", 35, "brokerage.bank_holidays[0]", "date"),
    "half a penny": ("24.10", "24.105", 41, "prices.matrix[0].rate", "two decimal places"),
    "a rating that CQC does not give": ("Good", "Fine", 19, "tiers[0].entry[0].at_least", "'Outstanding'"),
    "a length of time in a number": ("PT30M", "1800", 48, WEBHOOK, "PT30M"),
    "a length of time with seconds": ("PT30M", "PT90S", 48, WEBHOOK, "whole minutes"),
    "a stage's name with a space": ("stage: tier-1", "stage: tier 1", 43, "sourcing[0].stage", "matches"),
    "a word with a capital letter": ("skill: hoist", "skill: Hoist", 26, "skills[0].skill", "matches"),
    "a kind of unit that does not exist": ("kind: hour", "kind: visit", 22, "units[0].kind", "'episode'"),
    "an order that does not exist": ("    undel", "    order: [lot]\n    undel", 46, ".order[0]", "'rotation'"),
    "a procedure that does not exist": ("sequential-offers", "raffle", 44, "sourcing[0].procedure", "'offer-to-all'"),
    "a missing procedure": ("    procedure: sequential-offers\n", "", 43, "sourcing[0].procedure", "one of batching"),
    "a rule that does not exist": ("turnover", "assets", 20, "tiers[0].entry[1].rule", "'branch-location'"),
    "a missing rule": ("rule: turnover, ", "", 20, "tiers[0].entry[1].rule", "one of branch-location"),
    "a key of another rule": ("290000}", "290000, miles: 5}", 20, "tiers[0].entry[1].miles", "is not a key"),
    "an empty list": (TYPES, " []\n", 11, "service_types", "at least one"),
    "a section that is a word": (":\n      webhook: PT30M", ": soon", 47, WITHIN, "section"),
    "a list that is a word": (TYPES, " personal-care\n", 11, "service_types", "list"),
    "an end before the beginning": ("2026-11-08", "2021-11-08", 7, "runs_until", "before runs_from"),
    "closing before opening": ('"17:00"', '"08:00"', 32, "brokerage", "opens must be before closes"),
    "a time zone that is none": ('  opens: "', '  timezone: Amber\n  opens: "', 33, ZONE, "Europe/London"),
    "a list as a key": ("title: An example", "[title]: An example", 4, "", "write a plain word"),
    "a tab for indentation": ("  invented: true", "\tinvented: true", 38, "(text)", "no tabs"),
    "a bracket left open": ("hoist, title: Hoist}", "hoist, title: Hoist", 27, "(text)", "not YAML"),
    "a letter that YAML does not allow": ("An example", "An\x07example", 4, "(text)", "UTF-8"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_is_reported_with_its_line(case: str) -> None:
    before, after, line, path, text = WRONG[case]
    problems = list_problems(change_text(GOOD, (before, after)))
    assert any(problem.line == line and path in problem.path and text in str(problem) for problem in problems), problems


@pytest.mark.parametrize("case", [case for case in WRONG if case not in {"a key that is not known", "a list as a key"}])
def test_one_mistake_is_one_problem(case: str) -> None:
    before, after, *_ = WRONG[case]
    assert len(list_problems(change_text(GOOD, (before, after)))) == 1


def test_all_problems_are_reported_at_once_in_the_order_of_their_lines() -> None:
    text = change_text(GOOD, ('"17:00"', "17:00"), ("24.10", "cheap"), ("PT30M", "soon"), ("version: 1\n", ""))
    assert [(problem.line, problem.path) for problem in list_problems(text)] == [
        (1, "version"),
        (33, "brokerage.closes"),
        (40, "prices.matrix[0].rate"),
        (47, "sourcing[0].answer_within.webhook"),
    ]


def test_all_contradictions_between_sections_are_reported_at_once() -> None:
    text = change_text(GOOD, ("E07000073", "E07000071"), ("tiers: [tier-1]", "tiers: [tier-2]"))
    assert [problem.path for problem in list_problems(text)] == ["areas[1].code", "sourcing[0].to.tiers[0]"]


def test_a_recursive_alias_is_refused() -> None:
    problems = list_problems("framework: &all\n  areas: *all\n")
    assert any("alias" in problem.reason and problem.path == "framework.areas" for problem in problems)


@pytest.mark.parametrize(
    "text",
    ["", "# only a comment\n", "just words", "- a\n- list\n", "a: 1\n---\nb: 2\n", "[" * 5000],
    ids=["empty", "comment", "words", "list", "two documents", "deep nesting"],
)
def test_text_that_is_not_a_definition_is_refused(text: str) -> None:
    assert list_problems(text)


def test_the_error_contains_the_file_line_and_remedy_and_a_pointer_into_the_body() -> None:
    with pytest.raises(DefinitionRefused) as refused:
        read_definition(change_text(GOOD, ("24.10", "cheap")), source=SOURCE)
    assert str(refused.value) == (
        "example.yaml is refused:\n"
        "  line 41: prices.matrix[0].rate: is not an amount in pounds; write at most two decimal places, such as 24.10"
    )
    assert [field.pointer for field in refused.value.fields] == ["#/prices/matrix/0/rate"]
    assert "cheap" not in str(refused.value)
    assert refused.value.code == "definition-refused"


LINES = GOOD.splitlines(keepends=True)


@pytest.mark.parametrize("missing", range(len(LINES)))
def test_a_definition_without_one_of_its_lines_is_accepted_or_refused_with_a_line(missing: int) -> None:
    cut = "".join(LINES[:missing] + LINES[missing + 1 :])
    assert all(1 <= problem.line < len(LINES) for problem in list_problems(cut))
