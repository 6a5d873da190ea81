"""Read-only queries of searches, each in its own transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from contracts.catalogue import BY_TYPE, PACKAGES, decode
from contracts.events.base import PackageEvent
from contracts.events.providers import EligibilityChanged
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import AreaCode, CouncilKey, FrameworkKey, ListingReference, OfferId, PackageId, ProviderId
from contracts.values import Care, ListReach
from service_runtime.postgres.database import Database
from service_runtime.projections.projections import ProjectionReader
from sourcing.domain.calendar import add_proclaimed_holidays
from sourcing.domain.market import ProviderFacts
from sourcing.domain.search import Search
from sourcing.ports import (
    DEFINITION_VERSIONS,
    DEFINITIONS,
    ELIGIBILITY,
    JournalRecord,
    OfferDetails,
    OfferPlace,
    SearchDetails,
    WorkFilter,
    WorkListEntry,
)
from sourcing.store.columns import parse_json
from sourcing.store.offer_index import OfferIndex
from sourcing.store.offers import parse_offer
from sourcing.store.searches import SEARCH_COLUMNS, SEARCH_OF_PACKAGE, parse_search
from sourcing.store.work_items import parse_work_item

_OFFER_COLUMNS: Final = """
    CAST(row_to_json(offers) AS text) AS offer, offers.package_id, council, CAST(care AS text)
    FROM offers JOIN searches USING (package_id)
