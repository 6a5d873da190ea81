"""Comparison of the providers' current rates: the median of a price band, and how far each rate is from it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from statistics import median
from typing import Final

from contracts.events.rates import SelectedRate, Selection
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import AreaCode, BandKey, ItemKey
from contracts.terms import round_half_up
from pricing.domain.rates import RateScope

TENTH: Final = Decimal("0.1")

BandOfRates = tuple[BandKey | None, ItemKey]
"""One item in the areas of one price band; None are the areas without a band."""


@dataclass(frozen=True)
class ComparedRate:
    """One current rate with the median of its item in its price band, in pounds."""

    rate: SelectedRate
    median: Decimal

    @property
    def deviation_percent(self) -> Decimal | None:
        """How far the rate is above the median (below: negative), to a tenth of a percent; None if that is 0."""
        if self.median == 0:
            return None
        return ((self.rate.rate - self.median) * 100 / self.median).quantize(TENTH, ROUND_HALF_UP)


class RateComparison:
    """The medians of a framework's current rates. Every provider counts once for each of its areas."""

    def __init__(self, definition: FrameworkDefinition, current: Iterable[tuple[RateScope, Selection]]) -> None:
        self._definition = definition
        self._medians = self._compute_medians(current)

    def find_band(self, area: AreaCode) -> BandKey | None:
        found = self._definition.find_area(area)
        return None if found is None else found.price_band

    def compare(self, scope: RateScope, selection: Selection) -> Sequence[ComparedRate]:
        """Returns the rates of one of the current selections."""
        band = self.find_band(scope.area)
        return [ComparedRate(rate, self._medians[band, rate.item]) for rate in selection.rates]

    def _compute_medians(self, current: Iterable[tuple[RateScope, Selection]]) -> Mapping[BandOfRates, Decimal]:
        rates: dict[BandOfRates, list[Decimal]] = {}
        for scope, selection in current:
            band = self.find_band(scope.area)
            for rate in selection.rates:
                rates.setdefault((band, rate.item), []).append(rate.rate)
        return {key: round_half_up(Fraction(median(found))) for key, found in rates.items()}
