"""Reads the market of one search from the projections."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo

from contracts.events.base import ProjectionVersion
from contracts.events.frameworks import RankedListPublished, make_ranked_list_key
from contracts.events.providers import CapacityDeclared, ProviderEmbargoed
from contracts.events.rates import make_rates_key
from contracts.framework import FrameworkDefinition
from contracts.ids import ProviderId
from contracts.values import Care, Tier
from service_runtime.projections.memory import ProjectionSnapshot
from service_runtime.projections.projections import (
    Projection,
    ProjectionEntry,
    ProjectionRow,
    find_entry,
    list_entries,
)
from sourcing.domain.calendar import add_proclaimed_holidays
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
from sourcing.store.placements import PlacedHours

ValueT = TypeVar("ValueT")


@dataclass(frozen=True)
class _Compiled(Generic[ValueT]):
    """A value made of projections' entries, and the sequences at which they were read."""

    value: ValueT
    seen: Mapping[tuple[str, str], int]


@dataclass(frozen=True)
class _Framework:
    """The definition of a search, and all lists of its area."""

    definition: FrameworkDefinition | None
    lists: tuple[RankedListPublished, ...]


class ProjectedMarkets:
    """Reads the projections from memory; what is made of them is kept until one of them changes."""

    def __init__(self, projections: ProjectionSnapshot, placed_hours: PlacedHours) -> None:
        self._projections = projections
        self._placed_hours = placed_hours

    async def read(
        self, care: Care, search: Search | None, *, at: datetime, provider_id: ProviderId | None = None
    ) -> MarketSnapshot:
        if search is not None and search.live_offer is not None:
            return self._read_live_offer_market(care, search, search.live_offer.provider_id)
        framework = self._get_framework(care, None if search is None else search.definition_version)
        definition = framework.definition
        if definition is None:
            return MarketSnapshot()
        started = search.started_at if search is not None and search.started_at is not None else at
        timezone = ZoneInfo(definition.brokerage.timezone)
        days = started.astimezone(timezone).date(), at.astimezone(timezone).date()
        lists = self._projections.memory.derive(
            ("lists", care.framework, care.area, definition.version, *days),
            lambda: _find_ranked_lists(framework.lists, started_on=days[0], on=days[1]),
        )
        providers = {*_list_providers(search, lists), *(() if provider_id is None else (provider_id,))}
        return MarketSnapshot(definition, lists, await self._read_facts(care, sorted(providers)))

    def _read_live_offer_market(self, care: Care, search: Search, provider: ProviderId) -> MarketSnapshot:
        """Read only the provider of the live offer.

        No other provider can get an offer in this step, because the end of the offer is followed by a step of its own.
        Capacity no longer counts, because the provider knows best what it can take on.
        """
        definition = self._get_framework(care, search.definition_version).definition
        if definition is None:
            return MarketSnapshot()
        return MarketSnapshot(definition, facts={provider: self._get_facts(care, provider)})

    def _get_framework(self, care: Care, version: int | None) -> _Framework:
        """Return definition and lists; the newest ones are seen too, as a held search waits for their next version."""
        return self._get_compiled(
            ("framework", care.framework, care.area, version), lambda: self._compile_framework(care, version)
        )

    def _compile_framework(self, care: Care, version: int | None) -> _Compiled[_Framework]:
        newest: list[tuple[Projection[Any], str]] = [
            (DEFINITIONS, care.framework),
            *((RANKED_LISTS, make_ranked_list_key(care.framework, care.area, tier)) for tier in Tier),
        ]
        pinned = [] if version is None else [(DEFINITION_VERSIONS, f"{care.framework}/{version}")]
        every_list = (RANKED_LIST_VERSIONS, f"{care.framework}/{care.area}/")
        keys = [*newest, *pinned]
        rows = self._projections.look_up(keys, prefixes=[every_list])
        lists = tuple(entry.event for entry in list_entries(RANKED_LIST_VERSIONS, rows))
        return _Compiled(_Framework(_find_definition(care, version, rows), lists), self._list_seen(keys))

    def _get_facts(self, care: Care, provider: ProviderId) -> ProviderFacts:
        """Return the provider's facts without its free hours."""
        return self._get_compiled(
            ("facts", provider, care.framework, care.area), lambda: self._compile_facts(care, provider)
        )

    def _compile_facts(self, care: Care, provider: ProviderId) -> _Compiled[ProviderFacts]:
        keys = _list_provider_keys(care, provider)
        return _Compiled(_build_facts(provider, care, self._projections.look_up(keys)), self._list_seen(keys))

    def _list_seen(self, keys: Iterable[tuple[Projection[Any], str]]) -> Mapping[tuple[str, str], int]:
        names = ((projection.name, key) for projection, key in keys)  # Any: projections of different events
        return {name: self._projections.get_seen(*name) for name in names}

    def _get_compiled(self, name: Hashable, compile_value: Callable[[], _Compiled[ValueT]]) -> ValueT:
        compiled = self._projections.memory.derive(name, compile_value)
        self._projections.note_seen(compiled.seen)
        return compiled.value

    async def _read_facts(self, care: Care, providers: Sequence[ProviderId]) -> Mapping[ProviderId, ProviderFacts]:
        facts = {provider: self._get_facts(care, provider) for provider in providers}
        declared = [entry.event for provider in providers if (entry := self._find_capacity(care, provider)) is not None]
        if not declared:
            return facts
        for event, hours in zip(declared, await self._placed_hours.sum_since(declared), strict=True):
            provider = event.provider_id
            facts[provider] = replace(facts[provider], free_hours=event.free_hours - hours)
        return facts

    def _find_capacity(self, care: Care, provider: ProviderId) -> ProjectionEntry[CapacityDeclared] | None:
        key = f"{provider}/{care.area}"
        return self._projections.memory.derive(
            ("capacity", key), lambda: find_entry(CAPACITY, self._projections.look_up([(CAPACITY, key)]), key)
        )