"""
_OFFER = text(f"SELECT {_OFFER_COLUMNS} WHERE offer_id = :offer_id")
_OFFERS_OF_PROVIDER = text(
    f"""
    SELECT {_OFFER_COLUMNS}
    WHERE offers.provider_id = :provider_id AND council = :council
      AND (NOT CAST(:only_live AS boolean) OR offers.status IN ('made', 'delivered'))
      AND (made_at, offer_id) < (coalesce(CAST(:after_at AS timestamptz), 'infinity'),
          coalesce(CAST(:after_id AS uuid), 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
    ORDER BY made_at DESC, offer_id DESC LIMIT :limit
    """
)
_WORK_LIST = text(
    """
    SELECT item_id, work_items.package_id, kind, since, due_at, CAST(details AS text) AS details,
           work_items.framework, work_items.area, work_items.officer,
           coalesce(listing ->> 'stage', searches.stage) AS stage, CAST(wishes -> 'preferred' AS text) AS preferred
    FROM work_items JOIN searches USING (package_id)
    WHERE work_items.council = :council
      AND work_items.area = coalesce(CAST(:area AS text), work_items.area)
      AND work_items.framework = coalesce(CAST(:framework AS text), work_items.framework)
      AND (CAST(:officer AS text) IS NULL OR work_items.officer = CAST(:officer AS text))
      AND (due_at, item_id) > (coalesce(CAST(:after_at AS timestamptz), '-infinity'),
          coalesce(CAST(:after_id AS uuid), '00000000-0000-0000-0000-000000000000'))
    ORDER BY due_at, item_id LIMIT :limit
    """
)
_LISTED = text(
    f"""
    SELECT {SEARCH_COLUMNS} FROM searches
    WHERE listing_reference = :reference
       OR package_id = (SELECT package_id FROM list_rows WHERE list_rows.reference = :reference
                        AND added ->> 'kind' = 'available-packages')
    """  # noqa: S608  our own columns
)
_OPEN_PACKAGES = text(
    f"""
    SELECT {SEARCH_COLUMNS} FROM searches
    WHERE council = :council AND searches.status = 'listed'
      AND (listing ->> 'opens_at' IS NULL OR listing ->> 'list_id' IS NOT NULL)
      AND CASE listing ->> 'reach' WHEN 'council'
          THEN (CAST(listing ->> 'members' AS boolean) AND care ->> 'framework' = ANY(CAST(:frameworks AS text[])))
               OR (CAST(listing ->> 'spot' AS boolean) AND care ->> 'framework' = ANY(CAST(:spot_frameworks AS text[])))
          ELSE (CAST(listing ->> 'members' AS boolean) AND care ->> 'framework' || '/' || (care ->> 'lot') || '/'
                   || (care ->> 'area') = ANY(CAST(:places AS text[])))
               OR (CAST(listing ->> 'spot' AS boolean) AND care ->> 'area' = ANY(CAST(:spot_areas AS text[])))
          END
      AND (listed_at, listing_reference) < (coalesce(CAST(:after_at AS timestamptz), 'infinity'),
          coalesce(CAST(:after_id AS uuid), 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
    ORDER BY listed_at DESC, listing_reference DESC LIMIT :limit
    """  # noqa: S608  our own columns
)
_JOURNAL = text(
    """
    SELECT type, version, occurred_at, actor, cause, hash, payload FROM journal
    WHERE topic = :topic AND key = :key ORDER BY version
    """
)
_ARCHIVED = text(
    """
    SELECT version - (SELECT count(*) FROM journal WHERE topic = :topic AND key = :key) AS number
    FROM streams WHERE topic = :topic AND key = :key
    """
)


class PostgresSearchQueries:
    def __init__(self, database: Database, offer_index: OfferIndex) -> None:
        self._database = database
        self._offer_index = offer_index

    async def find_offer(self, offer_id: OfferId) -> OfferDetails | None:
        rows = await self._database.find(_OFFER, {"offer_id": offer_id})
        return _parse_offer_details(rows[0]) if rows else None

    async def find_offer_place(self, offer_id: OfferId) -> OfferPlace | None:
        place = self._offer_index.get(offer_id)
        if place is not None:
            return place
        details = await self.find_offer(offer_id)
        return None if details is None else OfferPlace(details.package_id, details.offer.provider_id, details.council)

    async def list_offers(
        self,
        provider_id: ProviderId,
        council: CouncilKey,
        *,
        only_live: bool,
        after: tuple[datetime, UUID] | None,
        limit: int,
    ) -> Sequence[OfferDetails]:
        at, row_id = after if after is not None else (None, None)
        arguments = {
            "provider_id": provider_id,
            "council": council,
            "only_live": only_live,
            "after_at": at,
            "after_id": row_id,
            "limit": limit,
        }
        return [_parse_offer_details(row) for row in await self._database.find(_OFFERS_OF_PROVIDER, arguments)]

    async def find_search(self, package_id: PackageId) -> SearchDetails | None:
        rows = await self._database.find(SEARCH_OF_PACKAGE, {"package_id": package_id})
        return SearchDetails(parse_search(rows[0]), CouncilKey(rows[0].council)) if rows else None

    async def find_definition(self, search: Search) -> FrameworkDefinition | None:
        pinned = f"{search.care.framework}/{search.definition_version}"
        async with self._database.open_read_connection() as connection:
            reader = ProjectionReader(connection)
            entry = await reader.get(DEFINITION_VERSIONS, pinned)
            newest = await reader.get(DEFINITIONS, search.care.framework)
        if entry is None or newest is None:
            return entry.event.definition if entry is not None else None
        return add_proclaimed_holidays(entry.event.definition, newest.event.definition)

    async def find_listed_search(self, reference: ListingReference) -> SearchDetails | None:
        rows = await self._database.find(_LISTED, {"reference": reference})
        return SearchDetails(parse_search(rows[0]), CouncilKey(rows[0].council)) if rows else None

    async def list_open_packages(
        self, provider_id: ProviderId, council: CouncilKey, *, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[Search]:
        at, row_id = after if after is not None else (None, None)
        eligibility = await self._find_eligibility(provider_id)
        if eligibility is None:
            return []
        arguments = {
            "council": council,
            "places": [f"{place.framework}/{place.lot}/{place.area}" for place in eligibility.places],
            "frameworks": sorted({place.framework for place in eligibility.places}),
            "spot_areas": list(eligibility.spot_areas),
            "spot_frameworks": await self._list_frameworks_of_areas(eligibility.spot_areas),
            "after_at": at,
            "after_id": row_id,
            "limit": limit,
        }
        return [parse_search(row) for row in await self._database.find(_OPEN_PACKAGES, arguments)]

    async def is_open_to(self, provider_id: ProviderId, details: SearchDetails) -> bool:
        facts = ProviderFacts(provider_id, await self._find_eligibility(provider_id), channels=None)
        care, listing = details.search.care, details.search.listing
        if listing is None:
            return False
        if listing.reach is ListReach.COUNCIL:
            is_spot = care.framework in await self._list_frameworks_of_areas(facts.spot_areas)
            return (listing.spot and is_spot) or (listing.members and facts.is_member_of_framework(care.framework))
        is_spot = listing.spot and facts.is_spot_provider_in(care.area)
        return is_spot or (listing.members and facts.is_member_of(care.framework, care.lot, care.area))

    async def _list_frameworks_of_areas(self, areas: Sequence[AreaCode]) -> list[FrameworkKey]:
        """List the frameworks that have one of the areas, by the newest version of each."""
        if not areas:
            return []
        async with self._database.open_read_connection() as connection:
            entries = await ProjectionReader(connection).get_by_prefix(DEFINITIONS, "")
        definitions = [entry.event.definition for entry in entries]
        return [each.framework for each in definitions if any(each.has_area(area) for area in areas)]

    async def _find_eligibility(self, provider_id: ProviderId) -> EligibilityChanged | None:
        async with self._database.open_read_connection() as connection:
            entry = await ProjectionReader(connection).get(ELIGIBILITY, str(provider_id))
        return entry.event if entry is not None else None

    async def list_work(
        self, council: CouncilKey, filters: WorkFilter, *, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[WorkListEntry]:
        at, row_id = after if after is not None else (None, None)
        arguments = {
            "council": council,
            "area": filters.area,
            "framework": filters.framework,
            "officer": filters.officer,
            "after_at": at,
            "after_id": row_id,
            "limit": limit,
        }
        return [_parse_work_list_entry(row) for row in await self._database.find(_WORK_LIST, arguments)]

    async def count_archived_events(self, package_id: PackageId) -> int:
        rows = await self._database.find(_ARCHIVED, {"topic": PACKAGES, "key": str(package_id)})
        return rows[0].number if rows else 0

    async def load_journal(self, package_id: PackageId) -> Sequence[JournalRecord]:
        rows = await self._database.find(_JOURNAL, {"topic": PACKAGES, "key": str(package_id)})
        return [_parse_journal_record(row) for row in rows]


def _parse_offer_details(row: Any) -> OfferDetails:  # a row's attributes are its columns
    return OfferDetails(
        parse_offer(parse_json(row.offer)),
        PackageId(row.package_id),
        CouncilKey(row.council),
        Care.model_validate_json(row.care),
    )


def _parse_journal_record(row: Any) -> JournalRecord:  # a row's attributes are its columns
    event = decode(BY_TYPE[row.type].event, row.payload)
    assert isinstance(event, PackageEvent), "the stream of a package has events of packages only"
    return JournalRecord(event, row.version, row.occurred_at, row.actor, row.cause, row.hash)


def _parse_work_list_entry(row: Any) -> WorkListEntry:  # a row's attributes are its columns
    return WorkListEntry(
        item_id=row.item_id,
        package_id=PackageId(row.package_id),
        item=parse_work_item(row),
        since=row.since,
        due=row.due_at,
        framework=FrameworkKey(row.framework),
        area=AreaCode(row.area),
        stage=row.stage,
        officer=row.officer,
        preferred=tuple(ProviderId(UUID(provider)) for provider in parse_json(row.preferred) or ()),
    )
