"""The repository of referrals, persons and histories."""

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
REFERRAL_OF_PACKAGE = text(f"SELECT {REFERRAL_COLUMNS} FROM referrals WHERE package_id = :package_id")  # noqa: S608  the columns are constants
_OPEN_REFERRAL = text(
    """
    SELECT referral_id FROM referrals
    WHERE council = :council AND person_key = :person_key AND service_type = :service_type AND is_open
    ORDER BY requested_at, referral_id LIMIT 1
    """
)
_INSERT_REFERRAL = text(
    """
    INSERT INTO referrals (package_id, referral_id, council, service_type, care, wishes, requested_at, status, is_open,
                           despite_open_referral, placed_with, withdrawal_reason, person_key)
    VALUES (:package_id, :referral_id, :council, :service_type, CAST(:care AS jsonb), CAST(:wishes AS jsonb),
            :requested_at, :status, :is_open, :despite_open_referral, :placed_with, :withdrawal_reason, :person_key)
    ON CONFLICT (council, person_key, service_type) WHERE is_open AND despite_open_referral IS NULL DO NOTHING
    RETURNING package_id
    """
)
_UPDATE_REFERRAL = text(
    """
    UPDATE referrals SET status = :status, is_open = :is_open, placed_with = :placed_with,
                         withdrawal_reason = :withdrawal_reason
    WHERE package_id = :package_id
    """
)
_INSERT_PERSON = text("INSERT INTO persons (package_id, about) VALUES (:package_id, :about)")
_PERSON_DETAILS = text("SELECT about FROM persons WHERE package_id = :package_id")
_INSERT_HISTORY_ENTRY = text(
    """
    INSERT INTO history (package_id, what, at, stage, provider_id, reason)
    VALUES (:package_id, :what, :at, :stage, :provider_id, :reason)
    """
)

_PERSON_DETAILS_JSON: Final = TypeAdapter(PersonDetails)


class PostgresReferrals:
    """Referrals, persons and histories, on the connection of the unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get(self, package_id: PackageId) -> Referral | None:
        row = (await self._connection.execute(REFERRAL_OF_PACKAGE, {"package_id": package_id})).one_or_none()
        return None if row is None else to_referral(row)

    async def add(self, referral: Referral, person_details: PersonDetails, *, person_key: str) -> ReferralId | None:
        arguments = {**_to_row(referral), "person_key": person_key}
        while True:  # between SELECT and INSERT another transaction can add an open referral, and then withdraw it
            if referral.despite_open_referral is None:
                existing = (await self._connection.execute(_OPEN_REFERRAL, arguments)).one_or_none()
                if existing is not None:
                    return ReferralId(existing.referral_id)
            if (await self._connection.execute(_INSERT_REFERRAL, arguments)).first() is not None:
                break
        await self._connection.execute(
            _INSERT_PERSON, {"package_id": referral.package_id, "about": _PERSON_DETAILS_JSON.dump_json(person_details)}
        )
        return None

    async def save(self, referral: Referral) -> None:
        await self._connection.execute(_UPDATE_REFERRAL, _to_row(referral))

    async def add_history_entry(self, package_id: PackageId, entry: HistoryEntry) -> None:
        await self._connection.execute(
            _INSERT_HISTORY_ENTRY,
            {
                "package_id": package_id,
                "what": entry.kind.value,
                "at": entry.at,
                "stage": entry.stage,
                "provider_id": entry.provider_id,
                "reason": entry.reason,
            },
        )

    async def get_person_details(self, package_id: PackageId) -> PersonDetails | None:
        stored = (await self._connection.execute(_PERSON_DETAILS, {"package_id": package_id})).scalar_one_or_none()
        return to_person_details(stored)


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


def to_person_details(stored: bytes | None) -> PersonDetails | None:
    return None if stored is None else _PERSON_DETAILS_JSON.validate_json(stored)
