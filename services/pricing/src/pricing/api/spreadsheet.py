"""CSV export of purchase orders (RFC 4180, UTF-8), protected against formula injection."""

import csv
import io
from collections.abc import Iterable
from typing import Final

from contracts.events.orders import OrderLine
from pricing.domain.orders import PurchaseOrder

COLUMNS: Final = (
    "reference",
    "order_id",
    "package_id",
    "placement_id",
    "provider_id",
    "framework",
    "price_list",
    "issued_on",
    "starts_on",
    "service_type",
    "unit",
    "quantity_per_week",
    "rate",
    "line_weekly_cost",
    "order_weekly_cost",
    "cancelled_at",
    "cancelled_for",
)
FORMULA_PREFIXES: Final = ("=", "+", "-", "@", "\t", "\r")
"""First characters of cells that spreadsheets evaluate as formulas (OWASP, CSV injection)."""


def render_heading() -> str:
    return _format_row(COLUMNS)


def render_order(order: PurchaseOrder) -> str:
    """Renders a row for each line of the order."""
    return "".join(_format_row(map(escape_formula, _format_cells(order, line))) for line in order.lines)


def escape_formula(cell: str) -> str:
    """Prefixes a cell that begins like a formula with an apostrophe, so that spreadsheets show it as text."""
    return f"'{cell}" if cell.startswith(FORMULA_PREFIXES) else cell


def _format_cells(order: PurchaseOrder, line: OrderLine) -> Iterable[str]:
    cancelled = order.cancelled
    return (
        order.reference,
        str(order.order_id),
        str(order.package_id),
        str(order.placement_id),
        str(order.provider_id),
        order.framework,
        order.price_list,
        order.issued_on.isoformat(),
        order.starts_on.isoformat(),
        line.service_type.value,
        line.unit.value,
        f"{line.quantity_per_week:.2f}",
        f"{line.rate:.2f}",
        f"{line.weekly_cost:.2f}",
        f"{order.weekly_cost:.2f}",
        "" if cancelled is None else cancelled.at.isoformat(),
        "" if cancelled is None else cancelled.reason.value,
    )


def _format_row(cells: Iterable[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
