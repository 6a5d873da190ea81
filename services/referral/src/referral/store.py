"""Referral's tables, and how referrals and people get into and out of them.

SQL stands next to the tables it works on. Whom a referral is about stands in `persons` alone, as bytes that PostgreSQL
never looks into: no constraint, cast or index of its can quote a name in an error or a log.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import text

from contracts.framework import FrameworkDefinition
from contracts.ids import CouncilKey, PackageId, ProviderId, ReferralId
from contracts.values import Care, Wishes, WithdrawalReason
from referral.domain.intake import DespiteOpenReferral
from referral.domain.referral import Noted, Referral, Status, What
from referral.ports import DEFINITIONS, About, EndpointSeen, NewsTerms, ReferralListed, ReferralSeen
from service_runtime.database import Connection, Database
from service_runtime.views import Views
from service_runtime.webhooks.addresses import AddressRules
from service_runtime.webhooks.endpoints import Endpoints
from service_runtime.webhooks.vault import Vault
from service_runtime.work import PostgresWork

TABLES: Final = """
CREATE TABLE referrals (
    package_id uuid PRIMARY KEY,
    referral_id uuid NOT NULL UNIQUE,
    council text NOT NULL,
    service_type text NOT NULL,
    care jsonb NOT NULL,
    wishes jsonb NOT NULL,
    requested_at timestamptz NOT NULL,
    status text NOT NULL CHECK (status IN
        ('requested', 'sourcing', 'held', 'exhausted', 'listed', 'placed', 'withdrawal requested', 'withdrawn')),
    is_open boolean NOT NULL,
    despite_open_referral text,
    placed_with uuid,
    withdrawal_reason text,
    person_key text
);
CREATE UNIQUE INDEX one_open_referral_of_a_person ON referrals (council, person_key, service_type)
    WHERE is_open AND despite_open_referral IS NULL;
CREATE INDEX open_referrals_of_a_person ON referrals (council, person_key, service_type) WHERE is_open;
CREATE INDEX referrals_of_a_council ON referrals (council, requested_at DESC, referral_id DESC);

CREATE TABLE persons (
    package_id uuid PRIMARY KEY REFERENCES referrals,
    about bytea NOT NULL
);

CREATE TABLE history (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    package_id uuid NOT NULL REFERENCES referrals,
    what text NOT NULL,
    at timestamptz NOT NULL,
    stage text,
    provider_id uuid,
    reason text
);
CREATE INDEX history_of_a_package ON history (package_id, position);
"""
"""`person_key` is an HMAC and, like a row of `persons`, can be taken away while the referral stays."""

_COLUMNS: Final = """
    referrals.package_id, referral_id, council, CAST(care AS text) AS care, CAST(wishes AS text) AS wishes,
    requested_at, status, despite_open_referral, placed_with, withdrawal_reason
"""
_GET = text(f"SELECT {_COLUMNS} FROM referrals WHERE package_id = :package_id")  # noqa: S608  our own columns
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
_HISTORY = text(
    "SELECT what, at, stage, provider_id, reason FROM history WHERE package_id = :package_id ORDER BY position"
)
_SEEN = text(
    f"SELECT {_COLUMNS}, about FROM referrals LEFT JOIN persons USING (package_id) WHERE referral_id = :referral_id"  # noqa: S608  our own columns
)
_OF_COUNCIL = text(
    f"""
    SELECT {_COLUMNS}, about FROM referrals LEFT JOIN persons USING (package_id)
    WHERE council = :council
      AND (CAST(:status AS text) IS NULL OR status = :status)
      AND (CAST(:after_at AS timestamptz) IS NULL
           OR (requested_at, referral_id) < (CAST(:after_at AS timestamptz), CAST(:after_id AS uuid)))
    ORDER BY requested_at DESC, referral_id DESC LIMIT :limit
    """  # noqa: S608  our own columns
)

_ENDPOINT = text("SELECT url, disabled_because FROM endpoints WHERE owner = :owner")

_ABOUT_BYTES: Final = TypeAdapter(About)


@dataclass
class PostgresReferralWork(PostgresWork):
    """Referral's unit of work on PostgreSQL."""

    vault: Vault = field(kw_only=True)
    rules: AddressRules = field(kw_only=True)
    news_terms: NewsTerms = field(kw_only=True)

    @property
    def referrals(self) -> "PostgresReferrals":
        return PostgresReferrals(self.connection)

    @property
    def frameworks(self) -> "PostgresFrameworks":
        return PostgresFrameworks(self.views)

    @property
    def endpoints(self) -> Endpoints:
        return Endpoints(self.connection, vault=self.vault, rules=self.rules, now=self.now)


class PostgresReferrals:
    """Referrals, people and histories in their tables."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get(self, package_id: PackageId) -> Referral | None:
        row = (await self._connection.execute(_GET, {"package_id": package_id})).one_or_none()
        return None if row is None else _referral(row)

    async def add(self, referral: Referral, about: About, *, person_key: str) -> ReferralId | None:
        arguments = {**_row(referral), "person_key": person_key}
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
        await self._connection.execute(_SAVE, _row(referral))

    async def note(self, package_id: PackageId, line: Noted) -> None:
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

    async def about(self, package_id: PackageId) -> About | None:
        stored = (await self._connection.execute(_ABOUT, {"package_id": package_id})).scalar_one_or_none()
        return _about(stored)


def _row(referral: Referral) -> Mapping[str, object]:
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


def _referral(row: Any) -> Referral:  # a row's attributes are its columns
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


def _about(stored: bytes | None) -> About | None:
    return None if stored is None else _ABOUT_BYTES.validate_json(stored)


def _noted(row: Any) -> Noted:  # a row's attributes are its columns
    provider = None if row.provider_id is None else ProviderId(row.provider_id)
    return Noted(What(row.what), row.at, row.stage, provider, row.reason)


class PostgresFrameworks:
    """The councils' frameworks, as the view holds them."""

    def __init__(self, views: Views) -> None:
        self._views = views

    async def of(self, council: CouncilKey) -> Sequence[FrameworkDefinition]:
        known = await self._views.under(DEFINITIONS, "")
        return [each.event.definition for each in known if each.event.definition.council == council]


class PostgresReferralQueries:
    """Questions about referrals, each in a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def referral(self, referral_id: ReferralId) -> ReferralSeen | None:
        async with self._database.reading() as connection:
            row = (await connection.execute(_SEEN, {"referral_id": referral_id})).one_or_none()
            if row is None:
                return None
            history = await connection.execute(_HISTORY, {"package_id": row.package_id})
            return ReferralSeen(_referral(row), _about(row.about), [_noted(line) for line in history])

    async def of_package(self, package_id: PackageId) -> Referral | None:
        rows = await self._database.find(_GET, {"package_id": package_id})
        return _referral(rows[0]) if rows else None

    async def referrals_of(
        self, council: CouncilKey, *, status: Status | None, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[ReferralListed]:
        at, row = after if after is not None else (None, None)
        arguments = {
            "council": council,
            "status": None if status is None else status.value,
            "after_at": at,
            "after_id": row,
            "limit": limit,
        }
        return [_listed(each) for each in await self._database.find(_OF_COUNCIL, arguments)]

    async def endpoint(self, council: CouncilKey) -> EndpointSeen | None:
        rows = await self._database.find(_ENDPOINT, {"owner": council})
        return EndpointSeen(rows[0].url, rows[0].disabled_because) if rows else None


def _listed(row: Any) -> ReferralListed:  # a row's attributes are its columns
    about = _about(row.about)
    return ReferralListed(_referral(row), None if about is None else about.reference)
