"""Builders for pricing's tests; every provider and council in them is invented."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from contracts.events.listings import AwardAwaitsApproval
from contracts.events.packages import PackagePlaced
from contracts.events.rates import SelectedRate, Selection
from contracts.examples import (
    COLCHESTER,
    ESSEX,
    MONDAY_NINE,
    a_definition,
    an_example_of,
    an_id,
    some_care,
    some_prices,
)
from contracts.framework import FrameworkDefinition, MatrixLine
from contracts.ids import AwardId, CouncilKey, OrderId, PackageId, PlacementId, ProviderId
from contracts.terms import compute_terms_at_rate
from contracts.values import PriceUnit, ServiceType, Terms
from pricing.domain.approvals import SpotPrice, create_spot_price
from pricing.domain.orders import PurchaseOrder, build_line, build_order
from pricing.domain.rates import RateChoice, RateScope

COUNCIL: Final = CouncilKey("essex")
PACKAGE: Final = PackageId(an_id("package_id"))
TODAY: Final = date(2026, 3, 2)
HOURLY: Final = (Decimal("24.10"), Decimal("24.90"), Decimal("25.70"))
"""Rates 1 to 3 of personal care."""


def to_provider_id(name: str) -> ProviderId:
    """Builds the id of an invented provider. The same name gives the same id."""
    return ProviderId(an_id(name))


def a_matrix(**changed: object) -> FrameworkDefinition:
    """A framework whose providers select: personal care by the hour at three rates, night sleep at one."""
    prices = some_prices(
        selected_by_providers=True,
        matrix=(
            MatrixLine(
                service_type=ServiceType.PERSONAL_CARE, unit=PriceUnit.HOUR, rate=HOURLY[0], further_rates=HOURLY[1:]
            ),
            MatrixLine(service_type=ServiceType.NIGHT_SLEEP, unit=PriceUnit.NIGHT, rate=Decimal("126.00")),
        ),
    )
    defaults: dict[str, object] = {
        "service_types": (ServiceType.PERSONAL_CARE, ServiceType.NIGHT_SLEEP),
        "prices": prices,
    }
    return a_definition(**{**defaults, **changed})


def a_rate_scope(name: str = "Alder", **changed: Any) -> RateScope:  # any field of RateScope, as `replace` takes them
    return replace(RateScope(to_provider_id(name), ESSEX, COLCHESTER), **changed)


def a_personal_care_choice(number: int) -> RateChoice:
    return RateChoice(ServiceType.PERSONAL_CARE, number)


def a_selection(valid_from: date, *, number: int = 1, matrix_version: int = 1) -> Selection:
    """Rate `number` for personal care."""
    rate = SelectedRate(
        service_type=ServiceType.PERSONAL_CARE, unit=PriceUnit.HOUR, number=number, rate=HOURLY[number - 1]
    )
    return Selection(valid_from=valid_from, matrix_version=matrix_version, rates=(rate,))


def some_spot_terms(rate: str = "31.50") -> Terms:
    """3.5 hours of personal care a week at this rate."""
    return compute_terms_at_rate(some_care(), PriceUnit.HOUR, Decimal(rate), price_list="proposed by the provider")


def a_placement(**changed: object) -> PackagePlaced:
    return an_example_of(PackagePlaced, **{"service_type": ServiceType.PERSONAL_CARE, **changed})


def an_award(**changed: object) -> AwardAwaitsApproval:
    """31.50 an hour against a ceiling of 30.00, awarded by officer:first."""
    defaults: dict[str, object] = {"terms": some_spot_terms(), "ceiling": Decimal("30.00"), "inadequate_reason": None}
    return an_example_of(AwardAwaitsApproval, **{**defaults, **changed})


def an_order(name: str = "first", **changed: Any) -> PurchaseOrder:  # any field of PurchaseOrder
    """Builds the order of an invented placement. Each name gives another package."""
    placed = a_placement(package_id=an_id(f"package {name}"), placement_id=PlacementId(an_id(f"placement {name}")))
    order = build_order(
        placed,
        build_line(placed),
        order_id=OrderId(an_id(f"order {name}")),
        reference=f"PO-2026-{abs(an_id(name).int) % 1_000_000:06d}",
        at=MONDAY_NINE,
    )
    return replace(order, **changed)


def a_spot_price(name: str = "first", **changed: Any) -> SpotPrice:  # any field of SpotPrice
    """Builds the pending price of `an_award`. Each name gives another award."""
    price = create_spot_price(an_award(award_id=AwardId(an_id(f"award {name}"))), at=MONDAY_NINE)
    return replace(price, **changed)
