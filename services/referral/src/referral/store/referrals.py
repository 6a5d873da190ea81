"""Referrals, people and histories, as a unit of work finds and keeps them."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import text

from contracts.ids import CouncilKey, PackageId, ProviderId, ReferralId
from contracts.values import Care, Wishes, WithdrawalReason
from referral.domain.intake import DespiteOpenReferral
from referral.domain.referral import HistoryEntry, Referral, Status
from referral.ports import PersonDetails
from service_runtime.postgres.database import Connection

REFERRAL_COLUMNS: Final = """
    referrals.package_id, referral_id, council, CAST(care AS text) AS care, CAST(wishes AS text) AS wishes,
    requested_at, status, despite_open_referral, placed_with, withdrawal_reason
"""
REFERRAL_OF_PACKAGE = text(f"SELECT {REFERRAL_COLUMNS} FROM referrals WHERE package_id = :package_id")  # noqa: S608  our own columns
_OPEN_ONE = text(
    """
    SELECT referral_id FROM referrals
    WHERE council = :council AND person_key = :person_key AND service_type = :service_type AND is_open
    ORDER BY requested_at, referral_id LIMIT 1
    """
)
_ADD = text(
    """
    INSERT INTO referrals (package_id, referral_id, council, service_type, care, wishes, requested_at, status, is_open,
                           despite_open_referral, placed_with, withdrawal_reason, person_key)
    VALUES (:package_id, :referral_id, :council, :service_type, CAST(:care AS jsonb), CAST(:wishes AS jsonb),
            :requested_at, :status, :is_open, :despite_open_referral, :placed_with, :withdrawal_reason, :person_key)
    ON CONFLICT (council, person_key, service_type) WHERE is_open AND despite_open_referral IS NULL DO NOTHING
    RETURNING package_id
    """
)
_SAVE = text(
    """
    UPDATE referrals SET status = :status, is_open = :is_open, placed_with = :placed_with,
                         withdrawal_reason = :withdrawal_reason
    WHERE package_id = :package_id
    """
)
_ADD_ABOUT = text("INSERT INTO persons (package_id, about) VALUES (:package_id, :about)")
_ABOUT = text("SELECT about FROM persons WHERE package_id = :package_id")
_NOTE = text(
    """
    INSERT INTO history (package_id, what, at, stage, provider_id, reason)
    VALUES (:package_id, :what, :at, :stage, :provider_id, :reason)
    """
)

_ABOUT_BYTES: Final = TypeAdapter(PersonDetails)


class PostgresReferrals:
    """Referrals, people and histories in their tables."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get(self, package_id: PackageId) -> Referral | None:
        row = (await self._connection.execute(REFERRAL_OF_PACKAGE, {"package_id": package_id})).one_or_none()
        return None if row is None else to_referral(row)

    async def add(self, referral: Referral, about: PersonDetails, *, person_key: str) -> ReferralId | None:
        arguments = {**_to_row(referral), "person_key": person_key}
        while True:  # another request can take the place between the look and the insert, and give it up again
            if referral.despite_open_referral is None:
                found = (await self._connection.execute(_OPEN_ONE, arguments)).one_or_none()
                if found is not None:
                    return ReferralId(found.referral_id)
            if (await self._connection.execute(_ADD, arguments)).first() is not None:
                break
        await self._connection.execute(
            _ADD_ABOUT, {"package_id": referral.package_id, "about": _ABOUT_BYTES.dump_json(about)}
        )
        return None

    async def save(self, referral: Referral) -> None:
        await self._connection.execute(_SAVE, _to_row(referral))

    async def add_history_entry(self, package_id: PackageId, line: HistoryEntry) -> None:
        await self._connection.execute(
            _NOTE,
            {
                "package_id": package_id,
                "what": line.what.value,
                "at": line.at,
                "stage": line.stage,
                "provider_id": line.provider_id,
                "reason": line.reason,
            },
        )

    async def get_about(self, package_id: PackageId) -> PersonDetails | None:
        stored = (await self._connection.execute(_ABOUT, {"package_id": package_id})).scalar_one_or_none()
        return to_about(stored)


def _to_row(referral: Referral) -> Mapping[str, object]:
    despite, reason = referral.despite_open_referral, referral.withdrawal_reason
    return {
        "package_id": referral.package_id,
        "referral_id": referral.referral_id,
        "council": referral.council,
        "service_type": referral.care.service_type.value,
        "care": referral.care.model_dump_json(),
        "wishes": referral.wishes.model_dump_json(),
        "requested_at": referral.requested_at,
        "status": referral.status.value,
        "is_open": referral.is_open,
        "despite_open_referral": None if despite is None else despite.value,
        "placed_with": referral.placed_with,
        "withdrawal_reason": None if reason is None else reason.value,
    }


def to_referral(row: Any) -> Referral:  # a row's attributes are its columns
    despite, reason = row.despite_open_referral, row.withdrawal_reason
    return Referral(
        referral_id=ReferralId(row.referral_id),
        package_id=PackageId(row.package_id),
        council=CouncilKey(row.council),
        care=Care.model_validate_json(row.care),
        wishes=Wishes.model_validate_json(row.wishes),
        requested_at=row.requested_at,
        status=Status(row.status),
        despite_open_referral=None if despite is None else DespiteOpenReferral(despite),
        placed_with=None if row.placed_with is None else ProviderId(row.placed_with),
        withdrawal_reason=None if reason is None else WithdrawalReason(reason),
    )


def to_about(stored: bytes | None) -> PersonDetails | None:
    return None if stored is None else _ABOUT_BYTES.validate_json(stored)
