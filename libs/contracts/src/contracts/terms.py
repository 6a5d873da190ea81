"""Computes the terms of an offer from the price list, the visit pattern and the service type.

Sourcing computes the terms once, when it makes the offer. The purchase order uses the terms of the offer.
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from contracts.events.rates import Selection
from contracts.framework import Prices
from contracts.values import Care, PriceUnit, Terms

PENNY: Final = Decimal("0.01")
ROUNDING: Final = ROUND_HALF_UP
"""Half up, to the penny, applied once: to the weekly cost of the package, not to each visit."""


def compute_terms(care: Care, prices: Prices, selection: Selection | None = None) -> Terms | None:
    """Returns the terms of `care` by `prices`, or None if there is no rate for its service type.

    If providers select their rates (`prices.selected_by_providers`), the rate of `selection` applies; otherwise rate 1.
    """
    line = prices.find_matrix_line(care.service_type)
    if line is None:
        return None
    if not prices.selected_by_providers:
        return compute_terms_at_rate(care, line.unit, line.rate, price_list=prices.price_list)
    selected = selection.find_rate(care.service_type) if selection is not None else None
    if selection is None or selected is None:
        return None
    price_list = f"{prices.price_list} rate {selected.number}, selected from {selection.valid_from.isoformat()}"
    return compute_terms_at_rate(care, selected.unit, selected.rate, price_list=price_list)


def compute_terms_at_rate(care: Care, unit: PriceUnit, rate: Decimal, *, price_list: str) -> Terms:
    """Returns the terms of `care` at a `rate` in pounds for each `unit`.

    `hour`: commissioned hours a week (carers counted) × rate. `night`: nights a week × carers × rate.
    `week`: one week × the greatest number of carers at once × rate.
    """
    return Terms(
        price_list=price_list,
        unit=unit,
        rate=rate,
        quantity_per_week=_compute_quantity(care, unit),
        weekly_cost=(_compute_exact_quantity(care, unit) * rate).quantize(PENNY, ROUNDING),
    )


def _compute_quantity(care: Care, unit: PriceUnit) -> Decimal:
    return _compute_exact_quantity(care, unit).quantize(PENNY, ROUNDING)


def _compute_exact_quantity(care: Care, unit: PriceUnit) -> Decimal:
    if unit is PriceUnit.HOUR:
        return Decimal(sum(visit.weekly_minutes for visit in care.visits)) / 60
    if unit is PriceUnit.NIGHT:
        return Decimal(sum(len(visit.days) * visit.carers for visit in care.visits))
    return Decimal(care.carers_at_once)
