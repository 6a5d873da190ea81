"""Providers and branches in PostgreSQL."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import TextClause, text

from contracts.catalogue import PROVIDERS
from contracts.events.providers import EmbargoReason, Membership
from contracts.ids import AreaCode, BranchId, CouncilKey, FrameworkKey, ProviderId
from contracts.precedence import Precedence
from contracts.values import Channel, Rating, ServiceType, Tier
from provider_registry.domain.provider import Branch, BranchStatus, FrameworkPlace, Profile, Provider, PublishedState
from provider_registry.ports import REASSESS
from provider_registry.store.capacities import DECLARE_CAPACITY
from provider_registry.store.memberships import (
    ADD_MEMBERSHIPS,
    MEMBERS,
    MEMBERS_OF_FRAMEWORK,
    REMOVE_MEMBERSHIPS,
    to_columns,
    to_place,
    to_place_stream,
)
from service_runtime.timers.timers import Timer
from service_runtime.unit_of_work.streams import StreamKey
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork

TABLES: Final = """
CREATE TABLE providers (
    provider_id uuid PRIMARY KEY,
    council text NOT NULL,
    name text NOT NULL,
    service_types text[] NOT NULL,
    turnover numeric(12, 2),
    phone text NOT NULL,
    embargo text,
    spot_areas text[] NOT NULL,
    version integer NOT NULL,
    registered_at timestamptz NOT NULL,
    told_memberships jsonb,
    told_service_types text[] NOT NULL,
    told_channels text[],
    told_spot_areas text[] NOT NULL,
    told_rating text NOT NULL
);
CREATE INDEX providers_of_a_council ON providers (council, registered_at DESC, provider_id DESC);
CREATE INDEX providers_outside_frameworks ON providers USING gin (spot_areas);

CREATE TABLE branches (
    provider_id uuid NOT NULL REFERENCES providers,
    branch_id uuid NOT NULL,
    name text NOT NULL,
    outward_code text NOT NULL,
    domiciliary_care boolean NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'dormant', 'deregistered')),
    rating text NOT NULL,
    published_on date,
    PRIMARY KEY (provider_id, branch_id)
);
"""

_PROVIDER_COLUMNS: Final = """
    provider_id, council, name, service_types, turnover, phone, embargo, spot_areas, version, registered_at,
    CAST(told_memberships AS text), told_service_types, told_channels, told_spot_areas, told_rating,
    (SELECT CAST(coalesce(json_agg(branches ORDER BY branch_id), '[]') AS text) FROM branches
     WHERE branches.provider_id = providers.provider_id) AS branches,
    (SELECT CAST(coalesce(json_agg(memberships ORDER BY framework, area, tier), '[]') AS text) FROM memberships
     WHERE memberships.provider_id = providers.provider_id) AS memberships
