"""Purchase orders, built from the terms that a placement carries."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from contracts.events.orders import OrderLine, PurchaseOrderCancelled, PurchaseOrderIssued
from contracts.events.packages import PackagePlaced
from contracts.ids import FrameworkKey, OrderId, PackageId, PlacementId, ProviderId
from contracts.office_time import to_office_date
from contracts.terms import PENNY, ROUNDING
from contracts.values import PriceUnit, Terms, WithdrawalReason
from pricing.domain.errors import TermsContradictThemselves


@dataclass(frozen=True)
class Cancellation:
    at: datetime
    reason: WithdrawalReason


@dataclass(frozen=True)
class PurchaseOrder:
    """Order for one placement: what the council pays the provider a week."""

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
        return to_office_date(self.issued_at)


def format_reference(number: int, *, year: int) -> str:
    """Formats a reference such as `PO-2026-000001`. Numbers above 999,999 have seven digits."""
    return f"PO-{year}-{number:06d}"


def build_line(placed: PackagePlaced) -> OrderLine:
    """Builds the single line of a placement's order. Raises TermsContradictThemselves if the terms are inconsistent."""
    terms = placed.terms
    if compute_weekly_cost(terms) != terms.weekly_cost:
        message = (
            f"placement {placed.placement_id}: {terms.quantity_per_week} × {terms.rate} a {terms.unit} does not equal "
            f"{terms.weekly_cost} a week; no order is issued; correct the terms, then release the parked package"
        )
        raise TermsContradictThemselves(message)
    return OrderLine(
        service_type=placed.service_type,
        unit=terms.unit,
        quantity_per_week=terms.quantity_per_week,
        rate=terms.rate,
        weekly_cost=terms.weekly_cost,
    )


def compute_weekly_cost(terms: Terms) -> Decimal:
    """Returns quantity × rate, rounded once with the rounding of `contracts.terms`.

    Terms carry hours rounded to hundredths, but the cost is computed from whole minutes: 7 × 20 minutes are 2.33 hours
    and cost 2 1/3 hours. A minute is longer than a hundredth of an hour, so the minutes can be restored exactly.
    """
    return (_compute_exact_quantity(terms) * terms.rate).quantize(PENNY, ROUNDING)


def _compute_exact_quantity(terms: Terms) -> Decimal:
    if terms.unit is PriceUnit.HOUR:
        return (terms.quantity_per_week * 60).to_integral_value(ROUND_HALF_UP) / 60
    return terms.quantity_per_week


def build_order(
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


def build_issued_event(order: PurchaseOrder) -> PurchaseOrderIssued:
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
