"""The rates that providers select from a matrix: by area, from a day on."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from contracts.catalogue import RATES
from contracts.events.rates import SelectedRate, Selection
from contracts.ids import AreaCode, FrameworkKey, ProviderId
from contracts.values import ServiceType
from pricing.api.callers import AdminOrProvider, AreaName, Bus, FrameworkName, Queries, only_of
from pricing.domain.errors import RatesNotFound
from pricing.domain.rates import Choice, Place
from pricing.handlers import SelectRates, select_rates
from pricing.ports import RatesWanted, Selected, SelectionListed
from service_runtime.http.auth import Caller
from service_runtime.http.commands import json_response
from service_runtime.http.paging import Cursor, Limit, Page, cursor_at, position_of
from service_runtime.http.problems import problems
from service_runtime.idempotency import StoredResponse
from service_runtime.unit_of_work.streams import StreamKey

router = APIRouter(tags=["rates"])


class ChoiceIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    service_type: ServiceType
    number: int = Field(ge=1, le=100, description="which rate of the matrix's line, counted from 1")


class SelectionIn(BaseModel):
    """The rates of one area from a day on; a service type that is left out is not offered at any rate."""

    model_config = ConfigDict(extra="forbid")

    valid_from: date = Field(description="today or later; a first selection can begin in the past")
    rates: tuple[ChoiceIn, ...] = Field(min_length=1, max_length=len(ServiceType))

    def choices(self) -> tuple[Choice, ...]:
        return tuple(Choice(each.service_type, each.number) for each in self.rates)


class SelectionOut(BaseModel):
    valid_from: date = Field(description="the first day whose offers have these rates")
    matrix_version: int
    rates: list[SelectedRate]


class SelectedOut(BaseModel):
    """All that a provider has selected for one area; on a day the newest one that has begun counts."""

    provider_id: UUID
    framework: str
    area: str
    selections: list[SelectionOut] = Field(description="the earliest day first")


class SelectionLine(SelectionOut):
    """One selection among those of many areas and providers."""

    provider_id: UUID
    framework: str
    area: str
    selected_at: datetime


@router.put(
    "/v1/providers/{provider_id}/rates/{framework}/{area}", response_model=SelectedOut, responses=problems(404, 409)
)
async def put_rates(
    *, provider_id: UUID, framework: FrameworkName, area: AreaName, body: SelectionIn, caller: AdminOrProvider, do: Bus
) -> Response:
    """Select rates from the newest matrix; they replace those selected for the same day."""
    place = _place_of(provider_id, framework, area, caller)
    command = SelectRates(caller.council, place, body.valid_from, body.choices())
    stream = StreamKey(RATES, str(provider_id))
    return await do.execute(command, select_rates, on=stream, by=caller, respond=_tell)


@router.get("/v1/providers/{provider_id}/rates/{framework}/{area}", response_model=SelectedOut, responses=problems(404))
async def show_rates(
    provider_id: UUID, framework: FrameworkName, area: AreaName, caller: AdminOrProvider, ask: Queries
) -> SelectedOut:
    """What is selected for one area, past and future days too."""
    selected = await ask.rates_of(_place_of(provider_id, framework, area, caller), caller.council)
    if selected is None:
        raise RatesNotFound
    return _selected_out(selected)


@router.get("/v1/rates", response_model=Page[SelectionLine], responses=problems())
async def list_rates(
    *,
    caller: AdminOrProvider,
    ask: Queries,
    provider: Annotated[UUID | None, Query(description="only this one's")] = None,
    framework: Annotated[str | None, Query(pattern=r"^[a-z0-9-]{3,60}$")] = None,
    area: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9-]{2,32}$")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[SelectionLine]:
    """A provider's own selections, or all of the council's; the newest first."""
    own = only_of(caller)
    if own is not None and provider not in {None, own}:
        return Page(items=[], next=None)
    wanted = RatesWanted(
        provider_id=own or (None if provider is None else ProviderId(provider)),
        framework=None if framework is None else FrameworkKey(framework),
        area=None if area is None else AreaCode(area),
    )
    found = await ask.selections_of(caller.council, wanted, after=position_of(cursor), limit=limit + 1)
    page = found[:limit]
    following = cursor_at(page[-1].selected_at, page[-1].selection_id) if len(found) > limit else None
    return Page(items=[_selection_line(each) for each in page], next=following)


def _place_of(provider_id: UUID, framework: FrameworkKey, area: AreaCode, caller: Caller) -> Place:
    """Another provider's rates are as unknown as those that do not exist."""
    own = only_of(caller)
    if own is not None and own != provider_id:
        raise RatesNotFound
    return Place(ProviderId(provider_id), framework, area)


def _tell(selected: Selected) -> StoredResponse:
    return json_response(_selected_out(selected))


def _selected_out(selected: Selected) -> SelectedOut:
    place = selected.place
    return SelectedOut(
        provider_id=place.provider_id,
        framework=place.framework,
        area=place.area,
        selections=[_selection_out(each) for each in selected.selections],
    )


def _selection_out(selection: Selection) -> SelectionOut:
    return SelectionOut(
        valid_from=selection.valid_from, matrix_version=selection.matrix_version, rates=list(selection.rates)
    )


def _selection_line(listed: SelectionListed) -> SelectionLine:
    place = listed.place
    return SelectionLine(
        **_selection_out(listed.selection).model_dump(),
        provider_id=place.provider_id,
        framework=place.framework,
        area=place.area,
        selected_at=listed.selected_at,
    )
