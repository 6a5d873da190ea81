"""Cells that a provider fills are read as people write them, and refused in plain words where they say two things."""

from datetime import date, datetime, time, timedelta

import pytest

from list_documents import ProblemKind
from list_documents.returns.answers import Fault, parse_day, parse_rate, parse_yes_or_no
from list_documents.returns.grids import Cell


@pytest.mark.parametrize(
    "cell", ["Yes", "yes ", "YES!", "y", "Y", "x", "X", "✓", "✔️", "☑", "true", "TRUE", True, 1, 1.0, "1"]
)
def test_a_tick_is_read_in_each_of_its_forms(cell: Cell) -> None:
    assert parse_yes_or_no(cell) is True


@pytest.mark.parametrize("cell", ["No", "no.", "N", "false", False, 0, 0.0, "✗", "❌"])
def test_a_no_is_read_in_each_of_its_forms(cell: Cell) -> None:
    assert parse_yes_or_no(cell) is False


@pytest.mark.parametrize("cell", ["", "   ", "\u00a0", "."])
def test_an_empty_cell_is_no_answer(cell: Cell) -> None:
    assert parse_yes_or_no(cell) is None


@pytest.mark.parametrize("cell", ["mabye", "ja", "yes and no", "2", 2, -1, "Yes?", date(2026, 1, 1), time(1), "nope"])
def test_anything_else_is_neither_yes_nor_no(cell: Cell) -> None:
    fault = parse_yes_or_no(cell)
    assert isinstance(fault, Fault)
    assert fault.kind is ProblemKind.NEITHER_YES_NOR_NO


def test_the_explanation_repeats_what_was_written_but_not_all_of_a_long_text() -> None:
    assert parse_yes_or_no("mabye") == Fault(ProblemKind.NEITHER_YES_NOR_NO, "'mabye' is neither Yes nor No")
    fault = parse_yes_or_no("mabye\x1b[31m " * 30)
    assert isinstance(fault, Fault)
    assert len(fault.detail) < 80
    assert fault.detail.isprintable()


@pytest.mark.parametrize(
    ("cell", "rate"),
    [
        (21.5, "21.50"),
        (21.55, "21.55"),
        (22, "22.00"),
        ("£21.50", "21.50"),
        (" £ 21.5 ", "21.50"),
        ("1,234.50", "1234.50"),
        ("£1,234", "1234.00"),
        ("10000", "10000.00"),
        ("21.500", "21.50"),
        (".99", "0.99"),
    ],
)
def test_a_rate_is_read_with_pounds_sign_and_separators_of_thousands(cell: Cell, rate: str) -> None:
    assert str(parse_rate(cell)) == rate


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("21,50", "is not a rate"),
        ("1.234,50", "is not a rate"),
        ("12,34,567", "is not a rate"),
        ("21.50 per hour", "is not a rate"),
        ("20-22", "is not a rate"),
        ("€21", "is not a rate"),
        ("1e3", "is not a rate"),
        ("٢١", "is not a rate"),
        (True, "is not a rate"),
        (date(2026, 5, 21), "is not a rate"),
        (timedelta(hours=21), "is not a rate"),
        ("=21+1", "is not a rate"),
        (-21.5, "is below zero"),
        ("-£21", "is below zero"),
        ("(21.50)", "is below zero"),
        (0, "is no rate"),
        ("0.00", "is no rate"),
        (21.555, "more than two decimal places"),
        (10000.01, "is more than £10,000"),
        (1e15, "is more than £10,000"),
        (1e300, "is more than £10,000"),
        ("9" * 200, "is more than £10,000"),
        (float("inf"), "is more than £10,000"),
        (float("nan"), "is not a rate"),
    ],
)
def test_a_rate_that_says_nothing_or_two_things_is_explained(cell: Cell, why: str) -> None:
    fault = parse_rate(cell)
    assert isinstance(fault, Fault)
    assert fault.kind is ProblemKind.NOT_A_RATE
    assert why in fault.detail


@pytest.mark.parametrize(
    "cell",
    [
        date(2026, 12, 1),
        datetime(2026, 12, 1, 8, 30),  # noqa: DTZ001  a spreadsheet's date has no time zone
        "2026-12-01",
        "2026-12-01 00:00:00",
        "01/12/2026",
        "1.12.2026",
        "1-12-2026",
        "1 December 2026",
        "1st Dec 2026",
        "Tue 1 Dec 2026",
        "Tuesday, 1 December, 2026",
        "01-Dec-26",
        "tue 1 dec. 2026",
    ],
)
def test_a_day_is_read_as_it_is_written_in_britain(cell: Cell) -> None:
    assert parse_day(cell) == date(2026, 12, 1)


@pytest.mark.parametrize(
    "cell",
    [
        "soon",
        "31/02/2026",
        "12/31/2026",
        "05/01/26",
        46357,
        "46357",
        "1 Foo 2026",
        True,
        time(9),
        "1 December",
        "2026-13-01",
    ],
)
def test_a_day_that_cannot_be_read_is_explained(cell: Cell) -> None:
    fault = parse_day(cell)
    assert isinstance(fault, Fault)
    assert fault.kind is ProblemKind.NOT_A_DATE
    assert "write it like 1 December 2026" in fault.detail


@pytest.mark.parametrize("cell", [date(1899, 12, 31), "1 Dec 0026", "01/01/2101"])
def test_a_day_of_another_century_is_refused(cell: Cell) -> None:
    fault = parse_day(cell)
    assert isinstance(fault, Fault)
    assert "between 2000 and 2100" in fault.detail


def test_the_first_and_the_last_year_are_read() -> None:
    assert parse_day("01/01/2000") == date(2000, 1, 1)
    assert parse_day("31 Dec 2100") == date(2100, 12, 31)


def test_an_empty_cell_proposes_nothing() -> None:
    assert parse_rate(" ") is None
    assert parse_day(" ") is None
