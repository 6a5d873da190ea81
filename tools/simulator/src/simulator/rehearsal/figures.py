"""Figures of a rehearsal, by which two definitions are compared."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Final
from uuid import UUID

from simulator.rehearsal.engine import PackageResult

HOUR_SECONDS: Final = 3600
OPEN_LIST: Final = "open list"


@dataclass(frozen=True)
class Figures:
    """The results of one definition; shares are of the packages that it serves, times in hours."""

    framework: str
    version: int
    referrals: int
    served: int
    placed: int
    not_placed: int
    placed_share_by_tier: Mapping[str, float]
    hours_to_place_median: float | None
    hours_to_place_p90: float | None
    offers_per_package: float
    weekly_cost_mean: Decimal | None
    fixed_cost_mean: Decimal | None
    gini_of_placed_hours: float | None
    providers_placed: int

    def to_json(self) -> dict[str, object]:
        return {key: str(value) if isinstance(value, Decimal) else value for key, value in asdict(self).items()}


def compute_figures(framework: str, version: int, results: Sequence[PackageResult], providers: int) -> Figures:
    """Computes the figures; `providers` is the number of providers over which the placed hours spread."""
    served = [each for each in results if each.served]
    placed = [each for each in served if each.placed_at is not None]
    hours = sorted(_get_hours_to_place(each) for each in placed)
    tiers = Counter(each.tier or OPEN_LIST for each in placed)
    return Figures(
        framework=framework,
        version=version,
        referrals=len(results),
        served=len(served),
        placed=len(placed),
        not_placed=len(served) - len(placed),
        placed_share_by_tier={tier: round(count / len(served), 4) for tier, count in sorted(tiers.items())},
        hours_to_place_median=find_percentile(hours, 50),
        hours_to_place_p90=find_percentile(hours, 90),
        offers_per_package=round(sum(each.offers for each in served) / max(len(served), 1), 3),
        weekly_cost_mean=_compute_mean([each.weekly_cost for each in placed]),
        fixed_cost_mean=_compute_mean([each.fixed_cost for each in placed]),
        gini_of_placed_hours=compute_gini(_sum_hours(placed), members=providers),
        providers_placed=len({each.provider_id for each in placed}),
    )


def find_percentile(values: Sequence[float], percent: int) -> float | None:
    """Returns the smallest value that at least `percent` of the sorted values do not exceed; None without values."""
    if not values:
        return None
    position = -(-len(values) * percent // 100) - 1
    return round(values[max(position, 0)], 2)


def compute_gini(shares: Sequence[Decimal], *, members: int) -> float | None:
    """Returns the Gini coefficient over `members`, of whom those without a share have nothing: 0 equal, near 1 unequal.

    None if nobody has anything.
    """
    total = sum(shares, Decimal(0))
    if members == 0 or total == 0:
        return None
    ordered = sorted([*([Decimal(0)] * (members - len(shares))), *shares])
    weighted = sum((rank * share for rank, share in enumerate(ordered, start=1)), Decimal(0))
    return round(float(2 * weighted / (members * total) - Decimal(members + 1) / members), 4)


def _get_hours_to_place(result: PackageResult) -> float:
    assert result.placed_at is not None, "only placed packages have a time to place"
    return (result.placed_at - result.requested_at).total_seconds() / HOUR_SECONDS


def _sum_hours(placed: Sequence[PackageResult]) -> list[Decimal]:
    hours: dict[UUID | None, Decimal] = defaultdict(Decimal)
    for each in placed:
        hours[each.provider_id] += each.weekly_hours
    return list(hours.values())


def _compute_mean(amounts: Sequence[Decimal]) -> Decimal | None:
    return (sum(amounts, Decimal(0)) / len(amounts)).quantize(Decimal("0.01")) if amounts else None
