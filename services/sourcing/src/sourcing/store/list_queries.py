"""Read-only queries of lists, each in its own transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from contracts.events.lists import ListRecipient, ListRowAdded
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import AreaCode, CouncilKey, ListId, ListingReference, PackageId, ProviderId
from service_runtime.postgres.database import Database
from service_runtime.projections.projections import ProjectionReader
from sourcing.domain.sent_list import SentList
from sourcing.ports import DEFINITIONS, ListDetails, ListRowDetails, RowOfList
from sourcing.store.lists import LIST_COLUMNS, parse_list
from sourcing.store.searches import SEARCH_COLUMNS, parse_search

_LIST = text(f"SELECT {LIST_COLUMNS}, council, issued_at FROM lists WHERE list_id = :list_id")  # noqa: S608  our own columns
_LISTS = text(
    f"""
    SELECT {LIST_COLUMNS}, council, issued_at FROM lists
    WHERE council = :council
      AND (CAST(:provider_id AS uuid) IS NULL OR EXISTS (
          SELECT 1 FROM list_recipients
          WHERE list_recipients.list_id = lists.list_id AND list_recipients.provider_id = :provider_id))
      AND (issued_at, list_id) < (coalesce(CAST(:after_at AS timestamptz), 'infinity'),
          coalesce(CAST(:after_id AS uuid), 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
    ORDER BY issued_at DESC, list_id DESC LIMIT :limit
    """  # noqa: S608  our own columns
)
_RECIPIENTS = text("SELECT provider_id, areas FROM list_recipients WHERE list_id = :list_id ORDER BY provider_id, part")
_ROWS = text(
    f"""
    SELECT CAST(added AS text), part, {SEARCH_COLUMNS}
    FROM list_rows JOIN searches USING (package_id, council)
    WHERE list_id = :list_id AND part IS NOT NULL ORDER BY position
    """  # noqa: S608  our own columns
)
_ROW = text("SELECT package_id, council FROM list_rows WHERE list_id = :list_id AND reference = :reference")


class PostgresListQueries:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def list_lists(
        self,
        council: CouncilKey,
        provider_id: ProviderId | None,
        *,
        after: tuple[datetime, UUID] | None,
        limit: int,
    ) -> Sequence[ListDetails]:
        at, row_id = after if after is not None else (None, None)
        arguments = {
            "council": council,
            "provider_id": provider_id,
            "after_at": at,
            "after_id": row_id,
            "limit": limit,
        }
        return [_parse_details(row) for row in await self._database.find(_LISTS, arguments)]

    async def find_list(self, list_id: ListId) -> ListDetails | None:
        rows = await self._database.find(_LIST, {"list_id": list_id})
        return _parse_details(rows[0]) if rows else None

    async def list_recipients(self, list_id: ListId) -> Sequence[ListRecipient]:
        found: dict[ProviderId, tuple[AreaCode, ...]] = {}
        for row in await self._database.find(_RECIPIENTS, {"list_id": list_id}):
            provider = ProviderId(row.provider_id)
            found[provider] = tuple(dict.fromkeys((*found.get(provider, ()), *map(AreaCode, row.areas))))
        return [ListRecipient(provider_id=provider, areas=areas) for provider, areas in found.items()]

    async def list_rows(self, list_id: ListId) -> Sequence[ListRowDetails]:
        rows = await self._database.find(_ROWS, {"list_id": list_id})
        return [_parse_row(row) for row in rows]

    async def find_row(self, list_id: ListId, reference: ListingReference) -> RowOfList | None:
        rows = await self._database.find(_ROW, {"list_id": list_id, "reference": reference})
        return RowOfList(list_id, PackageId(rows[0].package_id), CouncilKey(rows[0].council)) if rows else None

    async def find_definition(self, sent: SentList) -> FrameworkDefinition | None:
        async with self._database.open_read_connection() as connection:
            entry = await ProjectionReader(connection).get(DEFINITIONS, sent.framework)
        return None if entry is None else entry.event.definition


def _parse_details(row: Any) -> ListDetails:  # a row's attributes are its columns
    sent = parse_list(row)
    assert sent is not None, "the row is one of a list"
    return ListDetails(sent, CouncilKey(row.council), row.issued_at)


def _parse_row(row: Any) -> ListRowDetails:  # a row's attributes are its columns
    return ListRowDetails(ListRowAdded.model_validate_json(row.added), row.part, parse_search(row))
