"""Figures of a rehearsal."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from simulator.rehearsal.engine import PackageResult
from simulator.rehearsal.figures import compute_figures, compute_gini, find_percentile

NINE = datetime(2026, 1, 12, 9, tzinfo=UTC)


def a_result(*, hours: float | None, tier: str | None = "tier-1", provider: int = 1, offers: int = 1) -> PackageResult:
    if hours is None:
        return PackageResult(NINE, served=True, offers=offers)
    return PackageResult(
        NINE,
        served=True,
        offers=offers,
        placed_at=NINE + timedelta(hours=hours),
        stage="tier-1",
        tier=tier,
        provider_id=UUID(int=provider),
        weekly_hours=Decimal("7.00"),
        weekly_cost=Decimal("170.00"),
        fixed_cost=Decimal("0.00"),
    )


@pytest.mark.parametrize(
    ("shares", "members", "gini"),
    [
        ([1, 1, 1, 1], 4, 0.0),
        ([4], 4, 0.75),
        ([1, 3], 2, 0.25),
        ([], 4, None),
        ([1], 0, None),
    ],
)
def test_the_gini_coefficient_counts_those_who_have_nothing(
    shares: list[int], members: int, gini: float | None
) -> None:
    assert compute_gini([Decimal(each) for each in shares], members=members) == gini


def test_percentiles_are_values_that_occur() -> None:
    values = [1.0, 2.0, 3.0, 4.0]
    assert [find_percentile(values, percent) for percent in (50, 90, 100)] == [2.0, 4.0, 4.0]
    assert find_percentile([], 50) is None


def test_shares_are_of_the_packages_that_are_served() -> None:
    results = [
        a_result(hours=1),
        a_result(hours=3, tier=None, provider=2, offers=4),
        a_result(hours=None, offers=5),
        PackageResult(NINE, served=False),
    ]
    figures = compute_figures("invented", 1, results, providers=4)
    assert (figures.referrals, figures.served, figures.placed, figures.not_placed) == (4, 3, 2, 1)
    assert figures.placed_share_by_tier == {"open list": 0.3333, "tier-1": 0.3333}
    assert (figures.hours_to_place_median, figures.hours_to_place_p90) == (1.0, 3.0)
    assert figures.offers_per_package == 3.333
    assert (figures.weekly_cost_mean, figures.gini_of_placed_hours) == (Decimal("170.00"), 0.5)
    assert figures.to_json()["weekly_cost_mean"] == "170.00"
