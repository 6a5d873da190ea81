"""Every wrong line of a definition is reported with its remedy."""

from datetime import date, time, timedelta
from decimal import Decimal

import pytest

from contracts.bank_holidays import list_bank_holidays
from contracts.definition_problems import DefinitionProblem, DefinitionRefused
from contracts.definitions import read_definition
from contracts.values import Tier

CLOSES, WITHIN = "brokerage.closes", "sourcing[0].answer_within"
ZONE = "brokerage.timezone"
GOOD = """\
framework: an-example
version: 1
council: essex
title: An example
source: invented for tests
runs_from: 2025-11-09
runs_until: 2026-11-08
areas:
  - {code: E07000071, name: Colchester}
  - {code: E07000073, name: Harlow}
service_types: [personal care]
tiers:
  - {tier: 1, minimum_rating: Good, minimum_turnover: 290000}
brokerage:
  opens: "08:30"
  closes: "17:00"
  bank_holidays:
    [HOLIDAYS]
prices:
  invented: true
  price_list: invented-1
  matrix:
    - {service_type: personal care, unit: hour, rate: 24.10}
sourcing:
  - stage: tier-1
    procedure: sequential-offers
    tier: 1
    answer_within:
      webhook: PT30M
""".replace("HOLIDAYS", ", ".join(map(str, list_bank_holidays(range(2025, 2027)))))


def _find_problems(text: str) -> tuple[DefinitionProblem, ...]:
    with pytest.raises(DefinitionRefused) as refused:
        read_definition(text, source="example.yaml")
    return refused.value.problems


def _change(*changes: tuple[str, str]) -> str:
    text = GOOD
    for before, after in changes:
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    return text


def test_a_definition_is_read_as_it_is_written() -> None:
    definition = read_definition(GOOD, source="example.yaml")
    assert definition.prices.matrix[0].rate == Decimal("24.10")
    assert definition.runs_from == date(2025, 11, 9)
    assert definition.brokerage.closes == time(17, 0)
    first = definition.get_sequential_stage("tier-1")
    assert first.tier is Tier.ONE
    assert first.answer_within.webhook == timedelta(minutes=30)


