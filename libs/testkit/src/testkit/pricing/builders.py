"""Builders for pricing's tests; every provider and council in them is invented."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from contracts.events.listings import AwardAwaitsApproval
from contracts.events.rates import SelectedRate, Selection
from contracts.events.searches import PackagePlaced
from contracts.example_words import ServiceTypes, Units
from contracts.examples import (
    COLCHESTER,
    FRAMEWORK,
    MONDAY_NINE,
    a_definition,
    an_example_of,
    an_id,
    some_care,
    some_prices,
    some_service_types,
)
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.prices import MatrixLine, RatesSetBy
from contracts.framework.words import Area
from contracts.ids import AreaCode, AwardId, BandKey, ItemKey, OrderId, PackageId, PlacementId, ProviderId
from contracts.terms import compute_terms_at_rate
from contracts.values import Terms, UnitKind
from pricing.domain.approvals import SpotPrice, create_spot_price
from pricing.domain.orders import PurchaseOrder, build_lines, build_order
from pricing.domain.rate_matrix import RateChoice
from pricing.domain.rates import RateScope

PACKAGE: Final = PackageId(an_id("package_id"))
TODAY: Final = date(2026, 3, 2)
RURAL: Final = BandKey("rural")
HILLS: Final = AreaCode("hills")
MOOR: Final = AreaCode("moor")
HOURLY: Final = (Decimal("24.10"), Decimal("24.90"), Decimal("25.70"))
"""Rates 1 to 3 of personal care."""


def to_provider_id(name: str) -> ProviderId:
    """Builds the id of an invented provider. The same name gives the same id."""
    return ProviderId(an_id(name))


def a_matrix(**changed: object) -> FrameworkDefinition:
    """A framework whose providers select: personal care by the hour at three rates, night sleep at one."""
    prices = some_prices(
        rates_set_by=RatesSetBy.SELECTION,
        matrix=(
            MatrixLine(
                service_type=ServiceTypes.PERSONAL_CARE, unit=Units.HOUR, rate=HOURLY[0], further_rates=HOURLY[1:]
            ),
            MatrixLine(service_type=ServiceTypes.NIGHT_SLEEP, unit=Units.NIGHT, rate=Decimal("126.00")),
        ),
    )
    defaults: dict[str, object] = {
        "service_types": some_service_types(ServiceTypes.PERSONAL_CARE, ServiceTypes.NIGHT_SLEEP),
        "prices": prices,
    }
    return a_definition(**{**defaults, **changed})


def a_matrix_of_own_rates(**changed: object) -> FrameworkDefinition:
    """A framework whose providers name their rates in two price bands, and one area without a band.

    Personal care is 20.00 to 30.00 an hour, 22.00 to 34.00 in rural areas.
    """
    care = {"service_type": ServiceTypes.PERSONAL_CARE, "unit": Units.HOUR}
    prices = some_prices(
        rates_set_by=RatesSetBy.PROVIDER,
        matrix=(
            MatrixLine.model_validate({**care, "rate": "20.00", "highest": "30.00"}),
            MatrixLine.model_validate({**care, "band": RURAL, "rate": "22.00", "highest": "34.00"}),
        ),
    )
    defaults: dict[str, object] = {
        "areas": (
            Area(code=COLCHESTER, name="Colchester"),
            Area(code=HILLS, name="Hills", price_band=RURAL),
            Area(code=MOOR, name="Moor", price_band=RURAL),
        ),
        "service_types": some_service_types(ServiceTypes.PERSONAL_CARE),
        "prices": prices,
    }
    return a_definition(**{**defaults, **changed})


def a_rate_scope(name: str = "Alder", **changed: Any) -> RateScope:  # any field of RateScope, as `replace` takes them
    return replace(RateScope(to_provider_id(name), FRAMEWORK, COLCHESTER), **changed)


def a_personal_care_choice(number: int) -> RateChoice:
    return RateChoice(ServiceTypes.PERSONAL_CARE, ItemKey(ServiceTypes.PERSONAL_CARE), number=number)


def an_own_rate(rate: str) -> RateChoice:
    """A provider's own rate for personal care."""
    return RateChoice(ServiceTypes.PERSONAL_CARE, ItemKey(ServiceTypes.PERSONAL_CARE), rate=Decimal(rate))


def a_selection(valid_from: date, *, number: int = 1, matrix_version: int = 1) -> Selection:
    """Rate `number` for personal care."""
    return Selection(
        valid_from=valid_from,
        matrix_version=matrix_version,
        rates=(a_selected_rate(HOURLY[number - 1], number=number),),
    )


def a_selected_rate(rate: Decimal, *, number: int | None = None) -> SelectedRate:
    """A rate for personal care; without a number it is the provider's own."""
    return SelectedRate(
        service_type=ServiceTypes.PERSONAL_CARE,
        item=ItemKey(ServiceTypes.PERSONAL_CARE),
        unit=Units.HOUR,
        number=number,
        rate=rate,
    )


def some_spot_terms(rate: str = "31.50") -> Terms:
    """3.5 hours of personal care a week at this rate."""
    return compute_terms_at_rate(
        some_care(), Units.HOUR, UnitKind.HOUR, Decimal(rate), price_list="proposed by the provider"
    )


def a_placement(**changed: object) -> PackagePlaced:
    return an_example_of(PackagePlaced, **{"service_type": ServiceTypes.PERSONAL_CARE, **changed})


def an_award(**changed: object) -> AwardAwaitsApproval:
    """31.50 an hour against a ceiling of 30.00, awarded by officer:first."""
    defaults: dict[str, object] = {"terms": some_spot_terms(), "ceiling": Decimal("30.00"), "inadequate_reason": None}
    return an_example_of(AwardAwaitsApproval, **{**defaults, **changed})


def an_order(name: str = "first", *, placed: PackagePlaced | None = None, **changed: Any) -> PurchaseOrder:
    """Builds the order of a placement, with any fields of PurchaseOrder. Each name is another invented package."""
    placed = placed or a_placement(
        package_id=an_id(f"package {name}"), placement_id=PlacementId(an_id(f"placement {name}"))
    )
    order = build_order(
        placed,
        build_lines(placed),
        order_id=OrderId(an_id(f"order {name}")),
        reference=f"PO-2026-{abs(an_id(name).int) % 1_000_000:06d}",
        at=MONDAY_NINE,
    )
    return replace(order, **changed)


def a_spot_price(name: str = "first", **changed: Any) -> SpotPrice:  # any field of SpotPrice
    """Builds the pending price of `an_award`. Each name gives another award."""
    price = create_spot_price(an_award(award_id=AwardId(an_id(f"award {name}"))), at=MONDAY_NINE)
    return replace(price, **changed)
