"""A purchase order is made from the terms that a placement carries; nothing is looked up again."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from contracts.events.orders import OrderLine, PurchaseOrderCancelled, PurchaseOrderIssued
from contracts.events.packages import PackagePlaced
from contracts.ids import FrameworkKey, OrderId, PackageId, PlacementId, ProviderId
from contracts.terms import PENNY, ROUNDING
from contracts.values import PriceUnit, Terms, WithdrawalReason
from pricing.domain.days import local_day
from pricing.domain.errors import TermsContradictThemselves


@dataclass(frozen=True)
class Cancellation:
    at: datetime
    reason: WithdrawalReason


@dataclass(frozen=True)
class PurchaseOrder:
    """What the council pays a provider a week for one placement."""

    order_id: OrderId
    reference: str
    package_id: PackageId
    placement_id: PlacementId
    provider_id: ProviderId
    framework: FrameworkKey
    price_list: str
    starts_on: date
    lines: tuple[OrderLine, ...]
    weekly_cost: Decimal
    issued_at: datetime
    cancelled: Cancellation | None = None

    @property
    def issued_on(self) -> date:
        return local_day(self.issued_at)


def reference_for(number: int, *, year: int) -> str:
    """`PO-2026-000001`; from the millionth of a year on it is a digit longer."""
    return f"PO-{year}-{number:06d}"


def line_for(placed: PackagePlaced) -> OrderLine:
    """The one line of a placement's order. Raises TermsContradictThemselves."""
    terms = placed.terms
    if weekly_cost_of(terms) != terms.weekly_cost:
        message = (
            f"placement {placed.placement_id}: {terms.quantity_per_week} × {terms.rate} a {terms.unit} does not come "
            f"to {terms.weekly_cost} a week; nothing is ordered until somebody has looked at it"
        )
        raise TermsContradictThemselves(message)
    return OrderLine(
        service_type=placed.service_type,
        unit=terms.unit,
        quantity_per_week=terms.quantity_per_week,
        rate=terms.rate,
        weekly_cost=terms.weekly_cost,
    )


def weekly_cost_of(terms: Terms) -> Decimal:
    """What the quantity comes to at the rate, rounded once, as `contracts.terms` does it.

    Terms carry hours to the hundredth, while the cost was made of whole minutes (7 × 20 minutes are 2.33 hours, and
    cost 2 1/3 of them). Minutes lie further apart than hundredths of an hour, so the hours tell which they were.
    """
    return (_exact_quantity(terms) * terms.rate).quantize(PENNY, ROUNDING)


def _exact_quantity(terms: Terms) -> Decimal:
    if terms.unit is PriceUnit.HOUR:
        return (terms.quantity_per_week * 60).to_integral_value(ROUND_HALF_UP) / 60
    return terms.quantity_per_week


def order_for(
    placed: PackagePlaced, line: OrderLine, *, order_id: OrderId, reference: str, at: datetime
) -> PurchaseOrder:
    return PurchaseOrder(
        order_id=order_id,
        reference=reference,
        package_id=placed.package_id,
        placement_id=placed.placement_id,
        provider_id=placed.provider_id,
        framework=placed.framework,
        price_list=placed.terms.price_list,
        starts_on=placed.starts_on,
        lines=(line,),
        weekly_cost=line.weekly_cost,
        issued_at=at,
    )


def issued(order: PurchaseOrder) -> PurchaseOrderIssued:
    return PurchaseOrderIssued(
        package_id=order.package_id,
        order_id=order.order_id,
        reference=order.reference,
        placement_id=order.placement_id,
        provider_id=order.provider_id,
        framework=order.framework,
        price_list=order.price_list,
        starts_on=order.starts_on,
        lines=order.lines,
        weekly_cost=order.weekly_cost,
    )


def cancel(
    order: PurchaseOrder, reason: WithdrawalReason, *, at: datetime
) -> tuple[PurchaseOrder, PurchaseOrderCancelled]:
    event = PurchaseOrderCancelled(
        package_id=order.package_id,
        order_id=order.order_id,
        reference=order.reference,
        placement_id=order.placement_id,
        provider_id=order.provider_id,
        reason=reason,
    )
    return replace(order, cancelled=Cancellation(at, reason)), event
