"""Providers in PostgreSQL."""

import json
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import text

from contracts.catalogue import PROVIDERS
from contracts.events.providers import EmbargoReason, Place
from contracts.ids import AreaCode, CouncilKey, FrameworkKey, NeedKey, ProviderId
from contracts.precedence import Precedence
from contracts.values import Channel, ListReach, PlaceState, Rating
from provider_registry.domain.places import FrameworkPlace
from provider_registry.domain.provider import (
    Profile,
    Provider,
    PublishedState,
    sort_places,
)
from provider_registry.domain.skills import SkillEvidence
from provider_registry.ports import REASSESS, OpenPackage
from provider_registry.store.branches import SAVE_BRANCH, to_branch, to_branch_row
from provider_registry.store.capacities import DECLARE_CAPACITY
from provider_registry.store.places import (
    PROVIDERS_OF_FRAMEWORK,
    PROVIDERS_OF_PLACES,
    REMOVE_PLACES,
    SAVE_PLACES,
    read_place,
    to_columns,
    to_place,
    to_place_stream,
    write_places,
)
from service_runtime.timers.timers import Timer
from service_runtime.unit_of_work.streams import StreamKey
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork

TABLES: Final = """
CREATE TABLE providers (
    provider_id uuid PRIMARY KEY,
    council text NOT NULL,
    name text NOT NULL,
    turnover numeric(12, 2),
    turnover_evidence text,
    phone text NOT NULL,
    embargo text,
    spot_areas text[] NOT NULL,
    version integer NOT NULL,
    registered_at timestamptz NOT NULL,
    skills jsonb NOT NULL,
    published_places jsonb,
    published_skills text[] NOT NULL,
    published_channels text[],
    published_spot_areas text[] NOT NULL,
    published_rating text NOT NULL
);
CREATE INDEX providers_of_a_council ON providers (council, registered_at DESC, provider_id DESC);
CREATE INDEX providers_outside_frameworks ON providers USING gin (spot_areas);
CREATE INDEX providers_by_published_place ON providers USING gin (published_places jsonb_path_ops);
"""

_PROVIDER_COLUMNS: Final = """
    provider_id, council, name, turnover, turnover_evidence, phone, embargo, spot_areas, version, registered_at,
    CAST(skills AS text), CAST(published_places AS text), published_skills, published_channels, published_spot_areas,
    published_rating,
    (SELECT CAST(coalesce(json_agg(branches ORDER BY branch_id), '[]') AS text) FROM branches
     WHERE branches.provider_id = providers.provider_id) AS branches,
    (SELECT CAST(coalesce(json_agg(places), '[]') AS text) FROM places
     WHERE places.provider_id = providers.provider_id) AS places
"""
PROVIDER = text(
    f"SELECT {_PROVIDER_COLUMNS} FROM providers WHERE provider_id = :provider_id"  # noqa: S608  our own columns
)
HAS_PROVIDER = text("SELECT 1 FROM providers WHERE provider_id = :provider_id AND council = :council")
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
    INSERT INTO providers (provider_id, council, name, turnover, turnover_evidence, phone, embargo, spot_areas, version,
                           registered_at, skills, published_places, published_skills, published_channels,
                           published_spot_areas, published_rating)
    VALUES (:provider_id, :council, :name, :turnover, :turnover_evidence, :phone, :embargo,
            CAST(:spot_areas AS text[]), :version, :registered_at, CAST(:skills AS jsonb),
            CAST(:published_places AS jsonb), CAST(:published_skills AS text[]), CAST(:published_channels AS text[]),
            CAST(:published_spot_areas AS text[]), :published_rating)
    ON CONFLICT (provider_id) DO UPDATE SET
        name = excluded.name, turnover = excluded.turnover, turnover_evidence = excluded.turnover_evidence,
        phone = excluded.phone, embargo = excluded.embargo, spot_areas = excluded.spot_areas,
        version = excluded.version, skills = excluded.skills, published_places = excluded.published_places,
        published_skills = excluded.published_skills, published_channels = excluded.published_channels,
        published_spot_areas = excluded.published_spot_areas, published_rating = excluded.published_rating
    """
)
_OPEN_PACKAGE_RECIPIENTS = text(
    """
    SELECT provider_id FROM providers
    WHERE council = :council AND embargo IS NULL
      AND (:spot AND CASE WHEN :everywhere THEN spot_areas <> '{}' ELSE spot_areas @> ARRAY[CAST(:area AS text)] END
           OR :members AND published_places @> CAST(:place AS jsonb))
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

_PLACES: Final = TypeAdapter(tuple[Place, ...])
_SKILLS: Final = TypeAdapter(tuple[SkillEvidence, ...])


