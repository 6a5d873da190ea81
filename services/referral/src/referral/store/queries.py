"""Queries of referrals and of the councils' endpoints."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from contracts.ids import CouncilKey, PackageId, ProviderId, ReferralId
from referral.domain.referral import HistoryEntry, HistoryKind, Referral, Status
from referral.ports import ReferralDetails, ReferralSummary
from referral.store.referrals import REFERRAL_COLUMNS, REFERRAL_OF_PACKAGE, to_person_details, to_referral
from service_runtime.postgres.database import Database
from service_runtime.webhooks.endpoint_queries import EndpointState, find_endpoint_state
from service_runtime.webhooks.kept_messages import KeptMessage, list_kept_messages

_HISTORY = text(
    "SELECT what, at, stage, provider_id, reason FROM history WHERE package_id = :package_id ORDER BY position"
)
_REFERRAL_WITH_PERSON = text(
    f"""
    SELECT {REFERRAL_COLUMNS}, about FROM referrals LEFT JOIN persons USING (package_id)
    WHERE referral_id = :referral_id
    """  # noqa: S608  the columns are constants
)
_REFERRALS_OF_COUNCIL = text(
    f"""
    SELECT {REFERRAL_COLUMNS}, about FROM referrals LEFT JOIN persons USING (package_id)
    WHERE council = :council
      AND (CAST(:status AS text) IS NULL OR status = :status)
      AND (requested_at, referral_id) < (coalesce(CAST(:after_at AS timestamptz), 'infinity'),
          coalesce(CAST(:after_id AS uuid), 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
    ORDER BY requested_at DESC, referral_id DESC LIMIT :limit
    """  # noqa: S608  the columns are constants
)


class PostgresReferralQueries:
    """Read-only queries, each in a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find_referral(self, referral_id: ReferralId) -> ReferralDetails | None:
        async with self._database.open_read_connection() as connection:
            row = (await connection.execute(_REFERRAL_WITH_PERSON, {"referral_id": referral_id})).one_or_none()
            if row is None:
                return None
            history = await connection.execute(_HISTORY, {"package_id": row.package_id})
            entries = [_to_history_entry(entry) for entry in history]
            return ReferralDetails(to_referral(row), to_person_details(row.about), entries)

    async def find_by_package(self, package_id: PackageId) -> Referral | None:
        rows = await self._database.find(REFERRAL_OF_PACKAGE, {"package_id": package_id})
        return to_referral(rows[0]) if rows else None

    async def list_referrals(
        self, council: CouncilKey, *, status: Status | None, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[ReferralSummary]:
        after_at, after_id = after if after is not None else (None, None)
        arguments = {
            "council": council,
            "status": None if status is None else status.value,
            "after_at": after_at,
            "after_id": after_id,
            "limit": limit,
        }
        return [_to_referral_summary(row) for row in await self._database.find(_REFERRALS_OF_COUNCIL, arguments)]

    async def find_endpoint(self, council: CouncilKey) -> EndpointState | None:
        async with self._database.open_read_connection() as connection:
            return await find_endpoint_state(connection, council)

    async def list_kept_messages(
        self, council: CouncilKey, *, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[KeptMessage]:
        async with self._database.open_read_connection() as connection:
            last = None if after is None else after[1]
            return await list_kept_messages(connection, council, after=last, limit=limit)


def _to_referral_summary(row: Any) -> ReferralSummary:  # a row's attributes are its columns
    person_details = to_person_details(row.about)
    return ReferralSummary(to_referral(row), None if person_details is None else person_details.reference)


def _to_history_entry(row: Any) -> HistoryEntry:  # a row's attributes are its columns
    provider = None if row.provider_id is None else ProviderId(row.provider_id)
    return HistoryEntry(HistoryKind(row.what), row.at, row.stage, provider, row.reason)
