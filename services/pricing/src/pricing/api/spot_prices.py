"""Routes for spot prices above the ceiling: the list of awards and the second officer's decision."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from contracts.catalogue import PACKAGES
from contracts.events.listings import AwardEnd
from contracts.events.orders import LateDecision
from contracts.ids import AwardId, ReasonKey, UnitKey
from contracts.values import Hours, Money
from pricing.api.callers import Admin, Bus, Queries, Staff, check_is_officer
from pricing.domain.approvals import ApprovalStatus, DecisionResult, SpotPrice
from pricing.domain.errors import AwardLapsedAlready, AwardNotFound, DecidedOtherwise
from pricing.handlers import DecideSpotPrice, decide_spot_price
from pricing.ports import PricingQueries
from service_runtime.http.auth import Caller
from service_runtime.http.commands import CommandBus, json_response, to_stored_problem
from service_runtime.http.instants import Now
from service_runtime.http.paging import Cursor, Limit, Page, build_page, decode_cursor
from service_runtime.http.problems import describe_problems
from service_runtime.http.text_fields import ReasonName, RequestBody
from service_runtime.idempotency import StoredResponse
from service_runtime.unit_of_work.streams import StreamKey

router = APIRouter(tags=["spot prices"])


class RefusalIn(RequestBody):
    reason: ReasonName = Field(description="one of `reasons.price_refusal` of the package's framework")


class SpotPriceOut(BaseModel):
    """A price above the ceiling and its decision."""

    award_id: UUID
    package_id: UUID = Field(description="an opaque reference")
    proposal_id: UUID
    provider_id: UUID
    rate: Money
    unit: UnitKey
    ceiling: Money = Field(description="highest rate that one officer may award alone")
    quantity: Hours = Field(description="units a week; for an episode the units of the whole package")
    weekly_cost: Money
    fixed_cost: Money = Field(description="paid once")
    status: ApprovalStatus
    asked_at: datetime
    first_officer: str = Field(description="the officer who awarded; the second officer must be another person")
    inadequate_reason: ReasonKey | None = Field(description="set if the provider is rated Inadequate")
    second_officer: str | None
    decided_at: datetime | None
    refusal: ReasonKey | None
    lapsed_because: AwardEnd | None


class ListedSpotPriceOut(SpotPriceOut):
    """A price above the ceiling in a list, with its waiting time."""

    waiting_minutes: int = Field(
        description="minutes from the award to the decision, or to now if there is no decision"
    )


@router.get("/v1/spot-prices", response_model=Page[ListedSpotPriceOut], responses=describe_problems())
async def list_spot_prices(
    *,
    caller: Staff,
    queries: Queries,
    now: Now,
    status: Annotated[ApprovalStatus | None, Query(description="return only prices with this status")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[ListedSpotPriceOut]:
    """List your council's awards above a ceiling, newest first. `status=pending` selects those without a decision."""
    check_is_officer(caller)
    found = await queries.list_spot_prices(caller.council, status, after=decode_cursor(cursor), limit=limit + 1)
    return build_page(
        found,
        limit,
        to_item=lambda row: _to_listed_spot_price_out(row, now),
        position=lambda row: (row.asked_at, row.award_id),
    )


@router.post("/v1/spot-prices/{award_id}/approve", response_model=SpotPriceOut, responses=describe_problems(404, 409))
async def approve_spot_price(award_id: UUID, caller: Admin, queries: Queries, bus: Bus) -> Response:
    """Approve the price as the second officer. The package is placed if the provider is still eligible for it.

    Returns 409 and records your decision if the award was decided otherwise or has lapsed.
    """
    return await _decide(AwardId(award_id), None, caller, queries, bus)


@router.post("/v1/spot-prices/{award_id}/refuse", response_model=SpotPriceOut, responses=describe_problems(404, 409))
async def refuse_spot_price(award_id: UUID, body: RefusalIn, caller: Admin, queries: Queries, bus: Bus) -> Response:
    """Refuse the price for one of the framework's reasons; the package stays open.

    A late refusal returns 409 and is recorded.
    """
    return await _decide(AwardId(award_id), body.reason, caller, queries, bus)


async def _decide(
    award_id: AwardId, refusal: ReasonKey | None, caller: Caller, queries: PricingQueries, bus: CommandBus
) -> Response:
    check_is_officer(caller)
    seen = await queries.find_spot_price(award_id, caller.council)
    if seen is None:
        raise AwardNotFound
    command = DecideSpotPrice(seen.package_id, award_id, caller.actor, refusal)
    stream = StreamKey(PACKAGES, str(seen.package_id))
    return await bus.execute(command, decide_spot_price, on=stream, by=caller, respond=_respond_with_decision)


def _respond_with_decision(decided: DecisionResult) -> StoredResponse:
    price = decided.price
    match decided.too_late:
        case None:
            return json_response(_to_spot_price_out(price))
        case LateDecision.DECIDED_OTHERWISE:
            return to_stored_problem(DecidedOtherwise(str(price.decision)))
        case LateDecision.AWARD_LAPSED:
            return to_stored_problem(AwardLapsedAlready(str(price.lapsed_because)))


def _to_spot_price_out(price: SpotPrice) -> SpotPriceOut:
    decision, line = price.decision, price.terms.lines[0]  # a proposal has one line
    return SpotPriceOut(
        award_id=price.award_id,
        package_id=price.package_id,
        proposal_id=price.proposal_id,
        provider_id=price.provider_id,
        rate=line.rate,
        unit=line.unit,
        ceiling=price.ceiling,
        quantity=line.quantity,
        weekly_cost=price.terms.weekly_cost,
        fixed_cost=price.terms.fixed_cost,
        status=price.status,
        asked_at=price.asked_at,
        first_officer=price.first_officer,
        inadequate_reason=price.inadequate_reason,
        second_officer=None if decision is None else decision.officer,
        decided_at=None if decision is None else decision.at,
        refusal=None if decision is None else decision.refusal,
        lapsed_because=price.lapsed_because,
    )


def _to_listed_spot_price_out(price: SpotPrice, now: datetime) -> ListedSpotPriceOut:
    return ListedSpotPriceOut(
        **_to_spot_price_out(price).model_dump(), waiting_minutes=price.compute_waiting_minutes(now)
    )
