"""The terms of an offer, computed a second time: by hand-written arithmetic in whole pence, from the price matrix."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from contracts.events.rates import RatesSelected, Selection
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.prices import MatrixLine, RatesSetBy
from contracts.ids import AreaCode, ItemKey, UnitKey
from contracts.values import Care, Terms, TermsLine, UnitKind


def recompute_terms(
    definition: FrameworkDefinition, care: Care, *, area: AreaCode, rates: RatesSelected | None, on: date
) -> Terms | None:
    """Computes the terms with the provider's newest rates of `area`; None where one of the lines has no rate."""
    lines = _list_lines(definition, care, area)
    if definition.prices.rates_set_by is RatesSetBy.FRAMEWORK:
        priced = [recompute_line(care, line, line.rate) for line in lines]
        return _add_up(priced, definition.prices.price_list)
    selections = [each for each in (rates.selections if rates is not None else ()) if each.valid_from <= on]
    selection = max(selections, key=lambda each: each.valid_from) if selections else None
    if selection is None or not {line.item_key for line in lines} <= {each.item for each in selection.rates}:
        return None
    chosen = {each.item: each.rate for each in selection.rates}
    priced = [recompute_line(care, line, chosen[line.item_key]) for line in lines]
    return _add_up(priced, f"{definition.prices.price_list} {_describe(lines, selection)}")


def recompute_line(care: Care, line: MatrixLine, rate: Decimal) -> TermsLine:
    """Computes one line: quantity and cost are rounded half up, once each."""
    kind = UnitKind(line.unit)
    numerator, denominator = _count_units(care, kind, each_carer=line.each_carer)
    return TermsLine(
        item=line.item_key,
        unit=line.unit,
        unit_kind=kind,
        rate=rate,
        quantity=_divide_half_up(numerator * 100, denominator),
        cost=_divide_half_up(numerator * int(rate * 100), denominator),
    )


def recompute_proposal(care: Care, unit: UnitKey, rate: Decimal) -> Terms | None:
    """Computes the terms of a proposal: one line at the rate that the provider names."""
    line = MatrixLine(service_type=care.service_type, unit=unit, rate=rate)
    return _add_up([recompute_line(care, line, rate)], "as proposed")


def _list_lines(definition: FrameworkDefinition, care: Care, area: AreaCode) -> Sequence[MatrixLine]:
    """Lists the lines of the service type in the area's price band; without any there, those of no band."""
    band = {each.code: each.price_band for each in definition.areas}[area]
    of_type = [line for line in definition.prices.matrix if line.service_type == care.service_type]
    in_band = [line for line in of_type if line.band == band] if band is not None else []
    return in_band or [line for line in of_type if line.band is None]


def _count_units(care: Care, kind: UnitKind, *, each_carer: bool) -> tuple[int, int]:
    """Counts hours in minutes, nights by carer, and weeks and episodes by the most carers at once, as a fraction."""
    if kind is UnitKind.HOUR:
        return sum(len(visit.days) * visit.minutes * visit.carers for visit in care.visits), 60
    if kind is UnitKind.NIGHT:
        return sum(len(visit.days) * visit.carers for visit in care.visits), 1
    return (max(visit.carers for visit in care.visits) if each_carer else 1), 1


def _divide_half_up(numerator: int, denominator: int) -> Decimal:
    """Divides hundredths: the half is rounded up."""
    return Decimal((2 * numerator + denominator) // (2 * denominator)).scaleb(-2)


def _describe(lines: Sequence[MatrixLine], selection: Selection) -> str:
    """`rate 2 and rate 1, selected from 2026-01-01`."""
    numbers: dict[ItemKey, int | None] = {each.item: each.number for each in selection.rates}
    labels = ["own rate" if numbers[line.item_key] is None else f"rate {numbers[line.item_key]}" for line in lines]
    verb = "named" if labels[0] == "own rate" else "selected"
    return f"{' and '.join(dict.fromkeys(labels))}, {verb} from {selection.valid_from}"


def _add_up(lines: Sequence[TermsLine], price_list: str) -> Terms | None:
    if not lines:
        return None
    once = [line.cost for line in lines if line.unit_kind is UnitKind.EPISODE]
    weekly = [line.cost for line in lines if line.unit_kind is not UnitKind.EPISODE]
    return Terms(
        price_list=price_list,
        lines=tuple(lines),
        weekly_cost=sum(weekly, Decimal("0.00")),
        fixed_cost=sum(once, Decimal("0.00")),
    )
