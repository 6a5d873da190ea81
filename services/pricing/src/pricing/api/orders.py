"""Purchase orders, for the council as pages and as one spreadsheet, and for a provider those of its packages."""

from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from contracts.errors import FieldError, InvalidInput
from contracts.events.orders import OrderLine
from contracts.ids import CouncilKey, PackageId
from contracts.values import Money, WithdrawalReason
from pricing.api.callers import Accounts, Anybody, Queries, only_of
from pricing.api.spreadsheet import heading, lines_of
from pricing.domain.errors import OrdersNotFound
from pricing.domain.orders import PurchaseOrder
from pricing.ports import Days, PricingQueries
from service_runtime.http.paging import LARGEST_PAGE, Cursor, Limit, Page, cursor_at, position_of
from service_runtime.http.problems import problems

router = APIRouter(tags=["purchase orders"])

NOT_TO_BE_STORED: Final = {"cache-control": "no-store"}


class OrderOut(BaseModel):
    """What the council pays a provider for one placement, from the terms that the placement carries."""

    order_id: UUID
    reference: str = Field(description="numbers of a year have gaps; none is given twice")
    package_id: UUID
    placement_id: UUID
    provider_id: UUID
    framework: str
    price_list: str
    starts_on: date
    lines: list[OrderLine]
    weekly_cost: Money
    issued_at: datetime
    cancelled_at: datetime | None = Field(description="the placement was voided before care began")
    cancelled_for: WithdrawalReason | None


class OrdersOfPackage(BaseModel):
    items: list[OrderOut]


class CsvResponse(StreamingResponse):
    """A spreadsheet that is sent as it is read."""

    media_type = "text/csv"


def _days(
    first: Annotated[date | None, Query(alias="from", description="issued on this day or later")] = None,
    last: Annotated[date | None, Query(alias="until", description="issued on this day or before")] = None,
) -> Days:
    """Days of issue in London, both inclusive. Raises InvalidInput where the last is before the first."""
    if first is not None and last is not None and last < first:
        raise InvalidInput(FieldError("query:until", "must not be before from"))
    return Days(first, last)


Issued = Annotated[Days, Depends(_days)]


@router.get("/v1/packages/{package_id}/purchase-orders", response_model=OrdersOfPackage, responses=problems(404))
async def show_orders_of_package(package_id: UUID, caller: Anybody, ask: Queries) -> OrdersOfPackage:
    """Every order of a package, cancelled ones too, the newest first; a provider sees its own."""
    own = only_of(caller)
    found = await ask.orders_of_package(PackageId(package_id), caller.council)
    seen = [each for each in found if own in {None, each.provider_id}]
    if not seen:
        raise OrdersNotFound
    return OrdersOfPackage(items=[_order_out(each) for each in seen])


@router.get("/v1/purchase-orders", response_model=Page[OrderOut], responses=problems())
async def list_orders(
    caller: Accounts, ask: Queries, issued: Issued, cursor: Cursor = None, limit: Limit = 50
) -> Page[OrderOut]:
    """Your council's purchase orders, the newest first."""
    found = await ask.orders_of(caller.council, issued, after=position_of(cursor), limit=limit + 1)
    page = found[:limit]
    following = cursor_at(page[-1].issued_at, page[-1].order_id) if len(found) > limit else None
    return Page(items=[_order_out(each) for each in page], next=following)


@router.get("/v1/purchase-orders.csv", response_class=CsvResponse, responses=problems())
async def download_orders(caller: Accounts, ask: Queries, issued: Issued) -> CsvResponse:
    """The same as a spreadsheet, a row for each line of an order; all of them, not a page."""
    # What fails here is told as a problem; later the download breaks off, and never ends as if it were whole.
    first = await ask.orders_of(caller.council, issued, after=None, limit=LARGEST_PAGE)
    return CsvResponse(_sheet(first, caller.council, issued, ask), headers=NOT_TO_BE_STORED)


async def _sheet(
    first: Sequence[PurchaseOrder], council: CouncilKey, issued: Days, ask: PricingQueries
) -> AsyncIterator[str]:
    yield heading()
    page = first
    while page:
        yield "".join(lines_of(order) for order in page)
        if len(page) < LARGEST_PAGE:
            return
        after = (page[-1].issued_at, page[-1].order_id)
        page = await ask.orders_of(council, issued, after=after, limit=LARGEST_PAGE)


def _order_out(order: PurchaseOrder) -> OrderOut:
    cancelled = order.cancelled
    return OrderOut(
        order_id=order.order_id,
        reference=order.reference,
        package_id=order.package_id,
        placement_id=order.placement_id,
        provider_id=order.provider_id,
        framework=order.framework,
        price_list=order.price_list,
        starts_on=order.starts_on,
        lines=list(order.lines),
        weekly_cost=order.weekly_cost,
        issued_at=order.issued_at,
        cancelled_at=None if cancelled is None else cancelled.at,
        cancelled_for=None if cancelled is None else cancelled.reason,
    )
