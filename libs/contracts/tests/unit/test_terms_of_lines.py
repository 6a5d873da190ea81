"""Terms with several lines, price bands, selected and own rates."""

from datetime import date
from decimal import Decimal

import pytest
from pydantic import ValidationError

from contracts.events.rates import SelectedRate, Selection
from contracts.example_words import ServiceTypes, Units
from contracts.examples import COLCHESTER, a_definition, a_visit, some_care, some_prices
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.prices import MatrixLine, RatesSetBy
from contracts.framework.words import Area
from contracts.ids import AreaCode, BandKey, ItemKey
from contracts.terms import compute_terms, compute_terms_at_rate
from contracts.values import Terms, UnitKind, Weekday

PERSONAL_CARE = ServiceTypes.PERSONAL_CARE
ON_SITE, SUPPORT = ItemKey("on-site-care"), ItemKey("care-support")
RURAL, FAR = BandKey("rural"), AreaCode("ZONE-2")
TWO_CARERS = some_care(visits=(a_visit(carers=2),))


def _define(*lines: MatrixLine, rates_set_by: RatesSetBy = RatesSetBy.FRAMEWORK) -> FrameworkDefinition:
    usual = some_prices().matrix[1:]
    return a_definition(
        areas=(Area(code=COLCHESTER, name="Colchester"), Area(code=FAR, name="Far", price_band=RURAL)),
        prices=some_prices(
            rates_set_by=rates_set_by,
            matrix=(*lines, *(_give_highest(line, rates_set_by) for line in usual)),
        ),
    )


def _give_highest(line: MatrixLine, rates_set_by: RatesSetBy) -> MatrixLine:
    return line.model_copy(update={"highest": line.rate}) if rates_set_by is RatesSetBy.PROVIDER else line


def _line(**changed: object) -> MatrixLine:
    usual: dict[str, object] = {"service_type": PERSONAL_CARE, "unit": Units.HOUR, "rate": Decimal("24.10")}
    return MatrixLine.model_validate({**usual, **changed})


def _select(*rates: tuple[ItemKey, int | None, str]) -> Selection:
    return Selection(
        valid_from=date(2026, 4, 1),
        matrix_version=1,
        rates=tuple(
            SelectedRate(service_type=PERSONAL_CARE, item=item, unit=Units.HOUR, number=number, rate=Decimal(rate))
            for item, number, rate in rates
        ),
    )


FEE_AND_HOURS = (
    _line(item=ON_SITE, unit=Units.WEEK, rate=Decimal("68.32"), each_carer=False),
    _line(item=SUPPORT, rate=Decimal("29.07")),
)


def test_a_weekly_fee_and_hours_are_two_lines_of_one_price() -> None:
    terms = compute_terms(TWO_CARERS, _define(*FEE_AND_HOURS))
    assert terms is not None
    assert [(line.item, line.unit_kind, line.quantity, line.cost) for line in terms.lines] == [
        (ON_SITE, UnitKind.WEEK, Decimal("1.00"), Decimal("68.32")),
        (SUPPORT, UnitKind.HOUR, Decimal("7.00"), Decimal("203.49")),
    ]
    assert (terms.weekly_cost, terms.fixed_cost, terms.total_cost) == (Decimal("271.81"), 0, Decimal("271.81"))


def test_each_line_is_rounded_by_itself() -> None:
    """Twice 6.025 are 12.05; the two lines of 6.03 are 12.06, as on the order."""
    quarter = some_care(visits=(a_visit(days=(Weekday.MON,), minutes=15),))
    terms = compute_terms(quarter, _define(_line(item=ON_SITE), _line(item=SUPPORT)))
    assert terms is not None
    assert terms.weekly_cost == Decimal("12.06")


def test_an_episode_is_paid_once_and_not_each_week() -> None:
    terms = compute_terms(some_care(), _define(_line(unit=Units.EPISODE, rate=Decimal("1174.00"))))
    assert terms is not None
    assert (terms.weekly_cost, terms.fixed_cost) == (Decimal("0.00"), Decimal("1174.00"))
    assert terms.total_cost == Decimal("1174.00")


@pytest.mark.parametrize(("each_carer", "cost"), [(True, "2348.00"), (False, "1174.00")])
def test_an_episode_is_paid_for_each_carer_or_once(each_carer: bool, cost: str) -> None:
    line = _line(unit=Units.EPISODE, rate=Decimal("1174.00"), each_carer=each_carer)
    terms = compute_terms(TWO_CARERS, _define(line))
    assert terms is not None
    assert terms.fixed_cost == Decimal(cost)


BANDED = (_line(), _line(band=RURAL, rate=Decimal("30.00")))


