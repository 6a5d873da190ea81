"""The route that shows where a search stands and what an officer can do with it; every act answers with the same."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from contracts.office_time import to_office_date
from contracts.values import Money
from service_runtime.http.instants import Now
from service_runtime.http.problems import describe_problems
from sourcing.api.callers import Officer, Queries, find_search
from sourcing.domain.officers.allowed_acts import Act, AllowedAct, find_allowed_acts, list_late_ticks
from sourcing.domain.officers.pending_acts import HandPlacement, PendingAct
from sourcing.domain.search import Search, SearchStatus

router = APIRouter(tags=["officers"])

_PATHS: Final[Mapping[Act, tuple[str, str]]] = {
    Act.PAUSE: ("POST", "pause"),
    Act.RESUME: ("POST", "resume"),
    Act.SKIP: ("POST", "skips"),
    Act.OFFER: ("POST", "directed-offers"),
    Act.TAKE_UP_TICK: ("POST", "late-ticks"),
    Act.OVERRIDE_SUSPENSION: ("POST", "suspension/override"),
    Act.PLACE: ("POST", "placements"),
    Act.APPROVE: ("POST", "acts/{about}/approve"),
    Act.REFUSE: ("POST", "acts/{about}/refuse"),
    Act.RESOURCE: ("POST", "resource"),
    Act.PROPOSE: ("POST", "proposals"),
    Act.COUNTER: ("POST", "counter-offers"),
    Act.AWARD: ("POST", "awards"),
    Act.WITHDRAW_AWARD: ("POST", "awards/{about}/withdraw"),
    Act.ASSIGN: ("PUT", "officer"),
}
"""Method and path of each act, below the package."""


class AllowedActOut(BaseModel):
    """An act that is possible now."""

    act: Act
    method: str
    path: str
    needs_second_officer: bool | None = Field(description="null: the price decides")


class WaitingActOut(BaseModel):
    """An act of officers that is not carried out yet."""

    act_id: UUID
    kind: Literal["offer out of order", "placement by hand"]
    provider_id: UUID
    officer: str = Field(description="who proposed it; another officer approves it")
    needs_second_officer: bool = Field(description="false: it waits for its turn")
    rate: Money | None = Field(description="of a placement by hand")


class LiveOfferOut(BaseModel):
    """An offer that can be answered."""

    offer_id: UUID
    provider_id: UUID
    answer_by: datetime | None


class SearchOut(BaseModel):
    """Where the search stands, and what an officer can do."""

    package_id: UUID
    status: SearchStatus
    stage: str | None
    paused: bool
    officer: str | None = Field(description="to whom the package is assigned")
    preferred: list[UUID] = Field(description="providers that the person would like; they never reorder a list")
    placed_with: UUID | None
    placement_id: UUID | None
    live_offers: list[LiveOfferOut]
    waiting_acts: list[WaitingActOut]
    late_ticks: list[UUID] = Field(description="providers that ticked too late; an officer may take their ticks up")
    allowed_acts: list[AllowedActOut]


@router.get("/v1/packages/{package_id}/search", response_model=SearchOut, responses=describe_problems(404))
async def show_search(package_id: UUID, caller: Officer, queries: Queries, now: Now) -> SearchOut:
    """Show where the search stands, the acts that wait, and what an officer can do now."""
    return to_search_out(await find_search(package_id, caller, queries), now)


def to_search_out(search: Search, now: datetime) -> SearchOut:
    """Return the search as officers see it; `now` decides whether care has started."""
    placement = search.placement if search.status is SearchStatus.PLACED else None
    return SearchOut(
        package_id=search.package_id,
        status=search.status,
        stage=search.stage.name if search.stage is not None else None,
        paused=search.acts.is_paused,
        officer=search.acts.assigned_to,
        preferred=list(search.wishes.preferred),
        placed_with=None if placement is None else placement.provider_id,
        placement_id=None if placement is None else placement.placement_id,
        live_offers=[
            LiveOfferOut(offer_id=offer.offer_id, provider_id=offer.provider_id, answer_by=offer.answer_by)
            for offer in search.live_offers
        ],
        waiting_acts=[_to_waiting_act_out(act) for act in search.acts.pending],
        late_ticks=list(list_late_ticks(search)),
        allowed_acts=[
            _to_allowed_act_out(search, allowed) for allowed in find_allowed_acts(search, today=to_office_date(now))
        ],
    )


def _to_waiting_act_out(act: PendingAct) -> WaitingActOut:
    is_placement = isinstance(act, HandPlacement)
    return WaitingActOut(
        act_id=act.act_id,
        kind="placement by hand" if is_placement else "offer out of order",
        provider_id=act.provider_id,
        officer=act.officer,
        needs_second_officer=is_placement or not act.is_ready,
        rate=act.terms.rate if is_placement else None,
    )


def _to_allowed_act_out(search: Search, allowed: AllowedAct) -> AllowedActOut:
    method, path = _PATHS[allowed.act]
    return AllowedActOut(
        act=allowed.act,
        method=method,
        path=f"/v1/packages/{search.package_id}/{path.format(about=allowed.about)}",
        needs_second_officer=allowed.needs_second_officer,
    )
