"""The market as the record shows it, for a replay: every published version, selected as each decision had it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from contracts.events.base import HasProjectionVersions, PackageEvent
from contracts.events.frameworks import RankedListPublished
from contracts.events.providers import CapacityDeclared
from contracts.events.searches import SourcingHeld, StageEntered
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import AreaCode, FrameworkKey, LotKey, ProviderId, TierKey
from contracts.values import Care
from sourcing.domain.market import DEFINITIONS, ELIGIBILITY, RANKED_LISTS, MarketSnapshot, PlaceHolder, ProviderFacts
from sourcing.domain.market_selection import (
    find_definition,
    find_named_provider,
    find_ranked_lists,
    list_areas,
    list_named_areas,
    list_providers,
)
from sourcing.domain.recorded_facts import FactReader, FactReading, RecordedFact
from sourcing.domain.replay_triggers import RecordedDecision
from sourcing.domain.search import Search
from sourcing.domain.triggers import ChangeVersion, Trigger

PLACES: Final = f"{ELIGIBILITY}/places"
"""Where a search that is held lacks places of its area, the key that it waits for begins with this."""


@dataclass(frozen=True)
class RecordedDefinition:
    """A version of the framework's definition, with the instant of its publication."""

    definition: FrameworkDefinition
    at: datetime


@dataclass(frozen=True)
class RecordedList:
    """A ranked list of the package's lot and area, with the instant of its publication."""

    ranked_list: RankedListPublished
    at: datetime


@dataclass(frozen=True)
class RecordedPlacement:
    """A placement of any package of the area; `voided_at` is None while it stands."""

    provider_id: ProviderId
    framework: FrameworkKey
    lot: LotKey
    area: AreaCode
    weekly_hours: Decimal
    at: datetime
    voided_at: datetime | None = None

    def stands_at(self, at: datetime, *, or_begins: bool) -> bool:
        """Return whether it stands at an instant; with `or_begins` also if it begins at it."""
        has_begun = self.at < at or (or_begins and self.at == at)
        return has_begun and (self.voided_at is None or self.voided_at > at)