class PostgresProviders:
    """Repository of providers."""

    def __init__(self, work: PostgresUnitOfWork) -> None:
        self._work = work

    async def get(self, provider_id: ProviderId) -> Provider | None:
        row = (await self._work.execute(PROVIDER, {"provider_id": provider_id})).one_or_none()
        return None if row is None else to_provider(row)

    async def save(self, provider: Provider, *, before: Provider | None) -> None:
        self._work.write(_SAVE_PROVIDER, _to_provider_row(provider))
        known = before.branches if before is not None else ()
        for branch in provider.branches:
            if branch not in known:
                self._work.write(SAVE_BRANCH, to_branch_row(provider.provider_id, branch))
        self._save_places(provider, before)

    def _save_places(self, provider: Provider, before: Provider | None) -> None:
        known = before.places if before is not None else ()
        gone = sorted({each.place for each in known} - {each.place for each in provider.places})
        if gone:
            self._work.write(REMOVE_PLACES, {"provider_id": provider.provider_id, **to_columns(gone)})
        changed = [each for each in provider.places if each not in known]
        if changed:
            self._work.write(SAVE_PLACES, {"places": write_places(provider, changed)})

    async def declare_capacity(self, provider_id: ProviderId, area: AreaCode, free_hours: Decimal) -> None:
        arguments = {"provider_id": provider_id, "area": area, "free_hours": free_hours, "now": self._work.now}
        self._work.write(DECLARE_CAPACITY, arguments)

    async def watch_holders(self, places: Collection[FrameworkPlace]) -> Mapping[FrameworkPlace, frozenset[ProviderId]]:
        if not places:
            return {}
        ordered = sorted(places)
        await self._work.depend_on(*map(to_place_stream, ordered))
        holders: dict[FrameworkPlace, frozenset[ProviderId]] = {}
        for row in await self._work.execute(PROVIDERS_OF_PLACES, to_columns(ordered)):
            held = read_place(row.place)
            if held.is_held(self._work.now):
                holders[held.place] = holders.get(held.place, frozenset()) | {ProviderId(row.provider_id)}
        return holders

    async def find_open_package_recipients(
        self, package: OpenPackage, *, council: CouncilKey, members: bool, spot: bool
    ) -> Sequence[ProviderId]:
        everywhere = package.reach is ListReach.COUNCIL
        place = {"framework": package.framework, "state": PlaceState.ACTIVE.value}
        if not everywhere:
            place |= {"lot": package.lot, "area": package.area}
        arguments = {
            "everywhere": everywhere,
            "area": package.area,
            "place": json.dumps([place]),
            "council": council,
            "members": members,
            "spot": spot,
        }
        rows = await self._work.execute(_OPEN_PACKAGE_RECIPIENTS, arguments)
        return [ProviderId(row.provider_id) for row in rows]

    async def schedule_reassessment(self, framework: FrameworkKey) -> None:
        rows = await self._work.execute(PROVIDERS_OF_FRAMEWORK, {"framework": framework})
        timer = Timer(REASSESS, framework, self._work.now, Precedence.FACT)
        for row in rows:
            self._work.schedule_on(StreamKey(PROVIDERS, str(row.provider_id)), timer)


def _to_provider_row(provider: Provider) -> Mapping[str, object]:
    profile, published = provider.profile, provider.published
    return {
        "provider_id": provider.provider_id,
        "council": provider.council,
        "name": profile.name,
        "turnover": profile.turnover,
        "turnover_evidence": profile.turnover_evidence,
        "phone": profile.phone,
        "embargo": provider.embargo.value if provider.embargo is not None else None,
        "spot_areas": list(provider.spot_areas),
        "version": provider.version,
        "registered_at": provider.registered_at,
        "skills": _SKILLS.dump_json(provider.skills).decode(),
        "published_places": None if published.places is None else _PLACES.dump_json(published.places).decode(),
        "published_skills": list(published.skills),
        "published_channels": None if published.channels is None else [each.value for each in published.channels],
        "published_spot_areas": list(published.spot_areas),
        "published_rating": published.rating.value,
    }


def to_provider(row: Any) -> Provider:  # a row's attributes are its columns
    return Provider(
        provider_id=ProviderId(row.provider_id),
        council=CouncilKey(row.council),
        profile=Profile(row.name, row.turnover, row.turnover_evidence, row.phone),
        registered_at=row.registered_at,
        branches=tuple(to_branch(each) for each in json.loads(row.branches)),
        places=sort_places(tuple(to_place(each) for each in json.loads(row.places))),
        skills=_SKILLS.validate_json(row.skills),
        spot_areas=tuple(map(AreaCode, row.spot_areas)),
        embargo=None if row.embargo is None else EmbargoReason(row.embargo),
        version=row.version,
        published=_to_published_state(row),
    )


def _to_published_state(row: Any) -> PublishedState:  # a row's attributes are its columns
    places, channels = row.published_places, row.published_channels
    return PublishedState(
        None if places is None else _PLACES.validate_json(places),
        tuple(map(NeedKey, row.published_skills)),
        None if channels is None else tuple(map(Channel, channels)),
        tuple(map(AreaCode, row.published_spot_areas)),
        Rating(row.published_rating),
    )
