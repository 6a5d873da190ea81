"""Read-only queries of competitions, each in its own transaction. A competition is read with its whole search."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import TextClause, text

from contracts.ids import CompetitionId, CouncilKey, ProviderId
from service_runtime.postgres.database import Database
from service_runtime.webhooks.secret_box import SecretBox
from sourcing.ports import SearchDetails
from sourcing.store.competitions import TextReader
from sourcing.store.searches import SEARCH_COLUMNS, parse_search

_COMPETITION = text(
    f"""
    SELECT {SEARCH_COLUMNS} FROM searches
    WHERE package_id = (SELECT package_id FROM competitions WHERE competition_id = :competition_id)
    """  # noqa: S608  our own columns
)
_AFTER: Final = """
    (opened_at, competition_id) < (coalesce(CAST(:after_at AS timestamptz), 'infinity'),
          coalesce(CAST(:after_id AS uuid), 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
    ORDER BY opened_at DESC, competition_id DESC LIMIT :limit
"""
_OF_PROVIDER = text(
    f"""
    SELECT {SEARCH_COLUMNS}, found.competition_id FROM searches JOIN (
        SELECT package_id, opened_at, competition_id FROM competitions
        WHERE invited @> ARRAY[CAST(:provider_id AS uuid)] AND council = :council
          AND (NOT CAST(:only_open AS boolean) OR status = 'open') AND {_AFTER}
    ) AS found USING (package_id) ORDER BY opened_at DESC, competition_id DESC
    """  # noqa: S608  our own columns
)
_UNDER_WAY = text(
    f"""
    SELECT {SEARCH_COLUMNS}, found.competition_id FROM searches JOIN (
        SELECT package_id, opened_at, competition_id FROM competitions
        WHERE council = :council AND status IN ('open', 'closed') AND {_AFTER}
    ) AS found USING (package_id) ORDER BY opened_at DESC, competition_id DESC
    """  # noqa: S608  our own columns
)


class PostgresCompetitionQueries:
    def __init__(self, database: Database, secret_box: SecretBox) -> None:
        self._database = database
        self._secret_box = secret_box

    async def find_search(self, competition_id: CompetitionId) -> SearchDetails | None:
        rows = await self._database.find(_COMPETITION, {"competition_id": competition_id})
        return SearchDetails(parse_search(rows[0]), CouncilKey(rows[0].council)) if rows else None

    async def list_of_provider(
        self,
        provider_id: ProviderId,
        council: CouncilKey,
        *,
        only_open: bool,
        after: tuple[datetime, UUID] | None,
        limit: int,
    ) -> Sequence[tuple[CompetitionId, SearchDetails]]:
        arguments: dict[str, object] = {"provider_id": provider_id, "only_open": only_open}
        return await self._list(_OF_PROVIDER, council, arguments, after=after, limit=limit)

    async def list_under_way(
        self, council: CouncilKey, *, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[tuple[CompetitionId, SearchDetails]]:
        return await self._list(_UNDER_WAY, council, {}, after=after, limit=limit)

    async def find_texts(self, ids: Sequence[UUID]) -> Mapping[UUID, str]:
        async with self._database.open_read_connection() as connection:
            return await TextReader(connection, self._secret_box).find(ids)

    async def _list(
        self,
        statement: TextClause,
        council: CouncilKey,
        arguments: Mapping[str, object],
        *,
        after: tuple[datetime, UUID] | None,
        limit: int,
    ) -> Sequence[tuple[CompetitionId, SearchDetails]]:
        at, row_id = after if after is not None else (None, None)
        values = {**arguments, "council": council, "after_at": at, "after_id": row_id, "limit": limit}
        rows = await self._database.find(statement, values)
        return [
            (CompetitionId(row.competition_id), SearchDetails(parse_search(row), CouncilKey(row.council)))
            for row in rows
        ]
