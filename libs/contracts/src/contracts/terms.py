"""Computes the terms of an offer from the price list, the visit pattern and the service type.

Sourcing computes the terms once, when it makes the offer. The purchase order uses the terms of the offer.
"""

from decimal import Decimal
from fractions import Fraction
from math import floor

from contracts.events.rates import Selection
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.prices import MatrixLine
from contracts.ids import AreaCode, ItemKey, UnitKey
from contracts.values import Care, Terms, TermsLine, UnitKind


def compute_terms(
    care: Care, definition: FrameworkDefinition, selection: Selection | None = None, *, area: AreaCode | None = None
) -> Terms | None:
    """Returns the terms of `care`, or None if there is no rate for one of its lines.

    The price band is that of the provider's `area`, the package's own one if None. If providers set their rates, those
    of `selection` apply; otherwise rate 1 of the matrix.
    """
    prices = definition.prices
    matrix_lines = definition.find_price_lines(care.service_type, area or care.area)
    if not prices.are_set_by_providers:
        lines = [_compute_line(care, line, line.rate, definition.get_unit_kind(line.unit)) for line in matrix_lines]
        return _sum_up(lines, prices.price_list)
    if selection is None:
        return None
    lines, labels = list[TermsLine](), list[str]()
    for line in matrix_lines:
        selected = selection.find_rate(line.item_key)
        if selected is None:
            return None
        lines.append(_compute_line(care, line, selected.rate, definition.get_unit_kind(line.unit)))
        labels.append("own rate" if selected.number is None else f"rate {selected.number}")
    chosen = " and ".join(dict.fromkeys(labels))
    verb = "named" if labels[:1] == ["own rate"] else "selected"
    return _sum_up(lines, f"{prices.price_list} {chosen}, {verb} from {selection.valid_from.isoformat()}")


def compute_terms_at_rate(
    care: Care, unit: UnitKey, kind: UnitKind, rate: Decimal, *, price_list: str, each_carer: bool = True
) -> Terms:
    """Returns the terms of `care` with one line at a `rate` in pounds for each `unit`.

    `hour`: commissioned hours a week (carers counted) × rate. `night`: nights a week × carers × rate.
    `week` and `episode`: the greatest number of carers at once × rate, or 1 × rate unless `each_carer` is paid.
    """
    line = _build_line(
        ItemKey(care.service_type), unit, kind, rate, _compute_quantity(care, kind, each_carer=each_carer)
    )
    return _sum_up_lines([line], price_list)


def _sum_up(lines: list[TermsLine], price_list: str) -> Terms | None:
    return _sum_up_lines(lines, price_list) if lines else None


def _sum_up_lines(lines: list[TermsLine], price_list: str) -> Terms:
    nothing = Decimal("0.00")
    return Terms(
        price_list=price_list,
        lines=tuple(lines),
        weekly_cost=sum((line.cost for line in lines if line.unit_kind.recurs), nothing),
        fixed_cost=sum((line.cost for line in lines if not line.unit_kind.recurs), nothing),
    )


def _compute_line(care: Care, line: MatrixLine, rate: Decimal, kind: UnitKind) -> TermsLine:
    quantity = _compute_quantity(care, kind, each_carer=line.each_carer)
    return _build_line(line.item_key, line.unit, kind, rate, quantity)


def _build_line(item: ItemKey, unit: UnitKey, kind: UnitKind, rate: Decimal, quantity: Fraction) -> TermsLine:
    return TermsLine(
        item=item,
        unit=unit,
        unit_kind=kind,
        rate=rate,
        quantity=round_half_up(quantity),
        cost=round_half_up(quantity * Fraction(rate)),
    )


def round_half_up(exact: Fraction) -> Decimal:
    """Returns an amount of zero or more to two decimal places, half up; applied once, to a line and not to each visit.

    It is rounded from the exact fraction: 125 minutes at £15.06 an hour are £31.375 and cost £31.38, but a third of an
    hour, cut off after any number of decimal places, would make them a penny less.
    """
    return Decimal(floor(exact * 100 + Fraction(1, 2))).scaleb(-2)


def _compute_quantity(care: Care, kind: UnitKind, *, each_carer: bool) -> Fraction:
    """Returns the exact quantity; hours can have more than two decimal places."""
    if kind is UnitKind.HOUR:
        return Fraction(sum(visit.weekly_minutes for visit in care.visits), 60)
    if kind is UnitKind.NIGHT:
        return Fraction(sum(len(visit.days) * visit.carers for visit in care.visits))
    return Fraction(care.carers_at_once if each_carer else 1)