@dataclass(frozen=True)
class RecordedMarket:
    """Everything on record about the framework, its lists and its providers.

    The events of each provider are in the order of their sequences. `counts_ties` makes the placements count that have
    the very instant of a decision: the record does not show which came first.
    """

    definitions: Sequence[RecordedDefinition] = ()
    lists: Sequence[RecordedList] = ()
    facts: Mapping[ProviderId, Sequence[RecordedFact]] = field(default_factory=dict[ProviderId, Sequence[RecordedFact]])
    placements: Sequence[RecordedPlacement] = ()
    counts_ties: bool = False

    def find_definition(self, search: Search | None, at: datetime) -> FrameworkDefinition | None:
        """Return the version that the search is bound to, else the one that holds for it, as published at `at`."""
        version = None if search is None else search.definition_version
        requested_at = at if search is None else search.requested_at
        return find_definition(self._list_definitions(at), version, requested_at)

    def read(self, search: Search | None, care: Care, trigger: Trigger, decision: RecordedDecision) -> MarketSnapshot:
        """Return the market of a decision.

        What the decision states about its data takes precedence over instants: the versions of the facts that it used,
        and the entries that it lacked.
        """
        at, absent = decision.at, _list_absent(decision.events)
        definition = self.find_definition(search, at)
        if definition is None or f"{DEFINITIONS}/{care.framework}" in absent:
            return MarketSnapshot()
        areas = list_areas(definition, care)
        lists = self._find_lists(search, care, definition, at, absent)
        priced = (*areas, *list_named_areas(search, areas))
        reading = FactReading(care, priced, _index_views(decision.events), absent, at)
        facts = {provider: self._build_facts(provider, reading) for provider in self.facts}
        holders = list(_list_holders(facts, care, _list_known_areas(areas, care, absent)))
        wanted = {*list_providers(search, lists, holders), *_list_further_providers(search, trigger)}
        return MarketSnapshot(
            definition,
            lists,
            {provider: facts[provider] for provider in facts if provider in wanted},
            holders,
            self._find_last_awards(care, at),
            self._find_target(trigger, at),
        )

    def _list_definitions(self, at: datetime) -> list[FrameworkDefinition]:
        return [each.definition for each in self.definitions if each.at <= at]

    def _find_lists(
        self, search: Search | None, care: Care, definition: FrameworkDefinition, at: datetime, absent: frozenset[str]
    ) -> Mapping[TierKey, RankedListPublished]:
        timezone, group = ZoneInfo(definition.brokerage.timezone), definition.find_list_group(care)
        started = search.started_at if search is not None and search.started_at is not None else at
        published = [
            each.ranked_list
            for each in self.lists
            if each.at <= at
            and each.ranked_list.group == group
            and f"{RANKED_LISTS}/{each.ranked_list.key}" not in absent
        ]
        return find_ranked_lists(
            published, started_on=started.astimezone(timezone).date(), on=at.astimezone(timezone).date()
        )

    def _build_facts(self, provider: ProviderId, reading: FactReading) -> ProviderFacts:
        reader = FactReader(provider, self.facts[provider], reading)
        declared = reader.find_capacity()
        free_hours = None if declared is None else declared.free_hours - self._sum_placed(declared, reading.at)
        return reader.build(free_hours)

    def _sum_placed(self, declared: CapacityDeclared, at: datetime) -> Decimal:
        placed = (
            each.weekly_hours
            for each in self.placements
            if (each.provider_id, each.area) == (declared.provider_id, declared.area)
            and each.at >= declared.declared_at
            and each.stands_at(at, or_begins=self.counts_ties)
        )
        return sum(placed, Decimal(0))

    def _find_last_awards(self, care: Care, at: datetime) -> Mapping[ProviderId, datetime]:
        found: dict[ProviderId, datetime] = {}
        for each in sorted(self.placements, key=lambda placement: placement.at):
            of_area = (each.framework, each.lot, each.area) == (care.framework, care.lot, care.area)
            if of_area and each.stands_at(at, or_begins=self.counts_ties):
                found[each.provider_id] = each.at
        return found

    def _find_target(self, trigger: Trigger, at: datetime) -> FrameworkDefinition | None:
        if not isinstance(trigger, ChangeVersion):
            return None
        return next((each for each in self._list_definitions(at) if each.version == trigger.version), None)


def _list_absent(events: Iterable[PackageEvent]) -> frozenset[str]:
    """List the entries of projections that the decision lacked: the search was held for them."""
    return frozenset(key for event in events if isinstance(event, SourcingHeld) for key in event.missing)


def _list_known_areas(areas: Sequence[AreaCode], care: Care, absent: frozenset[str]) -> Sequence[AreaCode]:
    """List the areas whose places were known: without the package's own one if the search was held for its places."""
    lacks_places = any(key.startswith(f"{PLACES}/") for key in absent)
    return [area for area in areas if not (lacks_places and area == care.area)]


def _index_views(events: Iterable[PackageEvent]) -> Mapping[tuple[str, str], int]:
    uses = (use for event in events if isinstance(event, HasProjectionVersions | StageEntered) for use in event.views)
    return {(use.view, use.key): use.sequence for use in uses}


def _list_holders(
    facts: Mapping[ProviderId, ProviderFacts], care: Care, areas: Sequence[AreaCode]
) -> Iterator[PlaceHolder]:
    """Yield the places of the package's lot by area, each area's in the order of the providers' ids."""
    for area in areas:
        for provider in sorted(facts, key=str):
            for place in facts[provider].places:
                if (place.framework, place.lot, place.area) == (care.framework, care.lot, area):
                    yield PlaceHolder(provider, place)


def _list_further_providers(search: Search | None, trigger: Trigger) -> Iterator[ProviderId]:
    named = find_named_provider(trigger)
    if named is not None:
        yield named
    if search is not None:
        yield from (offer.provider_id for offer in search.live_offers)
