"""The repository of referrals, persons and histories."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import text

from contracts.catalogue import PACKAGES
from contracts.ids import CouncilKey, LotKey, PackageId, ProviderId, ReasonKey, ReferralId
from contracts.values import Care, Wishes
from referral.domain.earlier_package import EarlierPackage
from referral.domain.referral import HistoryEntry, Referral, Status
from referral.domain.request import DespiteOpenReferral
from referral.ports import PersonDetails
from service_runtime.postgres.database import Database
from service_runtime.unit_of_work.loading import StateQuery
from service_runtime.unit_of_work.rounds import Rounds
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork

REFERRAL_COLUMNS: Final = """
    referrals.package_id, referral_id, council, CAST(care AS text) AS care, CAST(wishes AS text) AS wishes,
    requested_at, status, despite_open_referral, placed_with, withdrawal_reason
"""
REFERRAL_OF_PACKAGE = text(f"SELECT {REFERRAL_COLUMNS} FROM referrals WHERE package_id = :package_id")  # noqa: S608  the columns are constants
_OPEN_REFERRALS: Final = """
    SELECT (SELECT referral_id FROM referrals
            WHERE council = sought.council AND person_key = sought.person_key AND service_type = sought.service_type
              AND is_open
            ORDER BY requested_at, referral_id LIMIT 1) AS referral_id
    FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY
         AS sought(council, person_key, service_type, number)
    ORDER BY number
"""
SAVE_REFERRALS: Final = """
    added_referrals AS (
        INSERT INTO referrals (package_id, referral_id, council, service_type, care, wishes, requested_at, status,
                               is_open, despite_open_referral, placed_with, withdrawal_reason, person_key)
        SELECT package_id, referral_id, council, service_type, care, wishes, requested_at, status, is_open,
               despite_open_referral, placed_with, withdrawal_reason, person_key
        FROM jsonb_to_recordset(:rows -> 'referrals') AS added(
            package_id uuid, referral_id uuid, council text, service_type text, care jsonb, wishes jsonb,
            requested_at timestamptz, status text, is_open boolean, despite_open_referral text, placed_with uuid,
            withdrawal_reason text, person_key text)
    ), added_persons AS (
        INSERT INTO persons (package_id, about) SELECT package_id, decode(about, 'hex')
        FROM jsonb_to_recordset(:rows -> 'persons') AS added(package_id uuid, about text)
    ), changed_referrals AS (
        UPDATE referrals SET status = changed.status, is_open = changed.is_open, placed_with = changed.placed_with,
                             withdrawal_reason = changed.withdrawal_reason
        FROM jsonb_to_recordset(:rows -> 'changed_referrals') AS changed(
            package_id uuid, status text, is_open boolean, placed_with uuid, withdrawal_reason text)
        WHERE referrals.package_id = changed.package_id
    ), added_history AS (
        INSERT INTO history (package_id, what, at, stage, provider_id, reason)
        SELECT package_id, what, at, stage, provider_id, reason
        FROM jsonb_to_recordset(:rows -> 'history') AS added(
            package_id uuid, what text, at timestamptz, stage text, provider_id uuid, reason text)
    )
"""
_EARLIER_PACKAGE = text(
    """
    SELECT package_id, care ->> 'lot' AS lot, coalesce(person_key = :person_key, false) AS is_of_same_person,
           CASE WHEN status = 'placed' THEN placed_with END AS delivered_by
    FROM referrals WHERE package_id = :package_id AND council = :council
    """
)
_PERSON_DETAILS = text("SELECT about FROM persons WHERE package_id = :package_id")
_PERSON_DETAILS_JSON: Final = TypeAdapter(PersonDetails)


@dataclass(frozen=True)
class _SoughtReferral:
    council: CouncilKey
    person_key: str
    service_type: str


class OpenReferrals:
    """Finds open referrals of a person, in one statement for all submissions that wait."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rounds = Rounds[_SoughtReferral, UUID | None](self._find)

    async def find(self, council: CouncilKey, person_key: str, service_type: str) -> ReferralId | None:
        found = await self._rounds.submit(_SoughtReferral(council, person_key, service_type))
        return None if found is None else ReferralId(found)

    async def _find(self, sought: Sequence[_SoughtReferral]) -> list[UUID | None]:
        columns = zip(*((each.council, each.person_key, each.service_type) for each in sought), strict=True)
        return [row.referral_id for row in await self._database.fetch(_OPEN_REFERRALS, *columns)]