@pytest.mark.parametrize(("area", "rate"), [(None, "24.10"), (COLCHESTER, "24.10"), (FAR, "30.00")])
def test_the_price_band_is_that_of_the_area_of_the_providers_place(area: AreaCode | None, rate: str) -> None:
    terms = compute_terms(some_care(), _define(*BANDED), area=area)
    assert terms is not None
    assert terms.rate == Decimal(rate)


def test_a_package_in_a_band_costs_the_rate_of_the_band() -> None:
    terms = compute_terms(some_care(area=FAR), _define(*BANDED))
    assert terms is not None
    assert terms.rate == Decimal("30.00")


def test_a_band_without_a_line_of_its_own_has_the_lines_without_a_band() -> None:
    definition = _define(_line())
    assert [line.rate for line in definition.find_price_lines(PERSONAL_CARE, FAR)] == [Decimal("24.10")]


def _select_lines(rates_set_by: RatesSetBy, selection: Selection | None) -> Terms | None:
    highest = Decimal("99.00") if rates_set_by is RatesSetBy.PROVIDER else None
    lines = (_line(item=ON_SITE, highest=highest), _line(item=SUPPORT, highest=highest))
    return compute_terms(some_care(), _define(*lines, rates_set_by=rates_set_by), selection)


def test_the_selected_rate_of_each_line_applies() -> None:
    terms = _select_lines(RatesSetBy.SELECTION, _select((SUPPORT, 3, "26.00"), (ON_SITE, 2, "25.00")))
    assert terms is not None
    assert [line.rate for line in terms.lines] == [Decimal("25.00"), Decimal("26.00")]
    assert terms.price_list == "invented-1 rate 2 and rate 3, selected from 2026-04-01"


def test_the_own_rate_of_a_provider_applies() -> None:
    terms = _select_lines(RatesSetBy.PROVIDER, _select((ON_SITE, None, "27.00"), (SUPPORT, None, "28.00")))
    assert terms is not None
    assert [line.rate for line in terms.lines] == [Decimal("27.00"), Decimal("28.00")]
    assert terms.price_list == "invented-1 own rate, named from 2026-04-01"


@pytest.mark.parametrize("rates_set_by", [RatesSetBy.SELECTION, RatesSetBy.PROVIDER])
@pytest.mark.parametrize("selection", [None, _select((ON_SITE, 1, "24.10"))], ids=["none", "one of two lines"])
def test_a_provider_without_a_rate_for_each_line_has_no_terms(
    rates_set_by: RatesSetBy, selection: Selection | None
) -> None:
    assert _select_lines(rates_set_by, selection) is None


def test_a_selection_has_one_rate_for_each_item() -> None:
    with pytest.raises(ValidationError, match="one rate for each item"):
        _select((ON_SITE, 1, "24.10"), (ON_SITE, 2, "25.00"))


@pytest.mark.parametrize(
    ("kind", "quantity", "weekly", "fixed"),
    [
        (UnitKind.HOUR, "7.00", "140.00", "0.00"),
        (UnitKind.NIGHT, "14.00", "280.00", "0.00"),
        (UnitKind.WEEK, "2.00", "40.00", "0.00"),
        (UnitKind.EPISODE, "2.00", "0.00", "40.00"),
    ],
)
def test_a_proposal_has_one_line_at_its_rate(kind: UnitKind, quantity: str, weekly: str, fixed: str) -> None:
    terms = compute_terms_at_rate(TWO_CARERS, Units.HOUR, kind, Decimal("20.00"), price_list="proposal")
    (line,) = terms.lines
    assert (line.item, line.quantity) == (PERSONAL_CARE, Decimal(quantity))
    assert (terms.weekly_cost, terms.fixed_cost) == (Decimal(weekly), Decimal(fixed))


def test_a_proposal_for_a_week_can_cost_the_same_for_two_carers() -> None:
    terms = compute_terms_at_rate(
        TWO_CARERS, Units.WEEK, UnitKind.WEEK, Decimal("20.00"), price_list="proposal", each_carer=False
    )
    assert terms.weekly_cost == Decimal("20.00")


def test_the_highest_rate_is_not_below_the_lowest() -> None:
    with pytest.raises(ValidationError, match="highest must not be below rate"):
        _line(highest=Decimal("24.09"))


@pytest.mark.parametrize(("number", "rate"), [(0, None), (1, "24.10"), (2, "25.00"), (3, None)])
def test_rates_of_a_line_are_counted_from_one(number: int, rate: str | None) -> None:
    found = _line(further_rates=(Decimal("25.00"),)).find_rate(number)
    assert found == (None if rate is None else Decimal(rate))
