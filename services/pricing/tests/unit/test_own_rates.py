"""Rates of frameworks in which providers name their own, and of service types with several lines."""

from decimal import Decimal

import pytest

from contracts.errors import InvalidInput
from contracts.events.rates import Selection
from contracts.example_words import ServiceTypes, Units
from contracts.examples import COLCHESTER, some_prices, some_service_types
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.prices import MatrixLine, RatesSetBy
from contracts.framework.words import Area
from contracts.ids import AreaCode, ItemKey, ServiceTypeKey
from pricing.domain.rate_matrix import RateChoice
from pricing.domain.rates import build_selection
from testkit.pricing.builders import (
    HILLS,
    TODAY,
    a_matrix,
    a_matrix_of_own_rates,
    a_personal_care_choice,
    a_rate_scope,
    an_own_rate,
)

EXTRA_CARE = ServiceTypeKey("extra-care")
FEE = RateChoice(EXTRA_CARE, ItemKey("on-site-care"), number=2)
HOURS = RateChoice(EXTRA_CARE, ItemKey("care-support"), number=1)


def a_matrix_with_two_lines() -> FrameworkDefinition:
    """A framework whose providers select a weekly fee and an hourly rate of extra care."""
    matrix = (
        MatrixLine(
            service_type=EXTRA_CARE,
            item=FEE.item,
            unit=Units.WEEK,
            rate=Decimal("68.32"),
            further_rates=(Decimal("70.00"),),
        ),
        MatrixLine(service_type=EXTRA_CARE, item=HOURS.item, unit=Units.HOUR, rate=Decimal("29.07")),
    )
    return a_matrix(
        service_types=some_service_types(EXTRA_CARE),
        prices=some_prices(rates_set_by=RatesSetBy.SELECTION, matrix=matrix),
    )


def select(definition: FrameworkDefinition, *choices: RateChoice, area: AreaCode = COLCHESTER) -> Selection:
    scope = a_rate_scope(area=area)
    return build_selection(choices, definition, scope, valid_from=TODAY, existing=(), today=TODAY)


def refuse(definition: FrameworkDefinition, *choices: RateChoice, area: AreaCode = COLCHESTER) -> dict[str, str]:
    """Returns the words about each field that is refused."""
    with pytest.raises(InvalidInput) as refusal:
        select(definition, *choices, area=area)
    return {each.pointer: each.detail for each in refusal.value.fields}


@pytest.mark.parametrize("rate", ["20.00", "24.35", "30.00"])
def test_a_provider_names_its_own_rate_within_the_limits_of_its_line(rate: str) -> None:
    (selected,) = select(a_matrix_of_own_rates(), an_own_rate(rate)).rates
    assert (selected.rate, selected.number, selected.unit) == (Decimal(rate), None, Units.HOUR)
    assert selected.item == ServiceTypes.PERSONAL_CARE


@pytest.mark.parametrize("rate", ["19.99", "30.01"])
def test_a_rate_outside_the_limits_is_refused_with_them(rate: str) -> None:
    assert refuse(a_matrix_of_own_rates(), an_own_rate(rate)) == {
        "#/rates/0/rate": "must be from 20.00 to 30.00, the lowest and the highest rate of this item in this area"
    }


def test_the_limits_are_those_of_the_areas_price_band() -> None:
    assert select(a_matrix_of_own_rates(), an_own_rate("34.00"), area=HILLS)
    assert "from 22.00 to 34.00" in refuse(a_matrix_of_own_rates(), an_own_rate("20.00"), area=HILLS)["#/rates/0/rate"]


def test_a_number_is_refused_where_providers_name_their_rates() -> None:
    refused = refuse(a_matrix_of_own_rates(), a_personal_care_choice(1))
    assert "give your own rate, from 20.00 to 30.00" in refused["#/rates/0/number"]


def test_an_own_rate_is_refused_where_providers_select_a_number() -> None:
    assert refuse(a_matrix(), an_own_rate("24.10")) == {
        "#/rates/0/rate": "cannot be named in this framework; give number, from 1 to 3"
    }


def test_a_rate_of_its_own_in_another_area_than_the_frameworks_is_refused_once() -> None:
    assert list(refuse(a_matrix_of_own_rates(), an_own_rate("1.00"), area=AreaCode("nowhere"))) == ["path:area"]


def test_an_area_outside_the_framework_is_refused_with_its_reason() -> None:
    outside = Area(code=AreaCode("scheme"), name="Scheme", outside="its own trust provides the care")
    definition = a_matrix_of_own_rates(areas=(Area(code=COLCHESTER, name="Colchester"), outside), prices=NO_BANDS)
    refused = refuse(definition, an_own_rate("20.00"), area=outside.code)
    assert refused["path:area"] == "is not served by this framework: its own trust provides the care"


NO_BANDS = some_prices(
    rates_set_by=RatesSetBy.PROVIDER,
    matrix=(
        MatrixLine(
            service_type=ServiceTypes.PERSONAL_CARE, unit=Units.HOUR, rate=Decimal("20.00"), highest=Decimal("30.00")
        ),
    ),
)


def test_each_line_of_a_service_type_has_its_own_number() -> None:
    rates = select(a_matrix_with_two_lines(), FEE, HOURS).rates
    assert [(each.item, each.unit, each.number, each.rate) for each in rates] == [
        ("on-site-care", Units.WEEK, 2, Decimal("70.00")),
        ("care-support", Units.HOUR, 1, Decimal("29.07")),
    ]


def test_a_service_type_with_a_missing_line_is_refused() -> None:
    assert refuse(a_matrix_with_two_lines(), FEE) == {
        "#/rates": "lacks care-support; extra-care is paid by all of its lines"
    }


def test_an_item_that_is_no_line_of_its_service_type_is_refused_with_the_items() -> None:
    another = RateChoice(EXTRA_CARE, ItemKey(EXTRA_CARE), number=1)
    assert refuse(a_matrix_with_two_lines(), FEE, HOURS, another) == {
        "#/rates/2/item": "is not a line of this service type; choose on-site-care or care-support"
    }


@pytest.mark.parametrize(("number", "rate"), [(None, None), (1, Decimal("20.00"))])
def test_a_choice_is_either_a_number_or_a_rate(number: int | None, rate: Decimal | None) -> None:
    with pytest.raises(ValueError, match="either number or rate"):
        RateChoice(EXTRA_CARE, ItemKey(EXTRA_CARE), number=number, rate=rate)
