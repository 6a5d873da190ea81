"""Reads the market of one search from the projections."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from contracts.events.base import ProjectionVersion
from contracts.events.frameworks import RankedListPublished, make_ranked_list_key
from contracts.events.providers import ProviderEmbargoed
from contracts.events.rates import make_rates_key
from contracts.framework import FrameworkDefinition
from contracts.ids import ProviderId
from contracts.values import Care, Tier
from service_runtime.postgres.database import Connection
from service_runtime.projections.projections import (
    Projection,
    ProjectionEntry,
    ProjectionReader,
    ProjectionRow,
    find_entry,
    list_entries,
)
from sourcing.domain.market import MarketSnapshot, ProviderFacts
from sourcing.domain.search import Search
from sourcing.ports import (
    CAPACITY,
    CHANNELS,
    DEFINITION_VERSIONS,
    DEFINITIONS,
    ELIGIBILITY,
    EMBARGOES,
    RANKED_LIST_VERSIONS,
    RANKED_LISTS,
    RATES,
)
from sourcing.store.placements import PLACED_SINCE


class PostgresMarkets:
    def __init__(self, connection: Connection, projections: ProjectionReader) -> None:
        self._connection = connection
        self._projections = projections

    async def read(
        self, care: Care, search: Search | None, *, at: datetime, provider_id: ProviderId | None = None
    ) -> MarketSnapshot:
        if search is not None and search.live_offer is not None:
            return await self._read_live_offer_market(care, search, search.live_offer.provider_id)
        rows = await self._read_framework(care, search)
        definition = _find_definition(care, search, rows)
        if definition is None:
            return MarketSnapshot()
        started = search.started_at if search is not None and search.started_at is not None else at
        lists = _find_ranked_lists(definition, list_entries(RANKED_LIST_VERSIONS, rows), started=started, at=at)
        providers = {*_list_providers(search, lists), *(() if provider_id is None else (provider_id,))}
        return MarketSnapshot(definition, lists, await self._read_facts(care, sorted(providers)))

    async def _read_live_offer_market(self, care: Care, search: Search, provider: ProviderId) -> MarketSnapshot:
        """Read only the provider of the live offer, in one round trip.

        No other provider can get an offer in this step, because the end of the offer is followed by a step of its own.
        Capacity no longer counts, because the provider knows best what it can take on.
        """
        pinned = f"{care.framework}/{search.definition_version}"
        rows = await self._projections.read([(DEFINITION_VERSIONS, pinned), *_list_provider_keys(care, provider)])
        definition = find_entry(DEFINITION_VERSIONS, rows, pinned)
        if definition is None:
            return MarketSnapshot()
        return MarketSnapshot(definition.event.definition, facts={provider: _build_facts(provider, care, rows, None)})

    async def _read_framework(self, care: Care, search: Search | None) -> Mapping[tuple[str, str], ProjectionRow]:
        """Read the definition and lists; also the newest ones, because a held search waits for their next version."""
        newest: list[tuple[Projection[Any], str]] = [
            (DEFINITIONS, care.framework),
            *((RANKED_LISTS, make_ranked_list_key(care.framework, care.area, tier)) for tier in Tier),
        ]
        version = None if search is None else search.definition_version
        pinned = [] if version is None else [(DEFINITION_VERSIONS, f"{care.framework}/{version}")]
        every_list = (RANKED_LIST_VERSIONS, f"{care.framework}/{care.area}/")
        return await self._projections.read([*newest, *pinned], prefixes=[every_list])

    async def _read_facts(self, care: Care, providers: Sequence[ProviderId]) -> Mapping[ProviderId, ProviderFacts]:
        rows = await self._projections.read(
            key for provider in providers for key in _list_provider_keys(care, provider)
        )
        free = await self._read_free_hours(care, providers, rows)
        return {provider: _build_facts(provider, care, rows, free.get(provider)) for provider in providers}

    async def _read_free_hours(
        self, care: Care, providers: Sequence[ProviderId], rows: Mapping[tuple[str, str], ProjectionRow]
    ) -> Mapping[ProviderId, Decimal]:
        """Compute declared free hours less the hours placed since; providers that declared none are left out."""
        entries = {provider: find_entry(CAPACITY, rows, f"{provider}/{care.area}") for provider in providers}
        declared = {provider: entry.event for provider, entry in entries.items() if entry is not None}
        if not declared:
            return {}
        placed_rows = await self._connection.execute(
            PLACED_SINCE,
            {
                "providers": list(declared),
                "since": [event.declared_at for event in declared.values()],
                "area": care.area,
            },
        )
        placed = {ProviderId(row.provider_id): row.hours for row in placed_rows}
        return {provider: event.free_hours - placed.get(provider, Decimal(0)) for provider, event in declared.items()}


def _find_definition(
    care: Care, search: Search | None, rows: Mapping[tuple[str, str], ProjectionRow]
) -> FrameworkDefinition | None:
    """Find the version that the search is bound to; the one in force while it is not bound."""
    version = search.definition_version if search is not None else None
    if version is None:
        entry = find_entry(DEFINITIONS, rows, care.framework)
    else:
        entry = find_entry(DEFINITION_VERSIONS, rows, f"{care.framework}/{version}")
    return None if entry is None else entry.event.definition


def _find_ranked_lists(
    definition: FrameworkDefinition,
    entries: Iterable[ProjectionEntry[RankedListPublished]],
    *,
    started: datetime,
    at: datetime,
) -> Mapping[Tier, RankedListPublished]:
    """Find, by tier, the newest list that was live on the day on which the search started.

    A tier without a list on that day gets the first list that went live later.
    """
    lists = [entry.event for entry in entries]
    timezone = ZoneInfo(definition.brokerage.timezone)
    return {
        **_find_first_live(lists, on=at.astimezone(timezone).date()),
        **_find_newest_live(lists, on=started.astimezone(timezone).date()),
    }


def _list_provider_keys(care: Care, provider: ProviderId) -> list[tuple[Projection[Any], str]]:
    """List the keys to read for one provider (Any: projections of different events have no common type)."""
    own = str(provider)
    return [
        (ELIGIBILITY, own),
        (CHANNELS, own),
        (EMBARGOES, own),
        (CAPACITY, f"{own}/{care.area}"),
        (RATES, make_rates_key(provider, care.framework, care.area)),
    ]


def _find_newest_live(lists: Iterable[RankedListPublished], *, on: date) -> Mapping[Tier, RankedListPublished]:
    live = (ranked for ranked in lists if ranked.live_from <= on)
    return {ranked.tier: ranked for ranked in sorted(live, key=lambda ranked: ranked.list_version)}


def _find_first_live(lists: Iterable[RankedListPublished], *, on: date) -> Mapping[Tier, RankedListPublished]:
    """Find, by tier, the list that went live first; of two on the same day, the newer one."""
    live = (ranked for ranked in lists if ranked.live_from <= on)
    earliest_last = sorted(live, key=lambda ranked: (-ranked.live_from.toordinal(), ranked.list_version))
    return {ranked.tier: ranked for ranked in earliest_last}


def _list_providers(search: Search | None, lists: Mapping[Tier, RankedListPublished]) -> list[ProviderId]:
    """List the providers whose facts can matter: candidates whose turn is still to come, and those that proposed."""
    providers = {candidate.provider_id for ranked in lists.values() for candidate in ranked.ranking}
    if search is not None and search.stage is not None:
        providers |= {candidate.provider_id for candidate in search.stage.untried}
    if search is not None and search.listing is not None:
        providers |= {proposal.provider_id for proposal in search.listing.proposals}
    return sorted(providers)


def _build_facts(
    provider: ProviderId, care: Care, rows: Mapping[tuple[str, str], ProjectionRow], free: Decimal | None
) -> ProviderFacts:
    key = str(provider)
    eligibility, channels = find_entry(ELIGIBILITY, rows, key), find_entry(CHANNELS, rows, key)
    embargo, capacity = find_entry(EMBARGOES, rows, key), find_entry(CAPACITY, rows, f"{provider}/{care.area}")
    rates = find_entry(RATES, rows, make_rates_key(provider, care.framework, care.area))
    return ProviderFacts(
        provider_id=provider,
        eligibility=eligibility.event if eligibility else None,
        channels=channels.event.channels if channels else None,
        embargoed=embargo is not None and isinstance(embargo.event, ProviderEmbargoed),
        free_hours=free,
        rates=rates.event if rates else None,
        projection_uses=tuple(_list_projection_uses((eligibility, channels, embargo, capacity, rates))),
    )


def _list_projection_uses(
    entries: Iterable[ProjectionEntry[Any] | None],
) -> Iterable[ProjectionVersion]:  # entries of different events
    return (
        ProjectionVersion(view=entry.view, key=entry.key, sequence=entry.sequence)
        for entry in entries
        if entry is not None
    )
