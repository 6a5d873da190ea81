"""Definitions and ranked lists in PostgreSQL."""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import text

from contracts.events.frameworks import RankedListPublished
from contracts.events.packages import Candidate
from contracts.framework import FrameworkDefinition
from contracts.ids import AreaCode, FrameworkKey, ProviderId
from contracts.values import Tier
from provider_registry.domain.provider import Definitions, FrameworkPlace
from provider_registry.store.memberships import to_place_row
from service_runtime.postgres.database import Reader
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork

TABLES: Final = """
CREATE TABLE definitions (
    framework text NOT NULL,
    version integer NOT NULL,
    council text NOT NULL,
    definition jsonb NOT NULL,
    published_at timestamptz NOT NULL,
    PRIMARY KEY (framework, version)
);

CREATE TABLE ranked_lists (
    framework text NOT NULL,
    area text NOT NULL,
    tier smallint NOT NULL,
    list_version integer NOT NULL,
    issued_on date NOT NULL,
    live_from date NOT NULL,
    ranking uuid[] NOT NULL,
    published_at timestamptz NOT NULL,
    PRIMARY KEY (framework, area, tier, list_version)
);
"""

_NEWEST_DEFINITIONS = text(
    """
    SELECT DISTINCT ON (framework) CAST(definition AS text) FROM definitions
    WHERE framework = ANY(CAST(:frameworks AS text[])) ORDER BY framework, version DESC
    """
)
DEFINITION = text(
    """
    SELECT council, CAST(definition AS text), published_at FROM definitions
    WHERE framework = :framework AND version = :version
    """
)
FRAMEWORKS_OF_COUNCIL = text(
    """
    SELECT DISTINCT ON (framework) CAST(definition AS text), published_at FROM definitions
    WHERE council = :council ORDER BY framework, version DESC
    """
)
_ADD_DEFINITION = text(
    """
    INSERT INTO definitions (framework, version, council, definition, published_at)
    VALUES (:framework, :version, :council, CAST(:definition AS jsonb), :now)
    """
)
_NEWEST_LIST = text(
    """
    SELECT coalesce(max(list_version), 0) FROM ranked_lists
    WHERE framework = :framework AND area = :area AND tier = :tier
    """
)
_LIST_COLUMNS: Final = "framework, area, tier, list_version, issued_on, live_from, ranking"
_LIST = text(
    f"""
    SELECT {_LIST_COLUMNS} FROM ranked_lists
    WHERE framework = :framework AND area = :area AND tier = :tier AND list_version = :list_version
    """  # noqa: S608  our own columns
)
LISTS_OF_PLACE = text(
    f"""
    SELECT {_LIST_COLUMNS} FROM ranked_lists WHERE framework = :framework AND area = :area AND tier = :tier
    ORDER BY list_version DESC LIMIT :limit
    """  # noqa: S608  our own columns
)
_ADD_LIST = text(
    """
    INSERT INTO ranked_lists (framework, area, tier, list_version, issued_on, live_from, ranking, published_at)
    VALUES (:framework, :area, :tier, :list_version, :issued_on, :live_from, CAST(:ranking AS uuid[]), :now)
    """
)


class PostgresFrameworks:
    def __init__(self, work: PostgresUnitOfWork) -> None:
        self._work = work

    async def load_newest(self, frameworks: Iterable[FrameworkKey]) -> Definitions:
        return await load_newest_definitions(self._work, frameworks)

    async def load_version(self, framework: FrameworkKey, version: int) -> FrameworkDefinition | None:
        arguments = {"framework": framework, "version": version}
        row = (await self._work.execute(DEFINITION, arguments)).one_or_none()
        return None if row is None else to_definition(row)

    async def add(self, definition: FrameworkDefinition) -> None:
        arguments = {
            "framework": definition.framework,
            "version": definition.version,
            "council": definition.council,
            "definition": definition.model_dump_json(),
            "now": self._work.now,
        }
        self._work.write(_ADD_DEFINITION, arguments)

    async def get_newest_list_version(self, place: FrameworkPlace) -> int:
        found: int = (await self._work.execute(_NEWEST_LIST, to_place_row(place))).scalar_one()
        return found

    async def load_ranked_list(self, place: FrameworkPlace, list_version: int) -> RankedListPublished | None:
        arguments = {**to_place_row(place), "list_version": list_version}
        row = (await self._work.execute(_LIST, arguments)).one_or_none()
        return None if row is None else to_ranked_list(row)

    async def add_list(self, ranked: RankedListPublished) -> None:
        arguments = {
            **to_place_row(FrameworkPlace(ranked.framework, ranked.area, ranked.tier)),
            "list_version": ranked.list_version,
            "issued_on": ranked.issued_on,
            "live_from": ranked.live_from,
            "ranking": [each.provider_id for each in ranked.ranking],
            "now": self._work.now,
        }
        self._work.write(_ADD_LIST, arguments)


async def load_newest_definitions(reader: Reader, frameworks: Iterable[FrameworkKey]) -> Definitions:
    keys = sorted(set(frameworks))
    if not keys:
        return {}
    rows = await reader.execute(_NEWEST_DEFINITIONS, {"frameworks": keys})
    found = (to_definition(row) for row in rows)
    return {definition.framework: definition for definition in found}


def to_definition(row: Any) -> FrameworkDefinition:  # a row's attributes are its columns
    return FrameworkDefinition.model_validate_json(row.definition)


def to_ranked_list(row: Any) -> RankedListPublished:  # a row's attributes are its columns
    ranked = enumerate(row.ranking, start=1)
    return RankedListPublished(
        framework=FrameworkKey(row.framework),
        area=AreaCode(row.area),
        tier=Tier(row.tier),
        list_version=row.list_version,
        issued_on=row.issued_on,
        live_from=row.live_from,
        ranking=tuple(Candidate(provider_id=ProviderId(each), rank=rank) for rank, each in ranked),
    )
