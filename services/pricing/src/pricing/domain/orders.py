"""Purchase orders, built from the terms that a placement carries."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from contracts.events.orders import OrderLine, PurchaseOrderCancelled, PurchaseOrderIssued
from contracts.events.searches import PackagePlaced
from contracts.ids import FrameworkKey, LotKey, OrderId, PackageId, PlacementId, ProviderId, ReasonKey
from contracts.office_time import to_office_date
from contracts.terms import round_half_up
from contracts.values import Terms, TermsLine, UnitKind
from pricing.domain.errors import TermsContradictThemselves


@dataclass(frozen=True)
class Cancellation:
    at: datetime
    reason: ReasonKey


@dataclass(frozen=True)
class PurchaseOrder:
    """Order for one placement: what the council pays the provider a week, and what it pays once."""

    order_id: OrderId
    reference: str
    package_id: PackageId
    placement_id: PlacementId
    provider_id: ProviderId
    framework: FrameworkKey
    lot: LotKey
    price_list: str
    starts_on: date
    lines: tuple[OrderLine, ...]
    weekly_cost: Decimal
    fixed_cost: Decimal
    issued_at: datetime
    cancelled: Cancellation | None = None

    @property
    def issued_on(self) -> date:
        return to_office_date(self.issued_at)


def format_reference(number: int, *, year: int) -> str:
    """Formats a reference such as `PO-2026-000001`. Numbers above 999,999 have seven digits."""
    return f"PO-{year}-{number:06d}"


def build_lines(placed: PackagePlaced) -> tuple[OrderLine, ...]:
    """Builds a line of the order for each line of the terms. Raises TermsContradictThemselves if they are wrong."""
    check_terms(placed)
    return tuple(
        OrderLine(
            service_type=placed.service_type,
            item=line.item,
            unit=line.unit,
            unit_kind=line.unit_kind,
            quantity=line.quantity,
            rate=line.rate,
            cost=line.cost,
        )
        for line in placed.terms.lines
    )


def check_terms(placed: PackagePlaced) -> None:
    """Raises TermsContradictThemselves if a line is not quantity × rate, or a total is not the sum of its lines."""
    for line in placed.terms.lines:
        if compute_cost(line) != line.cost:
            raise _build_contradiction(
                placed, f"{line.quantity} × {line.rate} a {line.unit} of {line.item} does not equal {line.cost}"
            )
    for name, total, recurs in _list_totals(placed.terms):
        if sum(line.cost for line in placed.terms.lines if line.unit_kind.recurs is recurs) != total:
            raise _build_contradiction(placed, f"{total} {name} is not the sum of its lines")


def compute_cost(line: TermsLine) -> Decimal:
    """Returns quantity × rate, rounded once with the rounding of `contracts.terms`.

    A line carries hours rounded to hundredths, but its cost is computed from whole minutes: 7 × 20 minutes are 2.33
    hours and cost 2 1/3 hours. A minute is longer than a hundredth of an hour, so the minutes can be restored exactly.
    """
    return round_half_up(_compute_exact_quantity(line) * Fraction(line.rate))


def _compute_exact_quantity(line: TermsLine) -> Fraction:
    if line.unit_kind is UnitKind.HOUR:
        return Fraction(int((line.quantity * 60).to_integral_value(ROUND_HALF_UP)), 60)
    return Fraction(line.quantity)


def _list_totals(terms: Terms) -> tuple[tuple[str, Decimal, bool], ...]:
    """Returns the totals of the terms: name, amount, and whether it is paid each week."""
    return ("a week", terms.weekly_cost, True), ("once", terms.fixed_cost, False)


def _build_contradiction(placed: PackagePlaced, fault: str) -> TermsContradictThemselves:
    return TermsContradictThemselves(
        f"placement {placed.placement_id}: {fault}; no order is issued; correct the terms, then release the parked "
        "package"
    )


def build_order(
    placed: PackagePlaced, lines: tuple[OrderLine, ...], *, order_id: OrderId, reference: str, at: datetime
) -> PurchaseOrder:
    return PurchaseOrder(
        order_id=order_id,
        reference=reference,
        package_id=placed.package_id,
        placement_id=placed.placement_id,
        provider_id=placed.provider_id,
        framework=placed.framework,
        lot=placed.lot,
        price_list=placed.terms.price_list,
        starts_on=placed.starts_on,
        lines=lines,
        weekly_cost=placed.terms.weekly_cost,
        fixed_cost=placed.terms.fixed_cost,
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
        fixed_cost=order.fixed_cost,
    )


def cancel(order: PurchaseOrder, reason: ReasonKey, *, at: datetime) -> tuple[PurchaseOrder, PurchaseOrderCancelled]:
    event = PurchaseOrderCancelled(
        package_id=order.package_id,
        order_id=order.order_id,
        reference=order.reference,
        placement_id=order.placement_id,
        provider_id=order.provider_id,
        reason=reason,
    )
    return replace(order, cancelled=Cancellation(at, reason)), event
