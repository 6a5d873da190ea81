"""Routes for the rates that providers select from a matrix, by area and first day."""

from datetime import date, datetime
from typing import Annotated, Final, Self
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, BeforeValidator, Field, model_validator

from contracts.catalogue import RATES
from contracts.events.rates import SelectedRate, Selection
from contracts.ids import AreaCode, FrameworkKey, ItemKey, ProviderId
from pricing.api.callers import AdminOrProvider, AreaPath, Bus, FrameworkPath, Queries, get_provider_restriction
from pricing.domain.errors import RatesNotFound
from pricing.domain.rate_matrix import RateChoice
from pricing.domain.rates import RateScope
from pricing.handlers import SelectRates, select_rates
from pricing.ports import AreaSelections, ListedSelection, SelectionFilter
from service_runtime.http.auth import Caller
from service_runtime.http.commands import json_response
from service_runtime.http.paging import Cursor, Limit, Page, build_page, decode_cursor
from service_runtime.http.problems import describe_problems
from service_runtime.http.text_fields import (
    AreaName,
    Day,
    FrameworkName,
    ItemName,
    Rate,
    RequestBody,
    ServiceTypeName,
)
from service_runtime.http.value_rules import check_whole_number
from service_runtime.idempotency import StoredResponse
from service_runtime.unit_of_work.streams import StreamKey

router = APIRouter(tags=["rates"])


RateNumber = Annotated[int, Field(ge=1, le=100), BeforeValidator(check_whole_number)]
LARGEST_SELECTION: Final = 100
"""Lines of one selection."""


class RateChoiceIn(RequestBody):
    """The rate of one line of the matrix: a number of it, or your own rate where the framework lets you name it."""

    service_type: ServiceTypeName
    item: ItemName | None = Field(default=None, description="names one of several lines; default: the service type")
    number: RateNumber | None = Field(default=None, description="number of the rate in the matrix line, counted from 1")
    rate: Rate | None = Field(
        default=None, description="your own rate in pounds, between the lowest and the highest of the matrix line"
    )

    @model_validator(mode="after")
    def check_number_or_rate(self) -> Self:
        """Raises pydantic's ValidationError unless the choice has either a number or a rate."""
        self.to_choice()
        return self

    def to_choice(self) -> RateChoice:
        return RateChoice(
            self.service_type, self.item or ItemKey(self.service_type), number=self.number, rate=self.rate
        )


class SelectionIn(RequestBody):
    """Rates for one area from a day on. The provider gets no offers for a service type without a rate."""

    valid_from: Day = Field(
        description="today or later; only a first selection may begin in the past; at most 12 later days can be pending"
    )
    rates: tuple[RateChoiceIn, ...] = Field(min_length=1, max_length=LARGEST_SELECTION)

    def to_choices(self) -> tuple[RateChoice, ...]:
        return tuple(each.to_choice() for each in self.rates)


class SelectionOut(BaseModel):
    valid_from: date = Field(description="first day on which offers use these rates")
    matrix_version: int
    rates: list[SelectedRate]


class AreaSelectionsOut(BaseModel):
    """Every selection of a provider for one area. On any day the latest selection that has begun applies."""

    provider_id: UUID
    framework: str
    area: str
    selections: list[SelectionOut] = Field(description="earliest day first")


class ListedSelectionOut(SelectionOut):
    """One selection in a list that spans areas and providers."""

    provider_id: UUID
    framework: str
    area: str
    selected_at: datetime


@router.put(
    "/v1/providers/{provider_id}/rates/{framework}/{area}",
    response_model=AreaSelectionsOut,
    responses=describe_problems(404, 409),
)
async def put_rates(
    *, provider_id: UUID, framework: FrameworkPath, area: AreaPath, body: SelectionIn, caller: AdminOrProvider, bus: Bus
) -> Response:
    """Select rates from the newest matrix, or name your own; they replace those selected for the same day."""
    scope = _build_scope(provider_id, framework, area, caller)
    command = SelectRates(caller.council, scope, body.valid_from, body.to_choices())
    stream = StreamKey(RATES, str(provider_id))
    return await bus.execute(command, select_rates, on=stream, by=caller, respond=_respond_with_selections)


@router.get(
    "/v1/providers/{provider_id}/rates/{framework}/{area}",
    response_model=AreaSelectionsOut,
    responses=describe_problems(404),
)
async def show_rates(
    provider_id: UUID, framework: FrameworkPath, area: AreaPath, caller: AdminOrProvider, queries: Queries
) -> AreaSelectionsOut:
    """Return the selections for one area, including past and future ones."""
    selected = await queries.find_selections(_build_scope(provider_id, framework, area, caller), caller.council)
    if selected is None:
        raise RatesNotFound
    return _to_area_selections_out(selected)


@router.get("/v1/rates", response_model=Page[ListedSelectionOut], responses=describe_problems())
async def list_rates(
    *,
    caller: AdminOrProvider,
    queries: Queries,
    provider: Annotated[UUID | None, Query(description="return only this provider's selections")] = None,
    framework: Annotated[FrameworkName | None, Query()] = None,
    area: Annotated[AreaName | None, Query()] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[ListedSelectionOut]:
    """List selections, newest first: a provider's own, or all of the council's."""
    own = get_provider_restriction(caller)
    if own is not None and provider not in {None, own}:
        return Page(items=[], next=None)
    filters = SelectionFilter(
        provider_id=own or (None if provider is None else ProviderId(provider)),
        framework=framework,
        area=area,
    )
    found = await queries.list_selections(caller.council, filters, after=decode_cursor(cursor), limit=limit + 1)
    return build_page(
        found, limit, to_item=_to_listed_selection_out, position=lambda row: (row.selected_at, row.selection_id)
    )


def _build_scope(provider_id: UUID, framework: FrameworkKey, area: AreaCode, caller: Caller) -> RateScope:
    """Builds the scope of the rates. Raises RatesNotFound if the caller is another provider."""
    own = get_provider_restriction(caller)
    if own is not None and own != provider_id:
        raise RatesNotFound
    return RateScope(ProviderId(provider_id), framework, area)


def _respond_with_selections(selected: AreaSelections) -> StoredResponse:
    return json_response(_to_area_selections_out(selected))


def _to_area_selections_out(selected: AreaSelections) -> AreaSelectionsOut:
    scope = selected.scope
    return AreaSelectionsOut(
        provider_id=scope.provider_id,
        framework=scope.framework,
        area=scope.area,
        selections=[_to_selection_out(each) for each in selected.selections],
    )


def _to_selection_out(selection: Selection) -> SelectionOut:
    return SelectionOut(
        valid_from=selection.valid_from, matrix_version=selection.matrix_version, rates=list(selection.rates)
    )


def _to_listed_selection_out(listed: ListedSelection) -> ListedSelectionOut:
    scope = listed.scope
    return ListedSelectionOut(
        **_to_selection_out(listed.selection).model_dump(),
        provider_id=scope.provider_id,
        framework=scope.framework,
        area=scope.area,
        selected_at=listed.selected_at,
    )
