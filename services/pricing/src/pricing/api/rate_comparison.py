"""Route for officers that compares the providers' current rates with the median of their price band."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from contracts.errors import FieldError, InvalidInput
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import AreaCode, BandKey, ItemKey, ServiceTypeKey, UnitKey
from contracts.office_time import to_office_date
from contracts.values import Money
from pricing.api.callers import FrameworkPath, Queries, Staff, check_is_officer
from pricing.domain.errors import FrameworkNotFound
from pricing.domain.rate_comparison import ComparedRate, RateComparison
from pricing.domain.titles import Titles
from pricing.ports import ListedSelection, Position
from service_runtime.http.instants import Now
from service_runtime.http.paging import Cursor, Limit, Page, build_page, decode_cursor
from service_runtime.http.problems import describe_problems
from service_runtime.http.text_fields import AreaName, BandName

router = APIRouter(tags=["rates"])


class ComparedRateOut(BaseModel):
    """One current rate of a provider."""

    service_type: ServiceTypeKey
    item: ItemKey
    item_title: str
    unit: UnitKey
    unit_title: str
    rate: Money
    median: Money = Field(description="of the current rates for this item in all areas of the price band")
    deviation_percent: Decimal | None = Field(
        description="how far the rate is above the median, to a tenth; negative below it; null if the median is 0"
    )


class ComparedSelectionOut(BaseModel):
    """The current rates of a provider in one area."""

    provider_id: UUID
    area: str
    band: BandKey | None = Field(description="the area's price band; null if it has none")
    valid_from: date
    selected_at: datetime
    rates: list[ComparedRateOut]


@router.get(
    "/v1/rates/{framework}/comparison",
    response_model=Page[ComparedSelectionOut],
    responses=describe_problems(404),
)
async def compare_rates(
    *,
    framework: FrameworkPath,
    caller: Staff,
    queries: Queries,
    now: Now,
    area: Annotated[AreaName | None, Query(description="return only rates in this area")] = None,
    band: Annotated[BandName | None, Query(description="return only rates in areas of this price band")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[ComparedSelectionOut]:
    """List each provider's current rates with the median of the price band, the newest selection first.

    Each provider counts once for each of its areas. The medians do not depend on the filters.
    """
    check_is_officer(caller)
    matrices = await queries.list_matrices(caller.council, framework)
    if not matrices:
        raise FrameworkNotFound
    definition = matrices[0]
    _check_filters(definition, area, band)
    today = to_office_date(now, ZoneInfo(definition.brokerage.timezone))
    current = await queries.list_current_selections(caller.council, framework, today)
    comparison = RateComparison(definition, ((each.scope, each.selection) for each in current))
    shown = [
        each
        for each in current
        if area in {None, each.scope.area} and band in {None, comparison.find_band(each.scope.area)}
    ]
    return build_page(
        _skip_to(shown, decode_cursor(cursor))[: limit + 1],
        limit,
        to_item=lambda row: _to_selection_out(row, comparison, Titles(definition)),
        position=_get_position,
    )


def _check_filters(definition: FrameworkDefinition, area: AreaCode | None, band: BandKey | None) -> None:
    """Raises InvalidInput for an area or a price band that the framework does not have."""
    errors = list[FieldError]()
    if area is not None and not definition.has_area(area):
        errors.append(FieldError("query:area", "is not an area of this framework; its definition lists them"))
    bands = sorted({each.price_band for each in definition.areas if each.price_band is not None})
    if band is not None and band not in bands:
        remedy = f"choose {' or '.join(bands)}" if bands else "leave it out: its areas have no price bands"
        errors.append(FieldError("query:band", f"is not a price band of this framework; {remedy}"))
    if errors:
        raise InvalidInput(*errors)


def _skip_to(rows: Sequence[ListedSelection], after: Position) -> Sequence[ListedSelection]:
    return [row for row in rows if after is None or _get_position(row) < after]


def _get_position(row: ListedSelection) -> tuple[datetime, UUID]:
    return row.selected_at, row.selection_id


def _to_selection_out(row: ListedSelection, comparison: RateComparison, titles: Titles) -> ComparedSelectionOut:
    return ComparedSelectionOut(
        provider_id=row.scope.provider_id,
        area=row.scope.area,
        band=comparison.find_band(row.scope.area),
        valid_from=row.selection.valid_from,
        selected_at=row.selected_at,
        rates=[_to_rate_out(each, titles) for each in comparison.compare(row.scope, row.selection)],
    )


def _to_rate_out(compared: ComparedRate, titles: Titles) -> ComparedRateOut:
    rate = compared.rate
    return ComparedRateOut(
        service_type=rate.service_type,
        item=rate.item,
        item_title=titles.get_item_title(rate.item),
        unit=rate.unit,
        unit_title=titles.get_unit_title(rate.unit),
        rate=rate.rate,
        median=compared.median,
        deviation_percent=compared.deviation_percent,
    )
