"""Spot prices above the ceiling: what waits for a second officer, and the officer's decision."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from contracts.catalogue import PACKAGES
from contracts.events.listings import AwardEnd, InadequateReason
from contracts.events.orders import LateDecision, SpotPriceRefusal
from contracts.ids import AwardId
from contracts.values import Hours, Money, PriceUnit
from pricing.api.callers import Admin, Bus, Queries, Staff, check_is_officer
from pricing.domain.approvals import Decided, SpotPrice, Standing
from pricing.domain.errors import AwardLapsedAlready, AwardNotFound, DecidedOtherwise
from pricing.handlers import DecideSpotPrice, decide_spot_price
from pricing.ports import PricingQueries
from service_runtime.http.auth import Caller
from service_runtime.http.commands import CommandBus, json_response, problem_response_of
from service_runtime.http.instants import Now
from service_runtime.http.paging import Cursor, Limit, Page, cursor_at, position_of
from service_runtime.http.problems import problems
from service_runtime.idempotency import StoredResponse
from service_runtime.unit_of_work.streams import StreamKey

router = APIRouter(tags=["spot prices"])


class RefusalIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: SpotPriceRefusal


class DecidedOut(BaseModel):
    """A price above the ceiling, and what was decided about it."""

    award_id: UUID
    package_id: UUID = Field(description="an opaque reference")
    proposal_id: UUID
    provider_id: UUID
    rate: Money
    unit: PriceUnit
    ceiling: Money = Field(description="up to this rate one officer awards alone")
    quantity_per_week: Hours
    weekly_cost: Money
    status: Standing
    asked_at: datetime
    first_officer: str = Field(description="who awarded; the second officer is somebody else")
    inadequate_reason: InadequateReason | None = Field(description="given where the provider is rated Inadequate")
    second_officer: str | None
    decided_at: datetime | None
    refusal: SpotPriceRefusal | None
    lapsed_because: AwardEnd | None


class SpotPriceOut(DecidedOut):
    """The same on a list, with how long it waits."""

    waiting_minutes: int = Field(description="from the award to the decision; to now, where there is none")


@router.get("/v1/spot-prices", response_model=Page[SpotPriceOut], responses=problems())
async def list_spot_prices(
    *,
    caller: Staff,
    ask: Queries,
    now: Now,
    status: Annotated[Standing | None, Query(description="only those that stand here")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[SpotPriceOut]:
    """Your council's awards above a ceiling, the newest first; `status=pending`: those that wait for an officer."""
    check_is_officer(caller)
    found = await ask.spot_prices_of(caller.council, status, after=position_of(cursor), limit=limit + 1)
    page = found[:limit]
    following = cursor_at(page[-1].asked_at, page[-1].award_id) if len(found) > limit else None
    return Page(items=[_listed(each, now) for each in page], next=following)


@router.post("/v1/spot-prices/{award_id}/approve", response_model=DecidedOut, responses=problems(404, 409))
async def approve_spot_price(award_id: UUID, caller: Admin, ask: Queries, do: Bus) -> Response:
    """Agree to the price as a second officer; the package is placed if its provider may still have it.

    Too late: 409, and your decision is on record.
    """
    return await _decide(AwardId(award_id), None, caller, ask, do)


@router.post("/v1/spot-prices/{award_id}/refuse", response_model=DecidedOut, responses=problems(404, 409))
async def refuse_spot_price(award_id: UUID, body: RefusalIn, caller: Admin, ask: Queries, do: Bus) -> Response:
    """Do not agree to the price; the package stays open. Too late: 409, and your decision is on record."""
    return await _decide(AwardId(award_id), body.reason, caller, ask, do)


async def _decide(
    award_id: AwardId, refusal: SpotPriceRefusal | None, caller: Caller, ask: PricingQueries, do: CommandBus
) -> Response:
    check_is_officer(caller)
    seen = await ask.spot_price(award_id, caller.council)
    if seen is None:
        raise AwardNotFound
    command = DecideSpotPrice(seen.package_id, award_id, caller.actor, refusal)
    stream = StreamKey(PACKAGES, str(seen.package_id))
    return await do.execute(command, decide_spot_price, on=stream, by=caller, respond=_tell)


def _tell(decided: Decided) -> StoredResponse:
    price = decided.price
    match decided.too_late:
        case None:
            return json_response(_decided(price))
        case LateDecision.DECIDED_OTHERWISE:
            return problem_response_of(DecidedOtherwise(str(price.decision)))
        case LateDecision.AWARD_LAPSED:
            return problem_response_of(AwardLapsedAlready(str(price.lapsed_because)))


def _decided(price: SpotPrice) -> DecidedOut:
    decision = price.decision
    return DecidedOut(
        award_id=price.award_id,
        package_id=price.package_id,
        proposal_id=price.proposal_id,
        provider_id=price.provider_id,
        rate=price.terms.rate,
        unit=price.terms.unit,
        ceiling=price.ceiling,
        quantity_per_week=price.terms.quantity_per_week,
        weekly_cost=price.terms.weekly_cost,
        status=price.standing,
        asked_at=price.asked_at,
        first_officer=price.first_officer,
        inadequate_reason=price.inadequate_reason,
        second_officer=None if decision is None else decision.officer,
        decided_at=None if decision is None else decision.at,
        refusal=None if decision is None else decision.refusal,
        lapsed_because=price.lapsed_because,
    )


def _listed(price: SpotPrice, now: datetime) -> SpotPriceOut:
    return SpotPriceOut(**_decided(price).model_dump(), waiting_minutes=price.waited_until(now))
