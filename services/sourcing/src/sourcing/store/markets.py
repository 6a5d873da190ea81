"""Reads the market of one search from the projections."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Generic, TypeVar
from zoneinfo import ZoneInfo

from contracts.events.base import ProjectionVersion
from contracts.events.frameworks import RankedListPublished, make_ranked_list_key
from contracts.events.providers import CapacityDeclared, ProviderEmbargoed
from contracts.events.rates import make_rates_key
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.stages import OfferingStage
from contracts.ids import AreaCode, FrameworkKey, LotKey, ProviderId
from contracts.values import Care, Order
from service_runtime.projections.memory import ProjectionSnapshot
from service_runtime.projections.projections import (
    Projection,
    ProjectionEntry,
    ProjectionRow,
    find_entry,
    list_entries,
)
from sourcing.domain.market import MarketSnapshot, PlaceHolder, ProviderFacts
from sourcing.domain.market_selection import (
    asks_holders,
    find_definition,
    find_ranked_lists,
    list_areas,
    list_named_areas,
    list_providers,
    list_waiting_providers,
)
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
from sourcing.store.last_awards import AwardArea, LastAwards, LastAwardTimes
from sourcing.store.placements import PlacedHours

ValueT = TypeVar("ValueT")

QUARTER_HOUR: Final = 900
"""Seconds. No time zone's day begins within one."""


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

    def __init__(self, projections: ProjectionSnapshot, placed_hours: PlacedHours, last_awards: LastAwards) -> None:
        self._projections = projections
        self._placed_hours = placed_hours
        self._last_awards = last_awards

    async def read(
        self,
        care: Care,
        search: Search | None,
        *,
        at: datetime,
        provider_id: ProviderId | None = None,
        target_version: int | None = None,
    ) -> MarketSnapshot:
        market = await self._read_market(care, search, at=at, provider_id=provider_id)
        return market if target_version is None else replace(market, target=self._find_target(care, target_version))

    def _find_target(self, care: Care, version: int) -> FrameworkDefinition | None:
        key = f"{care.framework}/{version}"
        found = find_entry(DEFINITION_VERSIONS, self._projections.look_up([(DEFINITION_VERSIONS, key)]), key)
        return None if found is None else found.event.definition

    async def _read_market(
        self, care: Care, search: Search | None, *, at: datetime, provider_id: ProviderId | None
    ) -> MarketSnapshot:
        framework = self._get_framework(care, search, at)
        definition = framework.definition
        if definition is None:
            return MarketSnapshot()
        areas = list_areas(definition, care)
        priced = (*areas, *list_named_areas(search, areas))
        if search is not None and search.live_offers:
            return self._build_live_offers_market(care, definition, priced, search, provider_id)
        started = search.started_at if search is not None and search.started_at is not None else at
        timezone = ZoneInfo(definition.brokerage.timezone)
        days = started.astimezone(timezone).date(), at.astimezone(timezone).date()
        group = definition.find_list_group(care)
        lists = self._projections.memory.derive(
            ("lists", care.framework, care.lot, care.area, group, definition.version, *days),
            lambda: find_ranked_lists(
                [each for each in framework.lists if each.group == group], started_on=days[0], on=days[1]
            ),
        )
        holders = self._get_holders(care.framework, care.lot, areas) if asks_holders(definition) else ()
        providers = {*list_providers(search, lists, holders), *(() if provider_id is None else (provider_id,))}
        return MarketSnapshot(
            definition,
            lists,
            await self._read_facts(care, priced, sorted(providers)),
            holders,
            await self._find_last_awards(definition, care),
        )

    def _build_live_offers_market(
        self,
        care: Care,
        definition: FrameworkDefinition,
        areas: Sequence[AreaCode],
        search: Search,
        named: ProviderId | None,
    ) -> MarketSnapshot:
        """Read only the providers of live offers, and those that officers can decide about meanwhile.

        No other provider can get an offer in this step, because the end of the offers is followed by a step of its own.
        Capacity no longer counts, because the provider knows best what it can take on.
        """
        providers = {offer.provider_id for offer in search.live_offers} | {*list_waiting_providers(search)}
        providers |= set() if named is None else {named}
        facts = {provider: self._get_facts(care, areas, provider) for provider in providers}
        return MarketSnapshot(definition, facts=facts)

    async def _find_last_awards(self, definition: FrameworkDefinition, care: Care) -> LastAwardTimes:
        rotates = any(
            isinstance(stage, OfferingStage) and Order.ROTATION in stage.order for stage in definition.sourcing
        )
        return await self._last_awards.find(AwardArea(care.framework, care.lot, care.area)) if rotates else {}

    def _get_framework(self, care: Care, search: Search | None, at: datetime) -> _Framework:
        """Return definition and lists; the newest ones are seen too, as a held search waits for their next version."""
        version = None if search is None else search.definition_version
        requested_at = at if search is None else search.requested_at
        name = ("framework", care.framework, care.lot, care.area)
        if version is not None:
            return self._get_compiled((*name, version), lambda: self._compile_framework(care, version, requested_at))
        quarter_hour = int(requested_at.timestamp()) // QUARTER_HOUR
        return self._get_compiled(
            (*name, None, quarter_hour), lambda: self._compile_framework(care, None, requested_at)
        )

    def _compile_framework(self, care: Care, version: int | None, requested_at: datetime) -> _Compiled[_Framework]:
        versions = (DEFINITION_VERSIONS, f"{care.framework}/")
        every_list = (RANKED_LIST_VERSIONS, f"{care.framework}/{care.lot}/{care.area}/")
        newest: tuple[Projection[Any], str] = (DEFINITIONS, care.framework)
        rows = self._projections.look_up([newest], prefixes=[versions, every_list])
        published = list_entries(DEFINITION_VERSIONS, rows)
        lists = tuple(entry.event for entry in list_entries(RANKED_LIST_VERSIONS, rows))
        definition = find_definition((entry.event.definition for entry in published), version, requested_at)
        list_keys = _list_list_keys(care, definition)  # of every group: packages of all groups share what is compiled
        self._projections.look_up(list_keys)
        return _Compiled(_Framework(definition, lists), self._list_seen([newest, *list_keys]))

    def _get_holders(self, framework: FrameworkKey, lot: LotKey, areas: Sequence[AreaCode]) -> Sequence[PlaceHolder]:
        by_area = self._projections.memory.derive(("holders", framework, lot), lambda: self._index(framework, lot))
        return [holder for area in areas for holder in by_area.get(area, ())]

    def _index(self, framework: FrameworkKey, lot: LotKey) -> Mapping[AreaCode, Sequence[PlaceHolder]]:
        """Index the places of a lot by area, each area's in the order of the providers' ids."""
        found: dict[AreaCode, list[PlaceHolder]] = {}
        rows = self._projections.look_up((), prefixes=[(ELIGIBILITY, "")])
        for entry in list_entries(ELIGIBILITY, rows):
            for place in entry.event.places:
                if (place.framework, place.lot) == (framework, lot):
                    found.setdefault(place.area, []).append(PlaceHolder(entry.event.provider_id, place))
        return found

    def _get_facts(self, care: Care, areas: Sequence[AreaCode], provider: ProviderId) -> ProviderFacts:
        """Return the provider's facts without its free hours."""
        return self._get_compiled(
            ("facts", provider, care.framework, care.area, tuple(areas)),
            lambda: self._compile_facts(care, areas, provider),
        )

    def _compile_facts(self, care: Care, areas: Sequence[AreaCode], provider: ProviderId) -> _Compiled[ProviderFacts]:
        keys = _list_provider_keys(care, areas, provider)
        rows = self._projections.look_up(keys)
        return _Compiled(_build_facts(provider, care, areas, rows), self._list_seen(keys))

    def _list_seen(self, keys: Iterable[tuple[Projection[Any], str]]) -> Mapping[tuple[str, str], int]:
        names = ((projection.name, key) for projection, key in keys)  # Any: projections of different events
        return {name: self._projections.get_seen(*name) for name in names}

    def _get_compiled(self, name: Hashable, compile_value: Callable[[], _Compiled[ValueT]]) -> ValueT:
        compiled = self._projections.memory.derive(name, compile_value)
        self._projections.note_seen(compiled.seen)
        return compiled.value

    async def _read_facts(
        self, care: Care, areas: Sequence[AreaCode], providers: Sequence[ProviderId]
    ) -> Mapping[ProviderId, ProviderFacts]:
        facts = {provider: self._get_facts(care, areas, provider) for provider in providers}
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


