"""A definition is published only with the bank holidays of every year in which its searches count time."""

from datetime import date

import pytest

from contracts.bank_holidays import find_end_of_calendar, find_last_covered_year, list_bank_holidays
from contracts.definitions import read_definition
from contracts.events.frameworks import FrameworkPublished
from contracts.examples import a_definition
from contracts.framework.brokerage import BrokerageTime
from testkit.definition_text import SOURCE, change_text, list_problems, write_definition


def _write(*days: date, until: str = "2031-11-08", overrides: str = "") -> str:
    text = write_definition(days)
    return change_text(text, ("2026-11-08", until), ("overrides: []", f"overrides: [{overrides}]"))


def test_a_calendar_that_covers_every_year_is_accepted() -> None:
    assert read_definition(_write(*list_bank_holidays(range(2025, 2032))), source=SOURCE)


def test_a_calendar_that_ends_early_is_refused_with_the_first_missing_year_and_its_days() -> None:
    problems = list_problems(_write(*list_bank_holidays(range(2025, 2027))))
    assert [(problem.line, problem.path) for problem in problems] == [(35, "brokerage.bank_holidays")]
    assert "lacks bank holidays of 2027" in problems[0].reason
    assert "2027-01-01" in problems[0].remedy
    assert "2027-12-27" in problems[0].remedy
    assert "the same for 2028, 2029, 2030, 2031" in problems[0].remedy


def test_one_day_that_is_missing_is_named() -> None:
    days = [day for day in list_bank_holidays(range(2025, 2032)) if day != date(2028, 12, 25)]
    (problem,) = list_problems(_write(*days))
    assert "of 2028" in problem.reason
    assert "2028-12-25 (Christmas Day)" in problem.remedy


def test_searches_of_the_last_day_need_the_next_years_first_days() -> None:
    problems = list_problems(_write(*list_bank_holidays(range(2025, 2032)), until="2031-12-31"))
    assert "lacks bank holidays of 2032" in problems[0].reason


def test_a_pinned_day_that_is_no_bank_holiday_is_refused() -> None:
    days = [date(2026, 3, 2), *list_bank_holidays(range(2025, 2032))]
    (problem,) = list_problems(_write(*days))
    assert (problem.line, problem.path) == (35, "brokerage.bank_holidays[0]")
    assert "2026-03-02 is not a bank holiday" in problem.reason
    assert "override" in problem.remedy


def test_an_override_decides_about_its_day() -> None:
    days = [day for day in list_bank_holidays(range(2025, 2032)) if day != date(2026, 12, 25)]
    override = "{day: 2026-12-25, closed: false, name: open at Christmas}"
    assert read_definition(_write(*days, overrides=override), source=SOURCE)


def test_a_day_is_proclaimed_before_it_begins() -> None:
    days = list_bank_holidays(range(2025, 2032))
    override = "{{day: 2026-09-21, closed: true, name: State funeral, proclaimed_on: {}}}"
    definition = read_definition(_write(*days, overrides=override.format("2026-09-10")), source=SOURCE)
    assert definition.brokerage.overrides[0].proclaimed_on == date(2026, 9, 10)
    (problem,) = list_problems(_write(*days, overrides=override.format("2026-09-21")))
    assert (problem.line, problem.path) == (36, "brokerage.overrides[0].proclaimed_on")


def test_a_brokerage_that_stays_closed_for_more_than_a_month_is_refused() -> None:
    closed = ", ".join(
        f"{{day: 2026-{month}-{day:02}, closed: true, name: Closed}}" for month in (2, 3) for day in range(1, 29)
    )
    text = _write(
        *list_bank_holidays(range(2025, 2032)),
        overrides=closed.replace("2026-2", "2026-02").replace("2026-3", "2026-03"),
    )
    (problem,) = list_problems(text)
    assert problem.path == "brokerage"
    assert "does not open for more than 30 days from 2026-01-31" in problem.reason


@pytest.mark.parametrize(
    ("years", "last"), [(range(2025, 2032), 2031), (range(2025, 2027), 2026), (range(2026, 2032), None)]
)
def test_the_last_covered_year_ends_before_the_first_gap(years: range, last: int | None) -> None:
    brokerage = BrokerageTime(bank_holidays=list_bank_holidays(years))
    assert find_last_covered_year(a_definition(brokerage=brokerage)) == last


@pytest.mark.parametrize(
    ("years", "end"),
    [(range(2025, 2032), None), (range(2025, 2027), date(2026, 12, 31)), (range(2026, 2032), date(2024, 12, 31))],
)
def test_a_calendar_ends_before_its_framework_or_not_at_all(years: range, end: date | None) -> None:
    brokerage = BrokerageTime(bank_holidays=list_bank_holidays(years))
    assert find_end_of_calendar(a_definition(brokerage=brokerage)) == end


def test_a_stored_definition_with_a_short_calendar_and_distant_dates_is_still_decoded() -> None:
    definition = a_definition(runs_until=date(9999, 12, 31), brokerage=BrokerageTime(bank_holidays=()))
    stored = FrameworkPublished(definition=definition).model_dump_json()
    assert FrameworkPublished.model_validate_json(stored).definition == definition
    assert find_end_of_calendar(definition) == date(2024, 12, 31)
