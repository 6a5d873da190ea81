"""The route that requests the withdrawal of a package."""

from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from contracts.ids import ReasonKey
from referral.api.callers import Bus, Queries, Writer, build_stream_key, find_own_referral
from referral.domain.referral import Referral, Status
from referral.handlers import WithdrawReferral, withdraw_referral
from service_runtime.http.commands import json_response
from service_runtime.http.problems import describe_problems
from service_runtime.http.text_fields import ReasonName, RequestBody
from service_runtime.idempotency import StoredResponse

router = APIRouter(tags=["referrals"])


class WithdrawalIn(RequestBody):
    reason: ReasonName = Field(description="one of `reasons.withdrawal` of the package's framework")


class WithdrawalOut(BaseModel):
    """The withdrawal is requested. The status becomes `withdrawn` when sourcing has stopped the search."""

    referral_id: UUID
    package_id: UUID
    status: Status
    reason: ReasonKey | None


@router.post(
    "/v1/referrals/{referral_id}/withdrawal",
    status_code=202,
    response_model=WithdrawalOut,
    responses=describe_problems(404, 409),
)
async def post_withdrawal(
    referral_id: UUID, body: WithdrawalIn, caller: Writer, queries: Queries, bus: Bus
) -> Response:
    """Withdraw the package before care starts. A second request returns the first withdrawal."""
    details = await find_own_referral(referral_id, caller, queries)
    package_id = details.referral.package_id
    command = WithdrawReferral(package_id, body.reason)
    return await bus.execute(
        command, withdraw_referral, on=build_stream_key(package_id), by=caller, respond=_respond_with_withdrawal
    )


def _respond_with_withdrawal(referral: Referral) -> StoredResponse:
    body = WithdrawalOut(
        referral_id=referral.referral_id,
        package_id=referral.package_id,
        status=referral.status,
        reason=referral.withdrawal_reason,
    )
    return json_response(body, status=202)