def _list_list_keys(care: Care, definition: FrameworkDefinition | None) -> list[tuple[Projection[Any], str]]:
    if definition is None:
        return []
    groups = (None, *(each.group for each in definition.list_groups))
    return [
        (RANKED_LISTS, make_ranked_list_key(care.framework, care.lot, care.area, tier.tier, group))
        for tier in definition.tiers
        for group in groups
    ]


def _list_provider_keys(
    care: Care, areas: Sequence[AreaCode], provider: ProviderId
) -> list[tuple[Projection[Any], str]]:
    """List the keys to read for one provider (Any: projections of different events have no common type)."""
    own = str(provider)
    return [
        (ELIGIBILITY, own),
        (CHANNELS, own),
        (EMBARGOES, own),
        (CAPACITY, f"{own}/{care.area}"),
        *((RATES, make_rates_key(provider, care.framework, area)) for area in areas),
    ]


def _build_facts(
    provider: ProviderId, care: Care, areas: Sequence[AreaCode], rows: Mapping[tuple[str, str], ProjectionRow]
) -> ProviderFacts:
    key = str(provider)
    eligibility, channels = find_entry(ELIGIBILITY, rows, key), find_entry(CHANNELS, rows, key)
    embargo, capacity = find_entry(EMBARGOES, rows, key), find_entry(CAPACITY, rows, f"{provider}/{care.area}")
    rates = {area: find_entry(RATES, rows, make_rates_key(provider, care.framework, area)) for area in areas}
    return ProviderFacts(
        provider_id=provider,
        eligibility=eligibility.event if eligibility else None,
        channels=channels.event.channels if channels else None,
        embargoed=embargo is not None and isinstance(embargo.event, ProviderEmbargoed),
        rates={area: entry.event for area, entry in rates.items() if entry is not None},
        projection_uses=tuple(_list_projection_uses((eligibility, channels, embargo, capacity, *rates.values()))),
    )


def _list_projection_uses(
    entries: Iterable[ProjectionEntry[Any] | None],
) -> Iterable[ProjectionVersion]:  # entries of different events
    return (
        ProjectionVersion(view=entry.view, key=entry.key, sequence=entry.sequence)
        for entry in entries
        if entry is not None
    )
