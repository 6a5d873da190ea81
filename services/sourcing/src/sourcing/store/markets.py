"""The views, read for one search."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from contracts.events.frameworks import RankedListPublished, ranked_list_key
from contracts.events.packages import ViewUse
from contracts.events.providers import ProviderEmbargoed
from contracts.events.rates import rates_key
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
from sourcing.domain.market import Market, ProviderFacts
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
    def __init__(self, connection: Connection, views: ProjectionReader) -> None:
        self._connection = connection
        self._views = views

    async def read(self, care: Care, search: Search | None, *, at: datetime, about: ProviderId | None = None) -> Market:
        if search is not None and search.live_offer is not None:
            return await self._of_one(care, search, search.live_offer.provider_id)
        said = await self._framework(care, search)
        definition = _definition(care, search, said)
        if definition is None:
            return Market()
        started = search.started_at if search is not None and search.started_at is not None else at
        lists = _lists(definition, list_entries(RANKED_LIST_VERSIONS, said), started=started, at=at)
        providers = {*_providers(search, lists), *(() if about is None else (about,))}
        return Market(definition, lists, await self._facts(care, sorted(providers)))

    async def _of_one(self, care: Care, search: Search, provider: ProviderId) -> Market:
        """While an offer is live nobody else's turn can come: its end is followed up in a step of its own.

        Nor does capacity count any more, the provider knows best what it can take on. So one round trip is enough.
        """
        pinned = f"{care.framework}/{search.definition_version}"
        said = await self._views.read([(DEFINITION_VERSIONS, pinned), *_wanted(care, provider)])
        definition = find_entry(DEFINITION_VERSIONS, said, pinned)
        if definition is None:
            return Market()
        return Market(definition.event.definition, facts={provider: _facts_of(provider, care, said, None)})

    async def _framework(self, care: Care, search: Search | None) -> Mapping[tuple[str, str], ProjectionRow]:
        """Definition and lists. The newest ones are only looked at: a search that has to be held waits for the next."""
        newest: list[tuple[Projection[Any], str]] = [
            (DEFINITIONS, care.framework),
            *((RANKED_LISTS, ranked_list_key(care.framework, care.area, tier)) for tier in Tier),
        ]
        version = None if search is None else search.definition_version
        pinned = [] if version is None else [(DEFINITION_VERSIONS, f"{care.framework}/{version}")]
        every_list = (RANKED_LIST_VERSIONS, f"{care.framework}/{care.area}/")
        return await self._views.read([*newest, *pinned], under=[every_list])

    async def _facts(self, care: Care, providers: Sequence[ProviderId]) -> Mapping[ProviderId, ProviderFacts]:
        said = await self._views.read(each for provider in providers for each in _wanted(care, provider))
        free = await self._free_hours(care, providers, said)
        return {provider: _facts_of(provider, care, said, free.get(provider)) for provider in providers}

    async def _free_hours(
        self, care: Care, providers: Sequence[ProviderId], said: Mapping[tuple[str, str], ProjectionRow]
    ) -> Mapping[ProviderId, Decimal]:
        """Declared free hours less what was placed since; providers that never declared any are not in it."""
        known = {provider: find_entry(CAPACITY, said, f"{provider}/{care.area}") for provider in providers}
        declared = {provider: each.event for provider, each in known.items() if each is not None}
        if not declared:
            return {}
        rows = await self._connection.execute(
            PLACED_SINCE,
            {
                "providers": list(declared),
                "since": [each.declared_at for each in declared.values()],
                "area": care.area,
            },
        )
        placed = {ProviderId(row.provider_id): row.hours for row in rows}
        return {provider: each.free_hours - placed.get(provider, Decimal(0)) for provider, each in declared.items()}


def _definition(
    care: Care, search: Search | None, said: Mapping[tuple[str, str], ProjectionRow]
) -> FrameworkDefinition | None:
    """The version that the search is bound to; the one in force while it is bound to none."""
    version = search.definition_version if search is not None else None
    if version is None:
        known = find_entry(DEFINITIONS, said, care.framework)
    else:
        known = find_entry(DEFINITION_VERSIONS, said, f"{care.framework}/{version}")
    return None if known is None else known.event.definition


def _lists(
    definition: FrameworkDefinition,
    known: Iterable[ProjectionEntry[RankedListPublished]],
    *,
    started: datetime,
    at: datetime,
) -> Mapping[Tier, RankedListPublished]:
    """By tier the newest list that was live on the day on which the search started.

    A tier that had none then has waited for its first one, which has gone live since.
    """
    lists = [each.event for each in known]
    timezone = ZoneInfo(definition.brokerage.timezone)
    return {
        **_first_live(lists, on=at.astimezone(timezone).date()),
        **_newest_live(lists, on=started.astimezone(timezone).date()),
    }


def _wanted(care: Care, provider: ProviderId) -> list[tuple[Projection[Any], str]]:
    """What is read of one provider; views of different events have no narrower common type."""
    own = str(provider)
    return [
        (ELIGIBILITY, own),
        (CHANNELS, own),
        (EMBARGOES, own),
        (CAPACITY, f"{own}/{care.area}"),
        (RATES, rates_key(provider, care.framework, care.area)),
    ]


def _newest_live(lists: Iterable[RankedListPublished], *, on: date) -> Mapping[Tier, RankedListPublished]:
    live = (each for each in lists if each.live_from <= on)
    return {each.tier: each for each in sorted(live, key=lambda each: each.list_version)}


def _first_live(lists: Iterable[RankedListPublished], *, on: date) -> Mapping[Tier, RankedListPublished]:
    """Those of the earliest day; of two that went live on it the newer one."""
    live = (each for each in lists if each.live_from <= on)
    earliest_last = sorted(live, key=lambda each: (-each.live_from.toordinal(), each.list_version))
    return {each.tier: each for each in earliest_last}


def _providers(search: Search | None, lists: Mapping[Tier, RankedListPublished]) -> list[ProviderId]:
    """Whose facts can matter: those whose turn is still to come, and those who have proposed."""
    providers = {each.provider_id for each in lists.values() for each in each.ranking}
    if search is not None and search.stage is not None:
        providers |= {each.provider_id for each in search.stage.untried}
    if search is not None and search.listing is not None:
        providers |= {each.provider_id for each in search.listing.proposals}
    return sorted(providers)


def _facts_of(
    provider: ProviderId, care: Care, said: Mapping[tuple[str, str], ProjectionRow], free: Decimal | None
) -> ProviderFacts:
    key = str(provider)
    eligibility, channels = find_entry(ELIGIBILITY, said, key), find_entry(CHANNELS, said, key)
    embargo, capacity = find_entry(EMBARGOES, said, key), find_entry(CAPACITY, said, f"{provider}/{care.area}")
    rates = find_entry(RATES, said, rates_key(provider, care.framework, care.area))
    return ProviderFacts(
        provider_id=provider,
        eligibility=eligibility.event if eligibility else None,
        channels=channels.event.channels if channels else None,
        embargoed=embargo is not None and isinstance(embargo.event, ProviderEmbargoed),
        free_hours=free,
        rates=rates.event if rates else None,
        views=tuple(_uses((eligibility, channels, embargo, capacity, rates))),
    )


def _uses(entries: Iterable[ProjectionEntry[Any] | None]) -> Iterable[ViewUse]:  # entries of different events
    return (ViewUse(view=each.view, key=each.key, sequence=each.sequence) for each in entries if each is not None)
