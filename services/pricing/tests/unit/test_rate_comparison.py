"""Comparison of current rates with the median of their price band."""

from decimal import Decimal

import pytest

from contracts.events.rates import Selection
from contracts.examples import COLCHESTER
from contracts.ids import AreaCode
from pricing.domain.rate_comparison import ComparedRate, RateComparison
from pricing.domain.rates import RateScope
from testkit.pricing.builders import HILLS, MOOR, TODAY, a_matrix_of_own_rates, a_rate_scope, a_selected_rate

Current = tuple[RateScope, Selection]


def a_current_rate(name: str, area: AreaCode, rate: str) -> Current:
    selection = Selection(valid_from=TODAY, matrix_version=1, rates=(a_selected_rate(Decimal(rate)),))
    return a_rate_scope(name, area=area), selection


def compare(*current: Current) -> list[ComparedRate]:
    comparison = RateComparison(a_matrix_of_own_rates(), current)
    return [rate for each in current for rate in comparison.compare(*each)]


def test_the_median_is_that_of_all_areas_of_a_band_and_of_no_other() -> None:
    compared = compare(
        a_current_rate("Alder", HILLS, "24.00"),
        a_current_rate("Birch", HILLS, "25.00"),
        a_current_rate("Alder", MOOR, "30.00"),
        a_current_rate("Alder", COLCHESTER, "20.00"),
    )
    assert [each.median for each in compared] == [Decimal("25.00")] * 3 + [Decimal("20.00")]


def test_the_median_of_an_even_number_is_the_mean_of_the_two_in_the_middle_to_the_penny() -> None:
    compared = compare(a_current_rate("Alder", HILLS, "24.00"), a_current_rate("Birch", HILLS, "25.01"))
    assert [each.median for each in compared] == [Decimal("24.51")] * 2


@pytest.mark.parametrize(
    ("rate", "median", "percent"),
    [
        ("30.00", "25.00", "20.0"),
        ("20.00", "25.00", "-20.0"),
        ("25.00", "25.00", "0.0"),
        ("25.01", "24.00", "4.2"),
        ("1.00", "0.00", None),
    ],
)
def test_the_deviation_is_a_percentage_of_the_median(rate: str, median: str, percent: str | None) -> None:
    compared = ComparedRate(a_selected_rate(Decimal(rate)), Decimal(median))
    assert compared.deviation_percent == (None if percent is None else Decimal(percent))