"""
PROVIDER = text(
    f"SELECT {_PROVIDER_COLUMNS} FROM providers WHERE provider_id = :provider_id"  # noqa: S608  our own columns
)
PROVIDERS_OF_COUNCIL = text(
    f"""
    SELECT {_PROVIDER_COLUMNS} FROM providers
    WHERE council = :council
      AND (registered_at, provider_id) < (coalesce(CAST(:after_at AS timestamptz), 'infinity'),
          coalesce(CAST(:after_id AS uuid), 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
    ORDER BY registered_at DESC, provider_id DESC LIMIT :limit
    """  # noqa: S608  our own columns
)
_SAVE_PROVIDER = text(
    """
    INSERT INTO providers (provider_id, council, name, service_types, turnover, phone, embargo, spot_areas, version,
                           registered_at, told_memberships, told_service_types, told_channels, told_spot_areas,
                           told_rating)
    VALUES (:provider_id, :council, :name, CAST(:service_types AS text[]), :turnover, :phone, :embargo,
            CAST(:spot_areas AS text[]), :version, :registered_at, CAST(:told_memberships AS jsonb),
            CAST(:told_service_types AS text[]), CAST(:told_channels AS text[]), CAST(:told_spot_areas AS text[]),
            :told_rating)
    ON CONFLICT (provider_id) DO UPDATE SET
        name = excluded.name, service_types = excluded.service_types, turnover = excluded.turnover,
        phone = excluded.phone, embargo = excluded.embargo, spot_areas = excluded.spot_areas,
        version = excluded.version, told_memberships = excluded.told_memberships,
        told_service_types = excluded.told_service_types, told_channels = excluded.told_channels,
        told_spot_areas = excluded.told_spot_areas, told_rating = excluded.told_rating
    """
)
_SAVE_BRANCH = text(
    """
    INSERT INTO branches (provider_id, branch_id, name, outward_code, domiciliary_care, status, rating, published_on)
    VALUES (:provider_id, :branch_id, :name, :outward_code, :domiciliary_care, :status, :rating, :published_on)
    ON CONFLICT (provider_id, branch_id) DO UPDATE SET
        name = excluded.name, outward_code = excluded.outward_code, domiciliary_care = excluded.domiciliary_care,
        status = excluded.status, rating = excluded.rating, published_on = excluded.published_on
    """
)
_OPEN_PACKAGE_RECIPIENTS = text(
    """
    SELECT provider_id FROM providers
    JOIN endpoints ON endpoints.owner = CAST(provider_id AS text)
    WHERE council = :council AND embargo IS NULL
      AND (:spot AND spot_areas @> ARRAY[CAST(:area AS text)]
           OR EXISTS (SELECT 1 FROM memberships
                      WHERE memberships.provider_id = providers.provider_id
                        AND memberships.framework = :framework AND memberships.area = :area))
    ORDER BY provider_id
    """
)
FAILING_PROVIDERS = text(
    """
    SELECT provider_id, name, phone, failing_since, disabled_because FROM providers
    JOIN endpoints ON endpoints.owner = CAST(provider_id AS text)
    WHERE council = :council
      AND (disabled_because IN ('gone', 'failing')
           OR failing_notice_at IS NOT NULL AND NOT EXISTS (
               SELECT 1 FROM deliveries WHERE deliveries.owner = endpoints.owner AND outcome = 'delivered'
                                          AND decided_at >= failing_since))
    ORDER BY failing_since NULLS FIRST, provider_id
    """
)

_MEMBERSHIPS: Final = TypeAdapter(tuple[Membership, ...])


class PostgresProviders:
    """Repository of providers."""

    def __init__(self, work: PostgresUnitOfWork) -> None:
        self._work = work

    async def get(self, provider_id: ProviderId) -> Provider | None:
        row = (await self._work.execute(PROVIDER, {"provider_id": provider_id})).one_or_none()
        return None if row is None else to_provider(row)

    async def save(self, provider: Provider, *, before: Provider | None) -> None:
        self._work.write(_SAVE_PROVIDER, _to_provider_row(provider))
        known = set(before.branches) if before is not None else set[Branch]()
        for branch in provider.branches:
            if branch not in known:
                self._work.write(_SAVE_BRANCH, _to_branch_row(provider, branch))
        places = set(before.places) if before is not None else set[FrameworkPlace]()
        self._change_memberships(REMOVE_MEMBERSHIPS, provider, places - set(provider.places))
        self._change_memberships(ADD_MEMBERSHIPS, provider, set(provider.places) - places)

    async def declare_capacity(self, provider_id: ProviderId, area: AreaCode, free_hours: Decimal) -> None:
        arguments = {"provider_id": provider_id, "area": area, "free_hours": free_hours, "now": self._work.now}
        self._work.write(DECLARE_CAPACITY, arguments)

    async def watch_members(self, places: Collection[FrameworkPlace]) -> Mapping[FrameworkPlace, frozenset[ProviderId]]:
        if not places:
            return {}
        ordered = sorted(places)
        await self._work.depend_on(*map(to_place_stream, ordered))
        rows = await self._work.execute(MEMBERS, to_columns(ordered))
        return {to_place(row): frozenset(map(ProviderId, row.providers)) for row in rows}

    async def find_open_package_recipients(
        self, framework: FrameworkKey, area: AreaCode, *, council: CouncilKey, spot: bool
    ) -> Sequence[ProviderId]:
        arguments = {"framework": framework, "area": area, "council": council, "spot": spot}
        rows = await self._work.execute(_OPEN_PACKAGE_RECIPIENTS, arguments)
        return [ProviderId(row.provider_id) for row in rows]

    async def schedule_reassessment(self, framework: FrameworkKey) -> None:
        rows = await self._work.execute(MEMBERS_OF_FRAMEWORK, {"framework": framework})
        timer = Timer(REASSESS, framework, self._work.now, Precedence.FACT)
        for row in rows:
            self._work.schedule_on(StreamKey(PROVIDERS, str(row.provider_id)), timer)

    def _change_memberships(
        self, statement: TextClause, provider: Provider, places: Collection[FrameworkPlace]
    ) -> None:
        if places:
            arguments = {"provider_id": provider.provider_id, **to_columns(sorted(places))}
            self._work.write(statement, arguments)


def _to_provider_row(provider: Provider) -> Mapping[str, object]:
    profile, published = provider.profile, provider.published
    memberships, channels = published.memberships, published.channels
    return {
        "provider_id": provider.provider_id,
        "council": provider.council,
        "name": profile.name,
        "service_types": [each.value for each in profile.service_types],
        "turnover": profile.turnover,
        "phone": profile.phone,
        "embargo": provider.embargo.value if provider.embargo is not None else None,
        "spot_areas": list(provider.spot_areas),
        "version": provider.version,
        "registered_at": provider.registered_at,
        "told_memberships": None if memberships is None else _MEMBERSHIPS.dump_json(memberships).decode(),
        "told_service_types": [each.value for each in published.service_types],
        "told_channels": None if channels is None else [each.value for each in channels],
        "told_spot_areas": list(published.spot_areas),
        "told_rating": published.rating.value,
    }


def _to_branch_row(provider: Provider, branch: Branch) -> dict[str, object]:
    return {
        "provider_id": provider.provider_id,
        "branch_id": branch.branch_id,
        "name": branch.name,
        "outward_code": branch.outward_code,
        "domiciliary_care": branch.domiciliary_care,
        "status": branch.status.value,
        "rating": branch.rating.value,
        "published_on": branch.published_on,
    }


def to_provider(row: Any) -> Provider:  # a row's attributes are its columns
    return Provider(
        provider_id=ProviderId(row.provider_id),
        council=CouncilKey(row.council),
        profile=Profile(row.name, tuple(map(ServiceType, row.service_types)), row.turnover, row.phone),
        registered_at=row.registered_at,
        branches=tuple(_to_branch(each) for each in json.loads(row.branches)),
        places=tuple(
            sorted(
                FrameworkPlace(FrameworkKey(each["framework"]), AreaCode(each["area"]), Tier(each["tier"]))
                for each in json.loads(row.memberships)
            )
        ),
        spot_areas=tuple(map(AreaCode, row.spot_areas)),
        embargo=None if row.embargo is None else EmbargoReason(row.embargo),
        version=row.version,
        published=_to_published_state(row),
    )


def _to_published_state(row: Any) -> PublishedState:  # a row's attributes are its columns
    memberships, channels = row.told_memberships, row.told_channels
    return PublishedState(
        None if memberships is None else _MEMBERSHIPS.validate_json(memberships),
        tuple(map(ServiceType, row.told_service_types)),
        None if channels is None else tuple(map(Channel, channels)),
        tuple(map(AreaCode, row.told_spot_areas)),
        Rating(row.told_rating),
    )


def _to_branch(row: Mapping[str, Any]) -> Branch:  # one branch as PostgreSQL's row_to_json gives it
    return Branch(
        branch_id=BranchId(UUID(row["branch_id"])),
        name=row["name"],
        outward_code=row["outward_code"],
        domiciliary_care=row["domiciliary_care"],
        status=BranchStatus(row["status"]),
        rating=Rating(row["rating"]),
        published_on=_parse_published_on(row["published_on"]),
    )


def _parse_published_on(text: str | None) -> date | None:
    """Returns None for the ends of the calendar, which asyncpg stores as `infinity` and `-infinity`."""
    return None if text is None or text.endswith("infinity") else date.fromisoformat(text)
