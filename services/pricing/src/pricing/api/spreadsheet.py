"""CSV export of purchase orders (RFC 4180, UTF-8), protected against formula injection."""

import csv
import io
from collections.abc import Iterable
from typing import Final

from contracts.events.orders import OrderLine
from pricing.domain.orders import PurchaseOrder
from pricing.domain.titles import Titles

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
    "lot",
    "lot_title",
    "service_type",
    "service_type_title",
    "item",
    "item_title",
    "unit",
    "unit_title",
    "quantity",
    "rate",
    "line_cost",
    "paid",
    "order_weekly_cost",
    "order_fixed_cost",
    "cancelled_at",
    "cancelled_for",
)
FORMULA_PREFIXES: Final = ("=", "+", "-", "@", "\t", "\r")
"""First characters of cells that spreadsheets evaluate as formulas (OWASP, CSV injection)."""


def render_heading() -> str:
    return _format_row(COLUMNS)


def render_order(order: PurchaseOrder, titles: Titles) -> str:
    """Renders a row for each line of the order."""
    return "".join(_format_row(map(escape_formula, _format_cells(order, line, titles))) for line in order.lines)


def escape_formula(cell: str) -> str:
    """Prefixes a cell that begins like a formula with an apostrophe, so that spreadsheets show it as text."""
    return f"'{cell}" if cell.startswith(FORMULA_PREFIXES) else cell


def _format_cells(order: PurchaseOrder, line: OrderLine, titles: Titles) -> Iterable[str]:
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
        order.lot,
        titles.get_lot_title(order.lot),
        *_format_line(line, titles),
        f"{order.weekly_cost:.2f}",
        f"{order.fixed_cost:.2f}",
        "" if cancelled is None else cancelled.at.isoformat(),
        "" if cancelled is None else cancelled.reason,
    )


def _format_line(line: OrderLine, titles: Titles) -> Iterable[str]:
    return (
        line.service_type,
        titles.get_service_type_title(line.service_type),
        line.item,
        titles.get_item_title(line.item),
        line.unit,
        titles.get_unit_title(line.unit),
        f"{line.quantity:.2f}",
        f"{line.rate:.2f}",
        f"{line.cost:.2f}",
        "each week" if line.unit_kind.recurs else "once",
    )


def _format_row(cells: Iterable[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