class PostgresReferrals:
    """Referrals, persons and histories; the referral of the unit of work's own stream is its state."""

    def __init__(self, work: PostgresUnitOfWork, open_referrals: OpenReferrals) -> None:
        self._work = work
        self._open_referrals = open_referrals

    async def get(self, package_id: PackageId) -> Referral | None:
        self._check_own(package_id)
        referral: Referral | None = self._work.state
        return referral

    async def add(self, referral: Referral, person_details: PersonDetails, *, person_key: str) -> ReferralId | None:
        """If another unit of work adds one at this moment, the unique index refuses one of them, which looks again."""
        self._check_own(referral.package_id)
        if referral.despite_open_referral is None:
            service_type = referral.care.service_type
            existing = await self._open_referrals.find(referral.council, person_key, service_type)
            if existing is not None:
                return existing
        package_id = referral.package_id
        about = _PERSON_DETAILS_JSON.dump_json(person_details).hex()
        self._work.put_row("referrals", package_id, {**_to_row(referral), "person_key": person_key})
        self._work.put_row("persons", package_id, {"package_id": package_id, "about": about})
        self._work.state = referral
        return None

    async def save(self, referral: Referral) -> None:
        self._check_own(referral.package_id)
        self._work.put_row("changed_referrals", referral.package_id, _to_changed_row(referral))
        self._work.state = referral

    async def add_history_entry(self, package_id: PackageId, entry: HistoryEntry) -> None:
        row = {
            "package_id": package_id,
            "what": entry.kind.value,
            "at": entry.at,
            "stage": entry.stage,
            "provider_id": entry.provider_id,
            "reason": entry.reason,
        }
        self._work.put_row("history", object(), row)  # every entry is a new row

    async def find_earlier_package(
        self, package_id: PackageId, *, council: CouncilKey, person_key: str
    ) -> EarlierPackage | None:
        arguments = {"package_id": package_id, "council": council, "person_key": person_key}
        row = (await self._work.execute(_EARLIER_PACKAGE, arguments)).one_or_none()
        return None if row is None else _to_earlier_package(row)

    async def get_person_details(self, package_id: PackageId) -> PersonDetails | None:
        stored = (await self._work.execute(_PERSON_DETAILS, {"package_id": package_id})).scalar_one_or_none()
        return to_person_details(stored)

    def _check_own(self, package_id: PackageId) -> None:
        if str(package_id) != self._work.context.stream.key.key:
            message = f"package {package_id} is not the subject of the stream {self._work.context.stream.key}"
            raise ValueError(message)


def _to_changed_row(referral: Referral) -> Mapping[str, object]:
    return {
        "package_id": referral.package_id,
        "status": referral.status.value,
        "is_open": referral.is_open,
        "placed_with": referral.placed_with,
        "withdrawal_reason": referral.withdrawal_reason,
    }


def _to_row(referral: Referral) -> Mapping[str, object]:
    despite = referral.despite_open_referral
    return {
        "package_id": referral.package_id,
        "referral_id": referral.referral_id,
        "council": referral.council,
        "service_type": referral.care.service_type,
        "care": referral.care,
        "wishes": referral.wishes,
        "requested_at": referral.requested_at,
        "status": referral.status.value,
        "is_open": referral.is_open,
        "despite_open_referral": None if despite is None else despite.value,
        "placed_with": referral.placed_with,
        "withdrawal_reason": referral.withdrawal_reason,
    }


def _parse_state(row: Any) -> Referral | None:  # a row's attributes are its columns
    return None if row.package_id is None else to_referral(row)


REFERRAL_STATE: Final = StateQuery(
    PACKAGES,
    f"SELECT {REFERRAL_COLUMNS} FROM referrals WHERE referrals.package_id = wanted.id",  # noqa: S608  the columns are constants
    _parse_state,
)
"""The referral of each package's stream."""


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
        withdrawal_reason=None if reason is None else ReasonKey(reason),
    )


def _to_earlier_package(row: Any) -> EarlierPackage:  # a row's attributes are its columns
    return EarlierPackage(
        package_id=PackageId(row.package_id),
        lot=LotKey(row.lot),
        is_of_same_person=row.is_of_same_person,
        provider_id=None if row.delivered_by is None else ProviderId(row.delivered_by),
    )


def to_person_details(stored: bytes | None) -> PersonDetails | None:
    return None if stored is None else _PERSON_DETAILS_JSON.validate_json(stored)
