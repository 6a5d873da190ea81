"""Questions about referrals, and about the councils' endpoints."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from contracts.ids import CouncilKey, PackageId, ProviderId, ReferralId
from referral.domain.referral import HistoryEntry, Referral, Status, What
from referral.ports import EndpointState, ReferralDetails, ReferralSummary
from referral.store.referrals import REFERRAL_COLUMNS, REFERRAL_OF_PACKAGE, to_about, to_referral
from service_runtime.postgres.database import Database

_HISTORY = text(
    "SELECT what, at, stage, provider_id, reason FROM history WHERE package_id = :package_id ORDER BY position"
)
_SEEN = text(
    f"""
    SELECT {REFERRAL_COLUMNS}, about FROM referrals LEFT JOIN persons USING (package_id)
    WHERE referral_id = :referral_id
    """  # noqa: S608  our own columns
)
_OF_COUNCIL = text(
    f"""
    SELECT {REFERRAL_COLUMNS}, about FROM referrals LEFT JOIN persons USING (package_id)
    WHERE council = :council
      AND (CAST(:status AS text) IS NULL OR status = :status)
      AND (requested_at, referral_id) < (coalesce(CAST(:after_at AS timestamptz), 'infinity'),
          coalesce(CAST(:after_id AS uuid), 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
    ORDER BY requested_at DESC, referral_id DESC LIMIT :limit
    """  # noqa: S608  our own columns
)

_ENDPOINT = text("SELECT url, disabled_because FROM endpoints WHERE owner = :owner")


class PostgresReferralQueries:
    """Questions about referrals, each in a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find_referral(self, referral_id: ReferralId) -> ReferralDetails | None:
        async with self._database.open_read_connection() as connection:
            row = (await connection.execute(_SEEN, {"referral_id": referral_id})).one_or_none()
            if row is None:
                return None
            history = await connection.execute(_HISTORY, {"package_id": row.package_id})
            return ReferralDetails(to_referral(row), to_about(row.about), [_to_history_entry(line) for line in history])

    async def find_by_package(self, package_id: PackageId) -> Referral | None:
        rows = await self._database.find(REFERRAL_OF_PACKAGE, {"package_id": package_id})
        return to_referral(rows[0]) if rows else None

    async def list_referrals(
        self, council: CouncilKey, *, status: Status | None, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[ReferralSummary]:
        at, row = after if after is not None else (None, None)
        arguments = {
            "council": council,
            "status": None if status is None else status.value,
            "after_at": at,
            "after_id": row,
            "limit": limit,
        }
        return [_to_referral_summary(each) for each in await self._database.find(_OF_COUNCIL, arguments)]

    async def find_endpoint(self, council: CouncilKey) -> EndpointState | None:
        rows = await self._database.find(_ENDPOINT, {"owner": council})
        return EndpointState(rows[0].url, rows[0].disabled_because) if rows else None


def _to_referral_summary(row: Any) -> ReferralSummary:  # a row's attributes are its columns
    about = to_about(row.about)
    return ReferralSummary(to_referral(row), None if about is None else about.reference)


def _to_history_entry(row: Any) -> HistoryEntry:  # a row's attributes are its columns
    provider = None if row.provider_id is None else ProviderId(row.provider_id)
    return HistoryEntry(What(row.what), row.at, row.stage, provider, row.reason)
