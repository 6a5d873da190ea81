"""Purchase orders as CSV (RFC 4180, UTF-8) that a spreadsheet can open without taking a cell for a formula."""

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
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that spreadsheets compute or run (OWASP, CSV injection)."""


def heading() -> str:
    return _row(COLUMNS)


def lines_of(order: PurchaseOrder) -> str:
    """A row for each line of the order."""
    return "".join(_row(map(neutral, _cells(order, line))) for line in order.lines)


def neutral(cell: str) -> str:
    """A cell that begins like a formula, with an apostrophe before it: spreadsheets show it as text."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _cells(order: PurchaseOrder, line: OrderLine) -> Iterable[str]:
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


def _row(cells: Iterable[str]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue()