def _find_definition(
    care: Care, version: int | None, rows: Mapping[tuple[str, str], ProjectionRow]
) -> FrameworkDefinition | None:
    """Find the version that the search is bound to, with holidays proclaimed since; the one in force if not bound."""
    newest = find_entry(DEFINITIONS, rows, care.framework)
    if version is None:
        return None if newest is None else newest.event.definition
    pinned = find_entry(DEFINITION_VERSIONS, rows, f"{care.framework}/{version}")
    if pinned is None or newest is None:
        return None if pinned is None else pinned.event.definition
    return add_proclaimed_holidays(pinned.event.definition, newest.event.definition)


def _find_ranked_lists(
    lists: Sequence[RankedListPublished], *, started_on: date, on: date
) -> Mapping[Tier, RankedListPublished]:
    """Find, by tier, the newest list that was live on the day on which the search started.

    A tier without a list on that day gets the first list that went live later.
    """
    return {**_find_first_live(lists, on=on), **_find_newest_live(lists, on=started_on)}


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


def _build_facts(provider: ProviderId, care: Care, rows: Mapping[tuple[str, str], ProjectionRow]) -> ProviderFacts:
    key = str(provider)
    eligibility, channels = find_entry(ELIGIBILITY, rows, key), find_entry(CHANNELS, rows, key)
    embargo, capacity = find_entry(EMBARGOES, rows, key), find_entry(CAPACITY, rows, f"{provider}/{care.area}")
    rates = find_entry(RATES, rows, make_rates_key(provider, care.framework, care.area))
    return ProviderFacts(
        provider_id=provider,
        eligibility=eligibility.event if eligibility else None,
        channels=channels.event.channels if channels else None,
        embargoed=embargo is not None and isinstance(embargo.event, ProviderEmbargoed),
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
