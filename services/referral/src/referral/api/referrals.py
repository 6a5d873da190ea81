"""Routes that list and show a council's referrals."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from contracts.ids import LotKey, ReasonKey, RouteKey, ServiceTypeKey
from contracts.values import Care, Wishes
from referral.api.callers import NO_STORE, Queries, Reader, find_own_referral
from referral.api.person_bodies import PersonOut
from referral.domain.referral import HistoryEntry, HistoryKind, Status
from referral.domain.request import DespiteOpenReferral
from referral.ports import ReferralDetails, ReferralSummary
from service_runtime.http.paging import Cursor, Limit, Page, build_page, decode_cursor
from service_runtime.http.problems import describe_problems

router = APIRouter(tags=["referrals"])


class ReferralSummaryOut(BaseModel):
    """One referral, without anything that identifies the person."""

    referral_id: UUID
    package_id: UUID
    reference: str | None = Field(description="your own reference; null after the person was erased")
    status: Status
    service_type: ServiceTypeKey
    lot: LotKey
    area: str
    starts_on: date
    route: RouteKey
    urgent: bool
    requested_at: datetime
    placed_with: UUID | None = Field(description="the provider that has the package")
    withdrawal_reason: ReasonKey | None


class HistoryEntryOut(BaseModel):
    """One entry of a referral's history; a cause comes before its effects."""

    what: HistoryKind
    at: datetime
    stage: str | None
    provider_id: UUID | None
    reason: str | None


class ReferralOut(ReferralSummaryOut):
    """One of your council's referrals, with the person and the history."""

    care: Care
    wishes: Wishes
    despite_open_referral: DespiteOpenReferral | None
    person: PersonOut | None = Field(description="null after the person was erased")
    offers_made: int
    history: list[HistoryEntryOut]


@router.get("/v1/referrals", response_model=Page[ReferralSummaryOut], responses=describe_problems())
async def list_referrals(
    caller: Reader,
    queries: Queries,
    status: Annotated[Status | None, Query(description="only referrals with this status")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[ReferralSummaryOut]:
    """Your council's referrals, newest first."""
    after = decode_cursor(cursor)
    summaries = await queries.list_referrals(caller.council, status=status, after=after, limit=limit + 1)
    return build_page(summaries, limit, to_item=_to_referral_summary_out, position=_get_position)


@router.get("/v1/referrals/{referral_id}", response_model=ReferralOut, responses=describe_problems(404))
async def show_referral(referral_id: UUID, caller: Reader, queries: Queries, response: Response) -> ReferralOut:
    """One of your council's referrals: the person, the status and the history."""
    details = await find_own_referral(referral_id, caller, queries)
    response.headers.append(*NO_STORE)
    return _to_referral_out(details)


def _to_referral_summary_out(summary: ReferralSummary) -> ReferralSummaryOut:
    referral = summary.referral
    return ReferralSummaryOut(
        referral_id=referral.referral_id,
        package_id=referral.package_id,
        reference=summary.reference,
        status=referral.status,
        service_type=referral.care.service_type,
        lot=referral.care.lot,
        area=referral.care.area,
        starts_on=referral.care.starts_on,
        route=referral.care.route,
        urgent=referral.care.urgent,
        requested_at=referral.requested_at,
        placed_with=referral.placed_with,
        withdrawal_reason=referral.withdrawal_reason,
    )


def _get_position(summary: ReferralSummary) -> tuple[datetime, UUID]:
    return summary.referral.requested_at, summary.referral.referral_id


def _to_referral_out(details: ReferralDetails) -> ReferralOut:
    referral, person_details = details.referral, details.person_details
    summary = ReferralSummary(referral, None if person_details is None else person_details.reference)
    return ReferralOut(
        **_to_referral_summary_out(summary).model_dump(),
        care=referral.care,
        wishes=referral.wishes,
        despite_open_referral=referral.despite_open_referral,
        person=None if person_details is None else PersonOut.model_validate(person_details.person),
        offers_made=sum(entry.kind is HistoryKind.OFFER_MADE for entry in details.history),
        history=[_to_history_entry_out(entry) for entry in details.history],
    )


def _to_history_entry_out(entry: HistoryEntry) -> HistoryEntryOut:
    return HistoryEntryOut(
        what=entry.kind, at=entry.at, stage=entry.stage, provider_id=entry.provider_id, reason=entry.reason
    )
