"""Rules for dates, times, ids, amounts and numbers: no value is converted from another type."""

from collections.abc import Callable
from datetime import date, time
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import pytest
from pydantic import TypeAdapter, ValidationError

from contracts.events.packages import PackageRequested
from contracts.example_words import Units
from contracts.examples import an_example_of
from contracts.terms import compute_terms_at_rate
from contracts.values import UnitKind, Visit, Weekday
from service_runtime.http.text_fields import LARGEST_RATE, Pounds, Rate, WeeklyHours
from service_runtime.http.value_rules import (
    DateRule,
    check_whole_number,
    check_yes_or_no,
    parse_amount,
    parse_local_time,
    parse_uuid,
)

DAY: Final = DateRule(date(1990, 1, 1), date(2199, 12, 31))
AN_ID: Final = "0197a3c0-0000-7000-8000-00000000ABCD"


def refuse(rule: Callable[[object], object], value: object) -> str:
    """Returns the words with which the rule refuses the value."""
    with pytest.raises(ValueError) as error:
        rule(value)
    return str(error.value)


@pytest.mark.parametrize("value", ["0", 0, 86400, "86400", 1.5, True, None, "20260331", "2026-W14-2", "31/03/2026"])
def test_a_date_is_neither_a_number_nor_written_in_another_form(value: object) -> None:
    assert refuse(DAY, value) == "must be a date in quotation marks, written as YYYY-MM-DD, such as 2026-03-31"


@pytest.mark.parametrize("value", ["2026-03-31T00:00:00Z", "2026-03-31 00:00", "٢٠٢٦-٠٣-٣١", "2026-3-1", "-026-01-01"])
def test_a_date_is_neither_an_instant_nor_in_other_digits(value: str) -> None:
    assert "YYYY-MM-DD" in refuse(DAY, value)


@pytest.mark.parametrize("value", ["2026-02-30", "2026-13-01", "0000-01-01"])
def test_a_day_that_no_calendar_has_is_refused(value: str) -> None:
    assert refuse(DAY, value) == "is not a day of the calendar; check month and day"


@pytest.mark.parametrize("value", ["0001-01-01", "9999-12-31", "1989-12-31", "2200-01-01"])
def test_the_ends_of_the_calendar_are_out_of_every_range(value: str) -> None:
    assert refuse(DAY, value) == "must be from 1990-01-01 to 2199-12-31; check the year"


def test_a_date_is_read_with_the_spaces_around_it() -> None:
    assert DAY("\u00a02026-03-31 ") == date(2026, 3, 31)


def test_a_time_of_day_has_hours_and_minutes_and_no_offset() -> None:
    assert parse_local_time("07:30") == time(7, 30)
    for value in (27_000, "27000", "07:30Z", "07:30+01:00", "25:00", "24:00", "7:30", "T07:30", None, True):
        assert "HH:MM" in refuse(parse_local_time, value)


def test_an_id_has_one_form() -> None:
    assert parse_uuid(AN_ID) == UUID(AN_ID)
    for value in (f"{{{AN_ID}}}", f"urn:uuid:{AN_ID}", AN_ID.replace("-", ""), "", 7, None, UUID(AN_ID).bytes):
        assert refuse(parse_uuid, value).startswith("must be a UUID")


@pytest.mark.parametrize("value", ["24.10", 24.1, " 24.10 "])
def test_an_amount_is_a_number_or_its_digits(value: object) -> None:
    assert parse_amount(value) == Decimal("24.1")
    refuse(parse_amount, 10**10_000)
    assert parse_amount(24) == parse_amount("24") == Decimal(24)


@pytest.mark.parametrize(
    "value",
    ["1e2", "1E+1000000", "1e400", float("inf"), float("nan"), "NaN", "Infinity", "-0", -0.0, -1, "+1", "1,000", "£1"],
)
def test_an_amount_has_no_exponent_no_sign_and_no_other_characters(value: object) -> None:
    assert refuse(parse_amount, value).startswith("must be a number such as 24.10")


@pytest.mark.parametrize("value", [10**30, 1e30, "9" * 100_000, 24.101, "0.001", 0.1 + 0.2, True, None, [], "٢٤"])
def test_an_amount_has_at_most_ten_digits_and_two_decimals(value: object) -> None:
    assert refuse(parse_amount, value).startswith("must be a number such as 24.10")


@pytest.mark.parametrize("value", ["45", 45.0, True, None, "", [45]])
def test_a_whole_number_is_neither_text_nor_a_decimal_nor_a_boolean(value: object) -> None:
    assert refuse(check_whole_number, value) == "must be a whole number without quotation marks or decimals"


@pytest.mark.parametrize("value", ["yes", "1", 1, 0, "true", None])
def test_yes_or_no_is_true_or_false(value: object) -> None:
    assert refuse(check_yes_or_no, value) == "must be true or false, without quotation marks"


def test_a_rate_is_a_price_that_is_paid() -> None:
    assert TypeAdapter[object](Rate).validate_python("24.10") == Decimal("24.10")
    assert list(map(_refuses, [Rate] * 3, [0, 10_000.01, 1_700_000_000])) == [True] * 3
    assert _refuses(WeeklyHours, 100_000.01)
    assert _refuses(Pounds, "10000000000")


def _refuses(kind: Any, value: object) -> bool:  # an annotated type
    try:
        TypeAdapter[object](kind).validate_python(value)
    except ValidationError:
        return True
    return False


@pytest.mark.parametrize("kind", UnitKind)
def test_the_largest_rate_for_the_largest_care_has_a_price(kind: UnitKind) -> None:
    visit = Visit(days=tuple(Weekday), earliest=time(0), latest=time(23), minutes=10_080, carers=4)
    care = an_example_of(PackageRequested).care.model_copy(update={"visits": (visit,) * 50})
    terms = compute_terms_at_rate(care, Units.HOUR, kind, Decimal(LARGEST_RATE), price_list="invented")
    assert terms.total_cost == terms.lines[0].quantity * LARGEST_RATE
