"""Builders for pricing's tests; every provider and council in them is invented."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from contracts.events.listings import AwardAwaitsApproval
from contracts.events.packages import PackagePlaced
from contracts.events.rates import SelectedRate, Selection
from contracts.framework import FrameworkDefinition, MatrixLine
from contracts.ids import AwardId, CouncilKey, OrderId, PackageId, PlacementId, ProviderId
from contracts.terms import terms_at
from contracts.values import PriceUnit, ServiceType, Terms
from pricing.domain.approvals import SpotPrice, asked_by
from pricing.domain.orders import PurchaseOrder, line_for, order_for
from pricing.domain.rates import Choice, Place
from testkit.contract_examples import (
    COLCHESTER,
    ESSEX,
    MONDAY_NINE,
    a_definition,
    an_example_of,
    an_id,
    some_care,
    some_prices,
)

COUNCIL: Final = CouncilKey("essex")
PACKAGE: Final = PackageId(an_id("package_id"))
TODAY: Final = date(2026, 3, 2)
HOURLY: Final = (Decimal("24.10"), Decimal("24.90"), Decimal("25.70"))
"""Rates 1 to 3 of personal care."""


def provider(name: str) -> ProviderId:
    """The id of an invented provider; the same name, the same id."""
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
    usual: dict[str, object] = {
        "service_types": (ServiceType.PERSONAL_CARE, ServiceType.NIGHT_SLEEP),
        "prices": prices,
    }
    return a_definition(**{**usual, **changed})


def a_place(name: str = "Alder", **changed: Any) -> Place:  # any field of Place, as `replace` takes them
    return replace(Place(provider(name), ESSEX, COLCHESTER), **changed)


def personal_care(number: int) -> Choice:
    return Choice(ServiceType.PERSONAL_CARE, number)


def a_selection(valid_from: date, *, number: int = 1, matrix_version: int = 1) -> Selection:
    """Rate `number` for personal care."""
    rate = SelectedRate(
        service_type=ServiceType.PERSONAL_CARE, unit=PriceUnit.HOUR, number=number, rate=HOURLY[number - 1]
    )
    return Selection(valid_from=valid_from, matrix_version=matrix_version, rates=(rate,))


def spot_terms(rate: str = "31.50") -> Terms:
    """3.5 hours of personal care a week at this rate."""
    return terms_at(some_care(), PriceUnit.HOUR, Decimal(rate), price_list="proposed by the provider")


def a_placement(**changed: object) -> PackagePlaced:
    return an_example_of(PackagePlaced, **{"service_type": ServiceType.PERSONAL_CARE, **changed})


def an_award(**changed: object) -> AwardAwaitsApproval:
    """31.50 an hour against a ceiling of 30.00, awarded by officer:first."""
    usual: dict[str, object] = {"terms": spot_terms(), "ceiling": Decimal("30.00"), "inadequate_reason": None}
    return an_example_of(AwardAwaitsApproval, **{**usual, **changed})


def an_order(name: str = "first", **changed: Any) -> PurchaseOrder:  # any field of PurchaseOrder
    """The order of an invented placement; another name, another package."""
    placed = a_placement(package_id=an_id(f"package {name}"), placement_id=PlacementId(an_id(f"placement {name}")))
    order = order_for(
        placed,
        line_for(placed),
        order_id=OrderId(an_id(f"order {name}")),
        reference=f"PO-2026-{abs(an_id(name).int) % 1_000_000:06d}",
        at=MONDAY_NINE,
    )
    return replace(order, **changed)


def a_spot_price(name: str = "first", **changed: Any) -> SpotPrice:  # any field of SpotPrice
    """The price of `an_award`, as it waits; another name, another award."""
    price = asked_by(an_award(award_id=AwardId(an_id(f"award {name}"))), at=MONDAY_NINE)
    return replace(price, **changed)