WRONG = {
    "a key that is not known": ("council: essex", "counsil: essex", 3, "counsil", "did you mean council?"),
    "a key that is missing": ("title: An example\n", "", 1, "title", "is missing"),
    "a key that is missing in a section": ("  price_list: invented-1\n", "", 19, "prices.price_list", "is missing"),
    "a key that is given twice": ("version: 1\n", "version: 1\nversion: 2\n", 3, "version", "given twice"),
    "a time without quotes after ten": ('"17:00"', "17:00", 16, CLOSES, 'in quotes, such as "17:00"'),
    "a time without quotes before ten": ('"08:30"', "08:30", 15, "brokerage.opens", "a time of day without quotes"),
    "a number where a time stands": ('"08:30"', "830", 15, "brokerage.opens", '"08:30"'),
    "a time with an offset": ('"08:30"', '"08:30Z"', 15, "brokerage.opens", "without an offset"),
    "the word on": ("invented: true", "invented: on", 20, "prices.invented", "reads on, off, yes and no"),
    "the word no as a name": ("name: Harlow", "name: no", 10, "areas[1].name", "put it in quotes"),
    "the word true in quotes": ("invented: true", 'invented: "true"', 20, "prices.invented", "without quotes"),
    "a number of base eight": ("version: 1", "version: 010", 2, "version", "reads 010 as eight"),
    "a number that is counted in sixties": ("version: 1", "version: 1:30", 2, "version", "counts 17:00 in sixties"),
    "a number where text stands": ("title: An example", "title: 2025", 4, "title", "in quotes"),
    "a date the English way": ("2026-11-08", "08/11/2031", 7, "runs_until", "such as 2025-11-09"),
    "a day that is not in the calendar": ("[2025-01-01", "[2025-02-30", 18, "brokerage.bank_holidays[0]", "date"),
    "half a penny": ("24.10", "24.105", 23, "prices.matrix[0].rate", "two decimal places"),
    "a rating that CQC does not give": ("Good", "Fine", 13, "tiers[0].minimum_rating", "'Outstanding'"),
    "a length of time in a number": ("PT30M", "1800", 29, "sourcing[0].answer_within.webhook", "PT30M"),
    "a length of time with seconds": ("PT30M", "PT90S", 29, "sourcing[0].answer_within.webhook", "whole minutes"),
    "a stage's name with a space": ("stage: tier-1", "stage: tier 1", 25, "sourcing[0].stage", "matches"),
    "a procedure that does not exist": ("sequential-offers", "raffle", 26, "sourcing[0].procedure", "sequential"),
    "an empty list": ("[personal care]", "[]", 11, "service_types", "at least one"),
    "a section that is a word": (":\n      webhook: PT30M", ": soon", 28, WITHIN, "section"),
    "a list that is a word": ("[personal care]", "personal care", 11, "service_types", "list"),
    "an area that is there twice": ("E07000073", "E07000071", 10, "areas[1].code", "given twice"),
    "a tier that is not described": ("    tier: 1\n", "    tier: 2\n", 27, "sourcing[0].tier", "add this tier"),
    "a service without a price": ("[personal care]", "[personal care, night awake]", 11, "service_types[1]", "matrix"),
    "an end before the beginning": ("2026-11-08", "2021-11-08", 7, "runs_until", "before runs_from"),
    "closing before opening": ('"17:00"', '"08:00"', 14, "brokerage", "opens must be before closes"),
    "a time zone that is none": ('  opens: "', '  timezone: Essex\n  opens: "', 15, ZONE, "Europe/London"),
    "a list as a key": ("title: An example", "[title]: An example", 4, "", "write a plain word"),
    "a tab for indentation": ("  invented: true", "\tinvented: true", 20, "(text)", "no tabs"),
    "a bracket left open": ("[personal care]", "[personal care", 12, "(text)", "not YAML"),
    "a letter that YAML does not allow": ("An example", "An\x07example", 4, "(text)", "UTF-8"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_is_reported_with_its_line(case: str) -> None:
    before, after, line, path, text = WRONG[case]
    problems = _find_problems(_change((before, after)))
    assert any(problem.line == line and path in problem.path and text in str(problem) for problem in problems), problems


@pytest.mark.parametrize("case", [case for case in WRONG if case not in {"a key that is not known", "a list as a key"}])
def test_one_mistake_is_one_problem(case: str) -> None:
    before, after, *_ = WRONG[case]
    assert len(_find_problems(_change((before, after)))) == 1


def test_all_problems_are_reported_at_once_in_the_order_of_their_lines() -> None:
    text = _change(('"17:00"', "17:00"), ("24.10", "cheap"), ("PT30M", "soon"), ("version: 1\n", ""))
    assert [(problem.line, problem.path) for problem in _find_problems(text)] == [
        (1, "version"),
        (15, "brokerage.closes"),
        (22, "prices.matrix[0].rate"),
        (28, "sourcing[0].answer_within.webhook"),
    ]


def test_all_contradictions_between_sections_are_reported_at_once() -> None:
    text = _change(("E07000073", "E07000071"), ("    tier: 1\n", "    tier: 2\n"))
    assert [problem.path for problem in _find_problems(text)] == ["areas[1].code", "sourcing[0].tier"]


def test_a_recursive_alias_is_refused() -> None:
    problems = _find_problems("framework: &all\n  areas: *all\n")
    assert any("alias" in problem.reason and problem.path == "framework.areas" for problem in problems)


@pytest.mark.parametrize(
    "text",
    ["", "# only a comment\n", "just words", "- a\n- list\n", "a: 1\n---\nb: 2\n", "[" * 5000],
    ids=["empty", "comment", "words", "list", "two documents", "deep nesting"],
)
def test_text_that_is_not_a_definition_is_refused(text: str) -> None:
    assert _find_problems(text)


def test_the_error_contains_the_file_line_and_remedy_and_a_pointer_into_the_body() -> None:
    with pytest.raises(DefinitionRefused) as refused:
        read_definition(_change(("24.10", "cheap")), source="example.yaml")
    assert str(refused.value) == (
        "example.yaml is refused:\n"
        "  line 23: prices.matrix[0].rate: is not an amount in pounds; write at most two decimal places, such as 24.10"
    )
    assert [field.pointer for field in refused.value.fields] == ["#/prices/matrix/0/rate"]
    assert "cheap" not in str(refused.value)
    assert refused.value.code == "definition-refused"


LINES = GOOD.splitlines(keepends=True)


@pytest.mark.parametrize("missing", range(len(LINES)))
def test_a_definition_without_one_of_its_lines_is_accepted_or_refused_with_a_line(missing: int) -> None:
    cut = "".join(LINES[:missing] + LINES[missing + 1 :])
    assert all(1 <= problem.line < len(LINES) for problem in _collect_problems(cut))


def _collect_problems(text: str) -> tuple[DefinitionProblem, ...]:
    try:
        read_definition(text, source="example.yaml")
    except DefinitionRefused as refused:
        return refused.problems
    return ()
