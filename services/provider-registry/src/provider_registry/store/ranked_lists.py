"""Ranked lists in PostgreSQL."""

from typing import Any, Final

from sqlalchemy import text

from contracts.events.frameworks import Candidate, RankedListPublished
from contracts.ids import AreaCode, FrameworkKey, GroupKey, LotKey, ProviderId, TierKey
from provider_registry.domain.places import FrameworkPlace, ListScope
from provider_registry.store.places import to_place_row
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork

# `list_group` is empty for a list of all packages: a column of a primary key cannot be null.
TABLES: Final = """
CREATE TABLE ranked_lists (
    framework text NOT NULL,
    lot text NOT NULL,
    area text NOT NULL,
    tier text NOT NULL,
    list_group text NOT NULL,
    list_version integer NOT NULL,
    issued_on date NOT NULL,
    live_from date NOT NULL,
    ranking uuid[] NOT NULL,
    published_at timestamptz NOT NULL,
    PRIMARY KEY (framework, lot, area, tier, list_group, list_version)
);
"""

_OF_SCOPE: Final = """
    framework = :framework AND lot = :lot AND area = :area AND tier = :tier AND list_group = :list_group
"""
_NEWEST_LIST = text(
    f"SELECT coalesce(max(list_version), 0) FROM ranked_lists WHERE {_OF_SCOPE}"  # noqa: S608  our own columns
)
_LIST_COLUMNS: Final = "framework, lot, area, tier, list_group, list_version, issued_on, live_from, ranking"
_LIST = text(
    f"""
    SELECT {_LIST_COLUMNS} FROM ranked_lists WHERE {_OF_SCOPE} AND list_version = :list_version
    """  # noqa: S608  our own columns
)
LISTS_OF_SCOPE = text(
    f"""
    SELECT {_LIST_COLUMNS} FROM ranked_lists WHERE {_OF_SCOPE} ORDER BY list_version DESC LIMIT :limit
    """  # noqa: S608  our own columns
)
_ADD_LIST = text(
    """
    INSERT INTO ranked_lists (framework, lot, area, tier, list_group, list_version, issued_on, live_from, ranking,
                              published_at)
    VALUES (:framework, :lot, :area, :tier, :list_group, :list_version, :issued_on, :live_from,
            CAST(:ranking AS uuid[]), :now)
    """
)


class PostgresRankedLists:
    """Repository of ranked lists."""

    def __init__(self, work: PostgresUnitOfWork) -> None:
        self._work = work

    async def get_newest_list_version(self, scope: ListScope) -> int:
        found: int = (await self._work.execute(_NEWEST_LIST, to_scope_row(scope))).scalar_one()
        return found

    async def load_ranked_list(self, scope: ListScope, list_version: int) -> RankedListPublished | None:
        arguments = {**to_scope_row(scope), "list_version": list_version}
        row = (await self._work.execute(_LIST, arguments)).one_or_none()
        return None if row is None else to_ranked_list(row)

    async def add_list(self, ranked: RankedListPublished) -> None:
        place = FrameworkPlace(ranked.framework, ranked.lot, ranked.area, ranked.tier)
        arguments = {
            **to_scope_row(ListScope(place, ranked.group)),
            "list_version": ranked.list_version,
            "issued_on": ranked.issued_on,
            "live_from": ranked.live_from,
            "ranking": [each.provider_id for each in ranked.ranking],
            "now": self._work.now,
        }
        self._work.write(_ADD_LIST, arguments)


def to_scope_row(scope: ListScope) -> dict[str, object]:
    return {**to_place_row(scope.place), "list_group": scope.group or ""}


def to_ranked_list(row: Any) -> RankedListPublished:  # a row's attributes are its columns
    ranked = enumerate(row.ranking, start=1)
    return RankedListPublished(
        framework=FrameworkKey(row.framework),
        lot=LotKey(row.lot),
        area=AreaCode(row.area),
        tier=TierKey(row.tier),
        group=GroupKey(row.list_group) if row.list_group else None,
        list_version=row.list_version,
        issued_on=row.issued_on,
        live_from=row.live_from,
        ranking=tuple(Candidate(provider_id=ProviderId(each), rank=rank) for rank, each in ranked),
    )
