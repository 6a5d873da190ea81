"""The cost of hours, nights and weeks is computed once and rounded to the penny, half up."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.example_words import ServiceTypes, Units
from contracts.examples import a_definition, a_visit, some_care, some_prices
from contracts.framework.prices import MatrixLine
from contracts.terms import compute_terms
from contracts.values import Care, Terms, Visit, Weekday

PENNY = Decimal("0.01")


def _compute(care: Care, rate: str = "24.10") -> Terms:
    """Computes the terms by the usual matrix, in which personal care costs `rate` an hour."""
    usual = some_prices()
    changed = MatrixLine(service_type=ServiceTypes.PERSONAL_CARE, unit=Units.HOUR, rate=Decimal(rate))
    definition = a_definition(prices=some_prices(matrix=(changed, *usual.matrix[1:])))
    terms = compute_terms(care, definition)
    assert terms is not None
    return terms


def test_the_weekly_cost_is_hours_a_week_times_the_rate() -> None:
    terms = _compute(some_care())
    (line,) = terms.lines
    assert (line.quantity, line.rate, line.cost) == (Decimal("3.50"), Decimal("24.10"), Decimal("84.35"))
    assert (terms.weekly_cost, terms.fixed_cost) == (Decimal("84.35"), Decimal("0.00"))


def test_two_carers_cost_twice() -> None:
    assert _compute(some_care(visits=(a_visit(carers=2),))).weekly_cost == 2 * Decimal("84.35")


def test_nights_are_counted_not_their_minutes() -> None:
    nights = a_visit(days=(Weekday.FRI, Weekday.SAT), minutes=600)
    terms = _compute(some_care(service_type=ServiceTypes.NIGHT_SLEEP, visits=(nights,)))
    assert (terms.lines[0].quantity, terms.weekly_cost) == (2, Decimal("252.00"))


def test_a_night_with_two_carers_is_two_nights() -> None:
    nights = a_visit(days=(Weekday.FRI,), minutes=600, carers=2)
    assert _compute(some_care(service_type=ServiceTypes.NIGHT_SLEEP, visits=(nights,))).weekly_cost == Decimal("252.00")


def test_live_in_is_one_week_for_each_carer_at_once() -> None:
    week = a_visit(days=(Weekday.MON,), minutes=10_080)
    pop_in = a_visit(carers=2)
    alone = _compute(some_care(service_type=ServiceTypes.LIVE_IN, visits=(week,)))
    together = _compute(some_care(service_type=ServiceTypes.LIVE_IN, visits=(week, pop_in)))
    assert (alone.weekly_cost, together.weekly_cost) == (Decimal("1480.00"), Decimal("2960.00"))


def test_half_a_penny_goes_up() -> None:
    """15 minutes at 24.10 are 6.025: half to even would give 6.02."""
    quarter = a_visit(days=(Weekday.MON,), minutes=15)
    assert _compute(some_care(visits=(quarter,))).weekly_cost == Decimal("6.03")


def test_half_a_penny_goes_up_where_the_hours_have_no_last_decimal_place() -> None:
    """125 minutes at 15.06 are 31.375; the hours as a decimal, 2.0833…, would make 31.37."""
    weekdays = a_visit(days=(Weekday.MON, Weekday.TUE, Weekday.WED, Weekday.THU, Weekday.FRI), minutes=25)
    assert _compute(some_care(visits=(weekdays,)), "15.06").weekly_cost == Decimal("31.38")


def test_the_weekly_cost_is_rounded_once_for_the_line_and_not_for_each_visit() -> None:
    """Two quarters at 24.10 are 12.05; rounded for each visit they would be 12.06."""
    quarters = (a_visit(days=(Weekday.MON,), minutes=15), a_visit(days=(Weekday.TUE,), minutes=15))
    assert _compute(some_care(visits=quarters)).weekly_cost == Decimal("12.05")


def test_twenty_minutes_cost_a_third_of_the_rate_not_thirty_three_hundredths() -> None:
    """The cost is taken from the minutes, not from the rounded quantity of 0.33 hours."""
    third = a_visit(days=(Weekday.MON,), minutes=20)
    terms = _compute(some_care(visits=(third,)), "24.00")
    assert (terms.lines[0].quantity, terms.weekly_cost) == (Decimal("0.33"), Decimal("8.00"))


def test_a_service_type_without_a_matrix_line_has_no_terms() -> None:
    assert compute_terms(some_care(service_type=ServiceTypes.CARERS_BREAK), a_definition()) is None


visits = st.builds(
    a_visit,
    days=st.lists(st.sampled_from(Weekday), min_size=1, max_size=7, unique=True).map(tuple),
    minutes=st.integers(min_value=15, max_value=600),
    carers=st.integers(min_value=1, max_value=4),
)
patterns = st.lists(visits, min_size=1, max_size=10).map(tuple)
rates = st.decimals(min_value="0.01", max_value="99.99", places=2).map(str)


@given(pattern=patterns, rate=rates)
def test_the_cost_is_the_minutes_at_the_rate_within_half_a_penny(pattern: tuple[Visit, ...], rate: str) -> None:
    exact = Fraction(sum(visit.weekly_minutes for visit in pattern), 60) * Fraction(rate)
    half = Fraction(1, 200)
    assert -half < Fraction(_compute(some_care(visits=pattern), rate).weekly_cost) - exact <= half


@given(first=patterns, second=patterns, rate=rates)
def test_a_combined_package_costs_the_sum_of_two_packages_within_a_penny(
    first: tuple[Visit, ...], second: tuple[Visit, ...], rate: str
) -> None:
    def compute_cost(pattern: tuple[Visit, ...]) -> Decimal:
        return _compute(some_care(visits=pattern), rate).weekly_cost

    assert abs(compute_cost(first + second) - compute_cost(first) - compute_cost(second)) <= PENNY


@given(pattern=patterns)
def test_the_quantity_of_hourly_care_is_the_weekly_hours(pattern: tuple[Visit, ...]) -> None:
    care = some_care(visits=pattern)
    assert _compute(care).lines[0].quantity == care.weekly_hours


@pytest.mark.parametrize("written", ["24.1", "24.10", "2.410E+1"])
def test_equal_amounts_are_encoded_as_equal_bytes(written: str) -> None:
    line = MatrixLine(service_type=ServiceTypes.PERSONAL_CARE, unit=Units.HOUR, rate=Decimal(written))
    assert '"24.10"' in line.model_dump_json()
