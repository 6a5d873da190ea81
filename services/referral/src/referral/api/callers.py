"""Callers of referral and their scopes: the council that owns a referral, and the provider that has its package."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends

from contracts.catalogue import PACKAGES
from contracts.ids import PackageId, ReferralId
from referral.domain.errors import ReferralNotFound
from referral.ports import ReferralDetails, ReferralQueries
from service_runtime.http.app import inject
from service_runtime.http.auth import Caller, require_scopes
from service_runtime.http.commands import CommandBus, get_command_bus, get_command_bus_without_idempotency
from service_runtime.observability.tracing import set_subject
from service_runtime.unit_of_work.streams import StreamKey

Writer = Annotated[Caller, Depends(require_scopes("referrals:write"))]
Reader = Annotated[Caller, Depends(require_scopes("referrals:read"))]
Provider = Annotated[Caller, Depends(require_scopes("offers:answer"))]
Queries = Annotated[ReferralQueries, inject(ReferralQueries)]
Bus = Annotated[CommandBus, Depends(get_command_bus)]
BusWithoutIdempotency = Annotated[CommandBus, Depends(get_command_bus_without_idempotency)]

NO_STORE: Final = ("cache-control", "no-store")
"""Header of every response that contains a person."""


async def find_own_referral(referral_id: UUID, caller: Caller, queries: ReferralQueries) -> ReferralDetails:
    """Raises ReferralNotFound if there is no such referral, or if it belongs to another council."""
    details = await queries.find_referral(ReferralId(referral_id))
    if details is None or details.referral.council != caller.council:
        raise ReferralNotFound
    set_subject(PACKAGES, str(details.referral.package_id))
    return details


def build_stream_key(package_id: PackageId) -> StreamKey:
    return StreamKey(PACKAGES, str(package_id))
