"""Routes for purchase orders: pages and a CSV download for the council, and the orders of one package."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from contracts.errors import FieldError, InvalidInput
from contracts.events.orders import OrderLine
from contracts.ids import CouncilKey, FrameworkKey, LotKey, PackageId, ReasonKey
from contracts.values import Money
from pricing.api.callers import Accounts, AnyCaller, Queries, get_provider_restriction
from pricing.api.spreadsheet import render_heading, render_order
from pricing.domain.errors import OrdersNotFound
from pricing.domain.orders import PurchaseOrder
from pricing.domain.titles import NO_TITLES, Titles
from pricing.ports import DateRange, PricingQueries
from service_runtime.http.paging import LARGEST_PAGE, Cursor, Limit, Page, build_page, decode_cursor
from service_runtime.http.problems import describe_problems
from service_runtime.http.text_fields import Day

router = APIRouter(tags=["purchase orders"])

NO_STORE: Final = {"cache-control": "no-store"}


class OrderOut(BaseModel):
    """The purchase order of one placement, with the prices of the placement's terms."""

    order_id: UUID
    reference: str = Field(description="unique in the council; the numbers of a year can have gaps")
    package_id: UUID
    placement_id: UUID
    provider_id: UUID
    framework: str
    lot: LotKey
    price_list: str
    starts_on: date
    lines: list[OrderLine]
    weekly_cost: Money
    fixed_cost: Money = Field(description="paid once")
    issued_at: datetime
    cancelled_at: datetime | None = Field(description="set if the placement was voided before care began")
    cancelled_for: ReasonKey | None


class OrderList(BaseModel):
    items: list[OrderOut]


class CsvResponse(StreamingResponse):
    """A CSV response that is streamed while its rows are read."""

    media_type = "text/csv"


def parse_date_range(
    first: Annotated[Day | None, Query(alias="from", description="first day of issue, inclusive")] = None,
    last: Annotated[Day | None, Query(alias="until", description="last day of issue, inclusive")] = None,
) -> DateRange:
    """Parses the days of issue (London, inclusive). Raises InvalidInput if `until` is before `from`."""
    if first is not None and last is not None and last < first:
        raise InvalidInput(FieldError("query:until", "must not be before `from`"))
    return DateRange(first, last)


Issued = Annotated[DateRange, Depends(parse_date_range)]


@router.get("/v1/packages/{package_id}/purchase-orders", response_model=OrderList, responses=describe_problems(404))
async def show_orders_of_package(package_id: UUID, caller: AnyCaller, queries: Queries) -> OrderList:
    """List every order of a package, including cancelled orders, newest first. A provider sees only its own."""
    own = get_provider_restriction(caller)
    found = await queries.list_orders_of_package(PackageId(package_id), caller.council)
    seen = [each for each in found if own in {None, each.provider_id}]
    if not seen:
        raise OrdersNotFound
    return OrderList(items=[_to_order_out(each) for each in seen])


@router.get("/v1/purchase-orders", response_model=Page[OrderOut], responses=describe_problems())
async def list_orders(
    caller: Accounts, queries: Queries, issued: Issued, cursor: Cursor = None, limit: Limit = 50
) -> Page[OrderOut]:
    """List your council's purchase orders, newest first."""
    found = await queries.list_orders(caller.council, issued, after=decode_cursor(cursor), limit=limit + 1)
    return build_page(found, limit, to_item=_to_order_out, position=lambda row: (row.issued_at, row.order_id))


@router.get("/v1/purchase-orders.csv", response_class=CsvResponse, responses=describe_problems())
async def download_orders(caller: Accounts, queries: Queries, issued: Issued) -> CsvResponse:
    """Download all purchase orders as CSV, with a row for each line of an order."""
    # An error on the first page becomes a problem response. A later error aborts the connection, so the client sees it.
    first = await queries.list_orders(caller.council, issued, after=None, limit=LARGEST_PAGE)
    titles = await _find_titles(caller.council, queries)
    return CsvResponse(_stream_csv(first, caller.council, issued, queries, titles), headers=NO_STORE)


async def _find_titles(council: CouncilKey, queries: PricingQueries) -> Mapping[FrameworkKey, Titles]:
    """Returns the titles of the newest version of each of the council's frameworks."""
    found = await queries.list_matrices(council, None)
    return {each.framework: Titles(each) for each in reversed(found)}


async def _stream_csv(
    first: Sequence[PurchaseOrder],
    council: CouncilKey,
    issued: DateRange,
    queries: PricingQueries,
    titles: Mapping[FrameworkKey, Titles],
) -> AsyncIterator[str]:
    yield render_heading()
    page = first
    while page:
        yield "".join(render_order(order, titles.get(order.framework, NO_TITLES)) for order in page)
        if len(page) < LARGEST_PAGE:
            return
        after = (page[-1].issued_at, page[-1].order_id)
        page = await queries.list_orders(council, issued, after=after, limit=LARGEST_PAGE)


def _to_order_out(order: PurchaseOrder) -> OrderOut:
    cancelled = order.cancelled
    return OrderOut(
        order_id=order.order_id,
        reference=order.reference,
        package_id=order.package_id,
        placement_id=order.placement_id,
        provider_id=order.provider_id,
        framework=order.framework,
        lot=order.lot,
        price_list=order.price_list,
        starts_on=order.starts_on,
        lines=list(order.lines),
        weekly_cost=order.weekly_cost,
        fixed_cost=order.fixed_cost,
        issued_at=order.issued_at,
        cancelled_at=None if cancelled is None else cancelled.at,
        cancelled_for=None if cancelled is None else cancelled.reason,
    )
